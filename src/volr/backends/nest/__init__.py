"""NEST: spiking models on the NEST simulator, through its own Python interface.

The kernel runs in processes of its own (``volr.backends.workers``), one a core, because there is
one kernel to a process and a crash of it should be an error message. This file cuts the stimuli
into batches and puts the answers together; ``volr.backends.nest.kernel`` is what runs over there.
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
from volr.backends.nest.translation import (
    NEURONS,
    PICOAMPERE,
    UNREACHABLE,
    asked_for,
    check_translatable,
    contents,
    in_our_words,
    weight_factor,
)
from volr.backends.workers import WorkerPool
from volr.models.coding import check_stimuli, input_drive
from volr.models.model import READOUTS, SpikingModel
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from volr.backends.base import Progress
    from volr.backends.readback import Readback
    from volr.backends.workers import Arrays, Request, Settings
    from volr.models.arrays import Floats

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
        check_translatable(model)
        size = batch_size(model, record, len(stimuli), self._pool.processes)
        answers: dict[int, Arrays] = {}
        for index, answer in self._pool.run(_requests(model, stimuli, record, seed, size)):
            answers[index] = answer
            if progress is not None:
                progress(min(size, len(stimuli) - index * size))
        return _together(model, record, [answers[index] for index in sorted(answers)])

    def read_back(self, model: SpikingModel) -> Readback:
        """See ``volr.backends.base.Simulator``: one copy, built as ``run`` does, then asked."""
        check_supported(NEST, model)
        check_translatable(model)
        nothing = np.zeros((1, model.network.input_size))
        [(arrays, settings)] = _requests(model, nothing, Record(), seed=0, size=1)
        [(_, answer)] = self._pool.run([(arrays, {**settings, "ask": asked_for()})])
        return contents(model.network, answer)


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
    said = in_our_words(neuron, dt)
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
    factor = weight_factor(translation, neuron.tau_m, neuron.cm, dt)
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
