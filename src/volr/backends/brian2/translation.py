"""Volr's names and units and Brian2's: the rows of ``equations``, read in both directions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.brian2.equations import (
    MILLI,
    NANO,
    NEURONS,
    REFRACTORY,
    RESETS,
    RESTS,
    THRESHOLD,
    UNREACHABLE,
    Equations,
)
from volr.backends.held_synapses import HeldBlocks
from volr.backends.readback import (
    Asked,
    Cells,
    SpikingReadback,
    all_asked,
    asked_cells,
    by_kind,
    distinct,
    uniform,
)
from volr.neurons import ENDLESS, raised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.held_synapses import SynapseArrays
    from volr.backends.readback import Answer, Ends, Names
    from volr.checks.arrays import Floats, Integers
    from volr.neurons import NeuronModel

_ABOVE = "above "
# Decimals, of mV, that adding v_rest leaves intact.
_DECIMALS = 12


def above_rest(neuron: NeuronModel, dt: float) -> dict[str, float]:
    """The left-hand side of the rows: our parameters, and some of them above v_rest."""
    values = {**neuron.numbers, "fires_at": neuron.fires_at()}
    values |= {name: ENDLESS for name in neuron.endless if values[name] == math.inf}
    # Refractoriness is told in whole steps; rounding is ours, not Brian2's.
    values["tau_refrac"] = neuron.refractory_steps(dt) * dt
    above = {f"{_ABOVE}{name}": value - neuron.v_rest for name, value in values.items()}
    return {**values, **above}


def parameters(neuron: NeuronModel, dt: float) -> dict[str, float]:
    """The numbers of a neuron, SI, by Brian2's names."""
    values = above_rest(neuron, dt)
    rows = NEURONS[neuron.name].rows
    return {theirs: factor * values[ours] for ours, theirs, _, factor in rows}


@dataclass(frozen=True)
class Neurons:
    """Neurons as Brian2 has them: what they do, as texts, and their numbers, SI, by its names.

    ``numbers`` and ``current`` are ``[unit]``; the latter is in A.
    """

    equations: str
    step: str
    threshold: str
    reset: str
    numbers: Mapping[str, Floats]
    current: Floats


@dataclass(frozen=True)
class Pathway:
    """Synapses from ``i`` to ``j`` with the weights ``w``, SI; ``code`` is what a spike does."""

    source: str
    target: str
    i: Integers
    j: Integers
    w: Floats
    delay: float
    code: str
    slot: str


def in_our_words(
    sizes: Mapping[str, int],
    inputs: Answer[Names],
    outputs: Answer[Names],
    neurons: Mapping[str, Neurons],
    pathways: list[Pathway],
    dt: float,
    precision: Answer[float],
) -> SpikingReadback:
    """A network that Brian2 holds; ``dt`` in s. An input that is no neurons has only a size."""
    cells = {name: _cells(each) for name, each in neurons.items()}
    held: dict[Ends, list[SynapseArrays]] = {}
    delays: dict[Ends, list[float]] = {}
    for each in pathways:
        ends = each.source, each.target
        equations = NEURONS.get(_kind(neurons[each.target]) or "")
        factor = equations.weight[1] if equations and _acts(each, equations) else math.nan
        held.setdefault(ends, []).append((each.j, each.i, each.w / factor))
        later = equations.early if equations else 0
        delays.setdefault(ends, []).append(_milli(each.delay + later * dt))
    # What is driven by a stimulus has no current of its own.
    entered = {target for _, target in held}
    known = inputs.value if isinstance(inputs, Asked) else set(neurons) - entered
    return SpikingReadback(
        populations=all_asked(sizes),
        inputs=inputs,
        outputs=outputs,
        weights=HeldBlocks(held, sizes),
        biases=all_asked(
            {name: each.current / NANO for name, each in neurons.items() if name not in known}
        ),
        cells=cells,
        delays=all_asked({ends: distinct(each) for ends, each in delays.items()}),
        dt=Asked(_milli(dt)),
        precision=precision,
    )


def _milli(seconds: float) -> float:
    return round(seconds / MILLI, _DECIMALS)


def _acts(pathway: Pathway, equations: Equations) -> bool:
    """Whether each synapse acts as its sign says, and in the right part of a step."""
    codes = list(equations.pathways.values())
    signs = (pathway.w >= 0.0, pathway.w < 0.0) if len(codes) == 2 else (np.isfinite(pathway.w),)
    for code, sign in zip(codes, signs, strict=True):
        if code == pathway.code:
            return bool(sign.all()) and pathway.slot == equations.slot
    return False


def _cells(neurons: Neurons) -> Cells:
    kind = _kind(neurons)
    if kind is None:
        return asked_cells("another", "another", {})
    numbers = by_kind(neurons.numbers, lambda held: _numbers(kind, held))
    return asked_cells(kind, _reset(neurons), numbers)


def _numbers(kind: str, held: Mapping[str, float]) -> dict[str, float]:
    """The numbers of a neuron by Volr's names."""
    values: dict[str, float] = {}
    for ours, theirs, _, factor in NEURONS[kind].rows:
        values[ours] = held[theirs] / factor
    numbers: dict[str, float] = {}
    for ours, value in values.items():
        name = ours.removeprefix(_ABOVE)
        if name == ours:
            numbers[name] = value
        elif held[name] >= UNREACHABLE:
            numbers[name] = math.inf
        else:
            numbers[name] = round(values["v_rest"] + value, _DECIMALS)
    endless = [name for name, value in numbers.items() if math.isclose(value, ENDLESS)]
    numbers |= dict.fromkeys(endless, math.inf)
    numbers["v_thresh"] = _threshold(numbers.pop("fires_at"), numbers)
    return numbers


def _threshold(fires_at: float, numbers: Mapping[str, float]) -> float:
    """v_thresh, mV, from ``fires_at``; NaN where it differs from the v_thresh of the reset."""
    if not math.isfinite(fires_at):
        return fires_at
    if not math.isfinite(numbers["tau_m"]):
        fires_at = raised(fires_at, numbers["v_reset"])
    return uniform([numbers["v_thresh"], fires_at])


def _kind(neurons: Neurons) -> str | None:
    """The neuron model with these equations and this solution."""
    rights = _rights(neurons.equations)
    for name, each in NEURONS.items():
        step = f"{RESTS.format(REFRACTORY)}\n{each.step}"
        if rights == _rights("\n".join(each.flows)) and neurons.step == step:
            return name
    return None


def _rights(equations: str) -> dict[str, str]:
    return {name: right for name, (right, _) in _flows(equations).items()}


def _reset(neurons: Neurons) -> str:
    """``hard`` or ``subtract``, by what happens at a spike and after it."""
    _, clamped = _flows(neurons.equations)["v"]
    if neurons.threshold == THRESHOLD:
        for reset, code in RESETS.items():
            if neurons.reset == code and clamped == (reset == "hard"):
                return reset
    return "another"


def _flows(equations: str) -> dict[str, tuple[str, bool]]:
    """The right-hand side of each differential equation, and whether it stops in refractoriness."""
    found: dict[str, tuple[str, bool]] = {}
    for line in equations.splitlines():
        if match := re.fullmatch(r"d(\w+)/dt = (.*?) : \w+( \(unless refractory\))?", line.strip()):
            name, right, flag = match.groups()
            # This is how Brian2 writes the flag out.
            stopped = re.fullmatch(r"int\(not_refractory\)\*\((.*)\)", right)
            found[name] = (stopped[1] if stopped and flag else right, flag is not None)
    return found
