"""What a running NEST holds, in Volr's names and units: the rows of ``translation`` backwards."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.held_synapses import HeldBlocks
from volr.backends.messages import text_of
from volr.backends.nest.translation import (
    BRIEF,
    FOLLOWING,
    NEURONS,
    PICOAMPERE,
    SOURCE,
    UNREACHABLE,
    Translation,
    weight_factor,
)
from volr.backends.readback import (
    NO_RESET,
    Answer,
    Asked,
    Cells,
    Number,
    SpikingReadback,
    Told,
    all_asked,
    by_kind,
    distinct,
    uniform,
)
from volr.backends.worker import inputs_of, ticks_of
from volr.neurons import ENDLESS, raised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.held_synapses import SynapseArrays
    from volr.backends.messages import Arrays
    from volr.backends.readback import Ends
    from volr.checks.arrays import Integers
    from volr.network import Network


def asked_for() -> dict[str, list[str]]:
    """The parameters that ``contents`` needs of a neuron, by NEST's model."""
    asked: dict[str, list[str]] = {}
    for translation in NEURONS.values():
        theirs = (*(name for _, name, _ in translation.rows), "I_e")
        asked[translation.model] = list(dict.fromkeys(theirs))
    return asked


def contents(network: Network, answers: list[Arrays]) -> SpikingReadback:
    """What a kernel says that NEST holds (``volr.backends.nest.kernel``), in our words.

    ``answers`` are those to ``volr.backends.worker.probing``.
    """
    answer = answers[0]
    dt = float(answer["resolution"][0])
    nodes = {
        p.name: answer[f"{p.name}.nodes"]
        for p in network.populations
        if f"{p.name}.nodes" in answer
    }
    models = {name: text_of(answer[f"{name}.model"]) for name in nodes}
    cells: dict[str, Cells] = {}
    translations: dict[str, Translation] = {}
    factors: dict[str, Number] = {}
    for name, model in models.items():
        key = _which(model, uniform(answer.get(f"{name}.tau_syn_ex", np.nan)), dt)
        if key is not None:
            translation = translations[name] = NEURONS[key]
            numbers = by_kind(
                {theirs: answer[f"{name}.{theirs}"] for _, theirs, _ in translation.rows},
                partial(_numbers, translation, dt),
            )
            factors[name] = numbers.pop(_FACTOR)
            reset = "another" if _subtracts_nothing(numbers) else key[1]
            cells[name] = Cells(Asked(key[0]), Asked(reset), _said(numbers, translation))
        elif model != SOURCE:
            cells[name] = Cells(Asked(model), Asked("another"), {})
    held: dict[Ends, list[SynapseArrays]] = {}
    delays: dict[Ends, Number] = {}
    for ends, synapses in _projections(nodes, answer).items():
        source, target = (nodes[name] for name in ends)
        late = translations[ends[1]].late if ends[1] in translations else 0
        post = answer["synapses.target"][synapses] - target[0]
        pre = answer["synapses.source"][synapses] - source[0]
        factor = factors.get(ends[1], math.nan)
        each = answer["synapses.weight"][synapses] / (
            factor[post] if isinstance(factor, np.ndarray) else factor
        )
        held[ends] = [(post, pre, each)]
        delays[ends] = distinct(answer["synapses.delay"][synapses] + late * dt)
    sizes = {name: len(each) for name, each in nodes.items()}
    return SpikingReadback(
        populations=all_asked(sizes),
        inputs=inputs_of([p.name for p in network.populations], answers),
        outputs=Asked(_read(nodes, answer), "which nodes have counters, recorders or meters"),
        weights=HeldBlocks(held, sizes),
        biases=all_asked(
            {
                p.name: answer[f"{p.name}.I_e"] / PICOAMPERE
                for p in network.layers
                if p.name in translations
            }
        ),
        cells=cells,
        delays=all_asked(delays),
        ticks=ticks_of(network, answers),
        dt=Asked(dt),
        precision=Told("NEST returns every number as float64, whatever it holds"),
    )


def _read(nodes: Mapping[str, Integers], answer: Arrays) -> frozenset[str]:
    """The populations that a device reads: it receives their spikes, or records their membranes."""
    sources, targets, devices = (
        answer[key] for key in ("synapses.source", "synapses.target", "devices")
    )
    read = np.concatenate([sources[np.isin(targets, devices)], targets[np.isin(sources, devices)]])
    return frozenset(name for name, each in nodes.items() if np.isin(each, read).all())


def _which(model: str, tau_syn: float, dt: float) -> tuple[str, str] | None:
    """Volr's neuron model and reset for a model of NEST's; None for what is not a neuron."""
    brief = math.isclose(tau_syn * BRIEF, dt)
    found = [key for key, each in NEURONS.items() if each.model == model]
    # One of NEST's models is two of ours, which synapses tell apart.
    return next((key for key in found if len(found) == 1 or bool(NEURONS[key].late) == brief), None)


_FACTOR = "of a weight"
"""Beside a neuron's numbers: how many of NEST's units of weight make one of ours for it."""


def _numbers(translation: Translation, dt: float, held: Mapping[str, float]) -> dict[str, float]:
    """The numbers of a neuron by Volr's names, and its ``_FACTOR``."""
    said: dict[str, float] = {}
    for ours, theirs, factor in translation.rows:
        # Two of NEST's numbers that are one of ours must agree on it.
        value = held[theirs] / factor
        said[ours] = uniform([value, said.get(ours, value)])
    if said["v_thresh"] >= UNREACHABLE:
        said["v_thresh"] = math.inf
    for tau in ("tau_syn_E", "tau_syn_I"):
        if tau in said and math.isclose(said[tau], ENDLESS):
            said[tau] = math.inf
    if "leak" in said:
        said["tau_m"] = said["cm"] / said["leak"]
    elif math.isclose(said["tau_m"], translation.endless(dt)):
        said["tau_m"] = math.inf
        if math.isfinite(said["v_thresh"]):
            low = said["v_reset"] if "v_reset" in said else said["v_thresh"] - said["theta"]
            said["v_thresh"] = raised(said["v_thresh"], low)
    if "theta" in said:
        said["v_reset"] = said["v_thresh"] - said["theta"]
    return {**said, _FACTOR: weight_factor(translation, said["tau_m"], said["cm"], dt)}


def _subtracts_nothing(numbers: Mapping[str, Number]) -> bool:
    """Whether thresholds rise by more than θ, or fall otherwise than the membrane."""
    if "theta" not in numbers:
        return False
    return bool(np.any(numbers["nothing"]) or np.isnan(numbers["tau_m"]).any())


def _said(numbers: Mapping[str, Number], translation: Translation) -> dict[str, Answer[Number]]:
    """The numbers that are Volr's parameters."""
    brief = ("tau_syn_E", "tau_syn_I") if translation.late else ()
    found: dict[str, Answer[Number]] = {
        name: Asked(value)
        for name, value in numbers.items()
        if name not in FOLLOWING and name not in brief
    }
    if "theta" in numbers and np.isinf(numbers["v_thresh"]).all():
        found["v_reset"] = Told(NO_RESET)
    return found


def _projections(nodes: Mapping[str, Integers], answer: Arrays) -> dict[Ends, Integers]:
    """The indices of the synapses between each two populations."""
    sources, targets = answer["synapses.source"], answer["synapses.target"]
    found: dict[Ends, Integers] = {}
    for target, after in nodes.items():
        into = np.flatnonzero(np.isin(targets, after))
        for source, before in nodes.items():
            of = into[np.isin(sources[into], before)]
            if of.size:
                found[source, target] = of
    return found
