"""NEST: spiking models on the NEST simulator, through its own Python interface.

The kernel runs in processes of its own (``volr.backends.workers``), one a core, because there is
one kernel to a process and a crash of it should be an error message. This file cuts the stimuli
into batches and puts the answers together; ``volr.backends.nest.kernel`` is what runs over there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from volr.backends.base import (
    Record,
    Recordings,
    Simulator,
    SpikingBackend,
    check_supported,
    require,
)
from volr.backends.workers import WorkerPool
from volr.errors import UnsupportedError
from volr.models.coding import check_stimuli, input_drive
from volr.models.model import READOUTS, SpikingModel, is_multiple
from volr.models.neurons import IFCurrDelta, IFCurrExp
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from volr.backends.base import Progress
    from volr.backends.workers import Arrays, Request, Settings
    from volr.models.arrays import Floats
    from volr.models.neurons import NeuronModel

PICOAMPERE = 1000.0
"""How many of NEST's units of current make one of ours, nA."""

Row: TypeAlias = tuple[str, str, float]
"""Our name, NEST's name, and how many of its units make one of ours."""


@dataclass(frozen=True)
class Translation:
    """One of our neuron models, with its reset, in NEST's words.

    ``weight`` is a row's factor, for weights. ``threshold`` is NEST's name of ours. ``late`` is by
    how many steps the neuron takes up a spike later than ours does.
    """

    model: str
    threshold: str
    weight: float
    rows: tuple[Row, ...]
    late: int = 0


# Capacitance is in pF there, current in pA, conductance in nS. `leak`, `theta` and `nothing` are
# not parameters of ours but follow from them.
_MEMBRANE: tuple[Row, ...] = (
    ("v_rest", "E_L", 1.0),
    ("v_rest", "V_m", 1.0),
    ("cm", "C_m", 1000.0),
    ("tau_refrac", "t_ref", 1.0),
)
_LEAKY: tuple[Row, ...] = (*_MEMBRANE, ("tau_m", "tau_m", 1.0))
_HARD: tuple[Row, ...] = (("v_reset", "V_reset", 1.0), ("v_thresh", "V_th", 1.0))
# Subtracting θ from a membrane that decays with τ_m is raising the threshold by a θ that does.
_SUBTRACT: tuple[Row, ...] = (
    ("v_thresh", "omega", 1.0),
    ("theta", "alpha_1", 1.0),
    ("tau_m", "tau_1", 1.0),
    ("nothing", "alpha_2", 1.0),
)
_SYNAPSES: tuple[Row, ...] = (("tau_syn_E", "tau_syn_ex", 1.0), ("tau_syn_I", "tau_syn_in", 1.0))
_REVERSALS: tuple[Row, ...] = (("e_rev_E", "E_ex", 1.0), ("e_rev_I", "E_in", 1.0))

NEURONS: dict[tuple[str, str], Translation] = {
    ("if_curr_delta", "hard"): Translation("iaf_psc_delta", "V_th", 1.0, (*_LEAKY, *_HARD)),
    ("if_curr_exp", "hard"): Translation(
        "iaf_psc_exp", "V_th", 1000.0, (*_LEAKY, *_HARD, *_SYNAPSES)
    ),
    ("if_cond_exp", "hard"): Translation(
        "iaf_cond_exp",
        "V_th",
        1000.0,
        (*_MEMBRANE, ("leak", "g_L", 1000.0), *_HARD, *_SYNAPSES, *_REVERSALS),
    ),
    # A jump is a brief current there (BRIEF), hence nA, and late.
    ("if_curr_delta", "subtract"): Translation(
        "mat2_psc_exp", "omega", 1000.0, (*_LEAKY, *_SUBTRACT, *_SYNAPSES), late=1
    ),
    ("if_curr_exp", "subtract"): Translation(
        "mat2_psc_exp", "omega", 1000.0, (*_LEAKY, *_SUBTRACT, *_SYNAPSES)
    ),
}
# A synapse that is over within a step: of its current e^-64 is left, less than rounding. NEST's
# propagator is exact there, and overflows to NaN for one that is 710 times shorter than the step.
BRIEF = 64.0
# mat2_psc_exp's propagator loses its digits where the two time constants are all but equal.
CLOSE = 1e-4
# A threshold, mV, that no membrane reaches.
UNREACHABLE = 1e300
# NEST counts time in tics of a microsecond.
TIC = 0.001
# Neurons in one batch of copies. Measured on 100-100-10: 20 to 40 copies take 2.6 to 3.0 ms an
# image; 160 take 3.8, since they do not fit into the caches; below 20, building dominates.
BATCH_NEURONS = 6_000
# Values in one recorded array: spike trains and membranes are kept whole until they are handed out.
BATCH_VALUES = 20_000_000


