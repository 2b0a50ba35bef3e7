"""NEST: spiking models on the NEST simulator, through its own Python interface.

The kernel runs in processes of its own (``volr.backends.workers``), one a core, because there is
one kernel to a process and a crash of it should be an error message. This file cuts the stimuli
into batches and puts the answers together; ``volr.backends.nest_kernel`` is what runs over there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

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
from volr.models.coding import (
    ConstantCurrent,
    Poisson,
    check_stimuli,
    input_currents,
    poisson_spikes,
)
from volr.models.model import SpikingModel, is_multiple
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from volr.backends.base import Progress
    from volr.backends.workers import Arrays, Request, Settings
    from volr.models.arrays import Floats, Integers

PICOAMPERE = 1000.0
"""How many of NEST's units of current make one of ours, nA."""

# For each neuron model NEST's name, and for each of our parameters NEST's name and how many of its
# units make one of ours: capacitance is in pF there, current in pA.
NEURONS: dict[str, tuple[str, dict[str, tuple[str, float]]]] = {
    "if_curr_delta": (
        "iaf_psc_delta",
        {
            "v_rest": ("E_L", 1.0),
            "v_reset": ("V_reset", 1.0),
            "v_thresh": ("V_th", 1.0),
            "tau_m": ("tau_m", 1.0),
            "cm": ("C_m", 1000.0),
            "tau_refrac": ("t_ref", 1.0),
        },
    ),
}
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
        self._pool = WorkerPool("volr.backends.nest_kernel", "NEST", processes)

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
        if not is_multiple(model.dt, TIC):
            raise UnsupportedError(
                f"nest cannot step by {model.dt:g} ms: its time counts in steps of {TIC:g} ms",
                help=f"choose a multiple of {TIC:g} ms",
            )
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
    neurons=tuple(NEURONS),
    codings=("current", "poisson"),
    start=start,
)


def batch_size(model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
    """How many copies stand side by side: bounded by memory, and enough batches for everybody."""
    network = model.network
    widest = model.steps * max(
        [network[name].size for name in (*record.spikes, *record.membranes)], default=1
    )
    neurons = sum(population.size for population in network.populations)
    most = min(BATCH_NEURONS // neurons, BATCH_VALUES // widest)
    return max(1, min(most, -(-stimuli // processes)))


def _requests(
    model: SpikingModel, stimuli: Floats, record: Record, seed: int, size: int
) -> Iterator[Request]:
    network, neuron = model.network, model.neuron
    theirs, table = NEURONS[neuron.name]
    values = neuron.numbers
    # Both neuron and synapse are told times that are whole steps; rounding is ours, not NEST's.
    values["tau_refrac"] = neuron.refractory_steps(model.dt) * model.dt
    settings: Settings = {
        "dt": model.dt,
        "steps": model.steps,
        "delay": model.delay_steps * model.dt,
        "model": theirs,
        "defaults": {
            **{name: factor * values[ours] for ours, (name, factor) in table.items()},
            "V_m": neuron.v_rest,
        },
        "populations": {p.name: p.size for p in network.populations},
        "inputs": list(network.inputs),
        "projections": [(p.source, p.target) for p in network.projections],
        "spiking": sorted({*record.counted(network), *record.spikes}),
        "spikes": list(record.spikes),
        "membranes": list(record.membranes),
    }
    fixed: Arrays = {weight_name(p): model.parameters[weight_name(p)] for p in network.projections}
    for population in network.layers:
        bias = model.parameters[bias_name(population)]
        fixed[f"{population.name}.current"] = PICOAMPERE * (neuron.i_offset + bias)
    for first in range(0, len(stimuli), size):
        batch = stimuli[first : first + size]
        drive = _drive(model, batch, seed, first)
        yield {**fixed, **drive}, {**settings, "copies": len(batch)}


def _drive(model: SpikingModel, batch: Floats, seed: int, first: int) -> Arrays:
    """What each input population is driven with: a current a neuron, or given spikes."""
    network = model.network
    ends = np.cumsum([network[name].size for name in network.inputs])[:-1]
    match model.coding:
        case ConstantCurrent():
            currents = input_currents(model.coding, model.neuron, model.dt, model.steps, batch)
            whole = PICOAMPERE * (model.neuron.i_offset + currents)
            kind = "current"
        case Poisson():
            whole = poisson_spikes(
                model.coding, model.dt, model.steps, batch, seed=seed, first=first
            )
            kind = "spikes"
    parts = np.split(whole, ends, axis=-1)
    return {f"{name}.{kind}": part for name, part in zip(network.inputs, parts, strict=True)}


def _together(model: SpikingModel, record: Record, answers: list[Arrays]) -> Recordings:
    network, steps = model.network, model.steps

    def joined(name: str, kind: str, empty: NDArray[Any]) -> NDArray[Any]:
        # The empty part stands for all of them where there are no stimuli.
        parts = [empty, *(answer[f"{name}.{kind}"] for answer in answers)]
        return np.concatenate(parts, axis=empty.ndim - 2)

    def per_stimulus(name: str) -> Integers:
        return joined(name, "counts", np.empty((0, network[name].size), dtype=np.int64))

    def per_step(name: str, kind: str, dtype: type[np.generic]) -> NDArray[Any]:
        return joined(name, kind, np.empty((steps, 0, network[name].size), dtype=dtype))

    return Recordings(
        counts={name: per_stimulus(name) for name in record.counted(network)},
        spikes={name: per_step(name, "spikes", np.bool_) for name in record.spikes},
        membranes={name: per_step(name, "membranes", np.float64) for name in record.membranes},
    )