class NestSimulator:
    """NEST, started: the processes live as long as the ``with`` block that holds this."""

    def __init__(self, processes: int | None = None) -> None:
        self._pool = WorkerPool("volr.backends.nest.kernel", "NEST", processes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def processes(self) -> tuple[int, ...]:
        """The identifiers of the processes that are running."""
        return self._pool.identifiers()

    def run(
        self,
        model: SpikingModel,
        stimuli: Floats,
        *,
        record: Record = Record(),
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        """See ``volr.backends.base.Simulator``."""
        check_supported(NEST, model)
        check_stimuli(stimuli, model.network.input_size)
        record.check(model.network)
        _check_translatable(model)
        size = batch_size(model, record, len(stimuli), self._pool.processes)
        answers: dict[int, Arrays] = {}
        for index, answer in self._pool.run(_requests(model, stimuli, record, seed, size)):
            answers[index] = answer
            if progress is not None:
                progress(min(size, len(stimuli) - index * size))
        return _together(model, record, [answers[index] for index in sorted(answers)])


def start(processes: int | None = None) -> AbstractContextManager[Simulator]:
    """NEST on ``processes`` processes, one a core unless told; ``MissingError`` without NEST."""
    require(NEST)
    return NestSimulator(processes)


NEST = SpikingBackend(
    name="nest",
    summary="the NEST simulator, through its own Python interface",
    requires=("nest",),
    extra="nest",
    neurons=tuple(dict.fromkeys(name for name, _ in NEURONS)),
    exact=tuple(dict.fromkeys(name for name, _ in NEURONS)),
    resets=tuple(dict.fromkeys(reset for _, reset in NEURONS)),
    codings=("current", "poisson"),
    readouts=READOUTS,
    start=start,
)


def _check_translatable(model: SpikingModel) -> None:
    """Raise ``UnsupportedError`` for what NEST has no words for, with ways out."""
    neuron, dt = model.neuron, model.dt
    wrong: list[str] = []
    ways: list[str] = []
    if (neuron.name, neuron.reset) not in NEURONS:
        wrong.append(f"it has no {neuron.name} with the reset {neuron.reset!r}")
        ways.append("choose the reset 'hard'")
    if not is_multiple(dt, TIC):
        wrong.append(f"dt is {dt:g} ms, and its time counts in steps of {TIC:g} ms")
        ways.append(f"choose a multiple of {TIC:g} ms")
    if not wrong and neuron.reset == "subtract":
        if neuron.refractory_steps(dt) == 0:
            wrong.append(
                f"tau_refrac is {neuron.tau_refrac:g} ms, no step of {dt:g} ms, and its neurons "
                "with the reset 'subtract' rest for at least one"
            )
            ways.append(f"choose a tau_refrac of {dt:g} ms or more")
        if model.delay_steps <= NEURONS[neuron.name, neuron.reset].late:
            wrong.append(
                f"delay is {model.delay:g} ms, one step, and its neurons with the reset 'subtract' "
                "take up a jump of the membrane one step late"
            )
            ways.append(f"choose a delay of {2 * dt:g} ms or more")
        said = _in_our_words(neuron, dt)
        for name in ("tau_syn_E", "tau_syn_I"):
            if abs(said[name] - neuron.tau_m) < CLOSE * neuron.tau_m:
                wrong.append(
                    f"{name} is {said[name]:g} ms, and with the reset 'subtract' it must differ "
                    f"from tau_m, {neuron.tau_m:g} ms"
                )
                ways.append(f"choose another {name} or tau_m")
    if wrong:
        raise UnsupportedError(
            "nest cannot run this model: " + "; ".join(wrong),
            help="; ".join(ways) + "; or run it on the engine",
        )


def _in_our_words(neuron: NeuronModel, dt: float) -> dict[str, float]:
    """The left-hand side of the rows: parameters, and what follows from them."""
    return {
        "tau_syn_E": dt / BRIEF,
        "tau_syn_I": dt / BRIEF,
        "leak": neuron.cm / neuron.tau_m,
        "theta": neuron.theta,
        "nothing": 0.0,
        **neuron.numbers,
        # Both neuron and synapse are told times that are whole steps; rounding is ours, not NEST's.
        "tau_refrac": neuron.refractory_steps(dt) * dt,
    }


def _weight_factor(neuron: NeuronModel, dt: float, translation: Translation) -> float:
    """How many of NEST's units of weight make one of ours."""
    if isinstance(neuron, IFCurrDelta) and neuron.reset == "subtract":
        # A jump is a brief current there: so many nA for each mV.
        brief = IFCurrExp(tau_m=neuron.tau_m, cm=neuron.cm, tau_syn_E=dt / BRIEF)
        return translation.weight / brief.synaptic_rises(dt)[0]
    return translation.weight


def batch_size(model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
    """How many copies stand side by side: bounded by memory, and enough batches for everybody."""
    network = model.network
    whole = (*record.spikes, *record.membranes, *_silent(model))
    widest = model.steps * max([network[name].size for name in whole], default=1)
    neurons = sum(population.size for population in network.populations)
    most = min(BATCH_NEURONS // neurons, BATCH_VALUES // widest)
    return max(1, min(most, -(-stimuli // processes)))


def _requests(
    model: SpikingModel, stimuli: Floats, record: Record, seed: int, size: int
) -> Iterator[Request]:
    network, neuron, dt = model.network, model.neuron, model.dt
    translation = NEURONS[neuron.name, neuron.reset]
    said = _in_our_words(neuron, dt)
    silent = _silent(model)
    settings: Settings = {
        "dt": dt,
        "steps": model.steps,
        "delay": (model.delay_steps - translation.late) * dt,
        "model": translation.model,
        "defaults": {theirs: factor * said[ours] for ours, theirs, factor in translation.rows},
        "own": {name: {translation.threshold: UNREACHABLE} for name in silent},
        "populations": {p.name: p.size for p in network.populations},
        "inputs": list(network.inputs),
        "projections": [(p.source, p.target) for p in network.projections],
        "spiking": sorted({*record.counted(network), *record.spikes}),
        "spikes": list(record.spikes),
        "membranes": list(record.membranes),
        "means": silent,
        "raised": [
            p.name
            for p in network.populations
            if neuron.reset == "subtract" and p.name not in silent
        ],
    }
    factor = _weight_factor(neuron, dt, translation)
    fixed: Arrays = {}
    for projection in network.projections:
        name = weight_name(projection)
        fixed[name] = factor * model.parameters[name]
    for population in network.layers:
        bias = model.parameters[bias_name(population)]
        fixed[f"{population.name}.current"] = PICOAMPERE * (neuron.i_offset + bias)
    for first in range(0, len(stimuli), size):
        batch = stimuli[first : first + size]
        drive = input_drive(model, batch, seed=seed, first=first)
        given: Arrays = {f"{name}.spikes": each for name, each in drive.spikes.items()}
        for name, currents in drive.currents.items():
            given[f"{name}.current"] = PICOAMPERE * (neuron.i_offset + currents)
        yield {**fixed, **given}, {**settings, "copies": len(batch)}


def _silent(model: SpikingModel) -> list[str]:
    """The populations that never spike, whose membranes are read."""
    return [p.name for p in model.network.populations if not model.is_spiking(p.name)]


def _together(model: SpikingModel, record: Record, answers: list[Arrays]) -> Recordings:
    network, steps = model.network, model.steps

    def joined(name: str, kind: str, empty: NDArray[Any]) -> NDArray[Any]:
        # The empty part stands for all of them where there are no stimuli.
        parts = [empty, *(answer[f"{name}.{kind}"] for answer in answers)]
        return np.concatenate(parts, axis=empty.ndim - 2)

    def per_stimulus(name: str, kind: str, dtype: type[np.generic]) -> NDArray[Any]:
        return joined(name, kind, np.empty((0, network[name].size), dtype=dtype))

    def per_step(name: str, kind: str, dtype: type[np.generic]) -> NDArray[Any]:
        return joined(name, kind, np.empty((steps, 0, network[name].size), dtype=dtype))

    return Recordings(
        counts={name: per_stimulus(name, "counts", np.int64) for name in record.counted(network)},
        spikes={name: per_step(name, "spikes", np.bool_) for name in record.spikes},
        membranes={name: per_step(name, "membranes", np.float64) for name in record.membranes},
        means={name: per_stimulus(name, "means", np.float64) for name in _silent(model)},
    )
