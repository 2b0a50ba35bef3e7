"""NEST: spiking models on the NEST simulator, through its own Python interface.

The kernel runs in separate processes (``volr.backends.processes``), one for each core, because a
process has one kernel, and because a crash of the kernel should be an error message. This file cuts
the stimuli into batches and joins the answers; ``volr.backends.nest.kernel`` runs in the processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Record, Simulator, SpikingBackend
from volr.backends.nest.read_back import asked_for, contents
from volr.backends.nest.translation import (
    NEURONS,
    PICOAMPERE,
    UNREACHABLE,
    check_translatable,
    in_our_words,
    weight_factor,
)
from volr.backends.pooled_simulator import MOST_VALUES, PooledSimulator
from volr.backends.populations import neurons_of
from volr.backends.processes import WorkerPool
from volr.backends.refusals import require
from volr.backends.worker import kernel_settings, requests, synapse_arrays, widest
from volr.models.coding import CODING_NAMES
from volr.models.model import READOUTS
from volr.neurons import RESETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from volr.backends.messages import Arrays, Request, Settings
    from volr.backends.readback import SpikingReadback
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli
    from volr.network import Projection
    from volr.neurons import NeuronModel

# Neurons and synapses in one batch of copies. Measured on 100-100-100-10: 2 to 4 copies take 2.8 ms
# an image; 8 take 3.3, and 32 take 4.6, since their synapses do not fit into the caches.
BATCH_NEURONS, BATCH_SYNAPSES = 6_000, 100_000


class NestSimulator(PooledSimulator):
    """NEST, started."""

    def __init__(self, processes: int | None = None) -> None:
        super().__init__(NEST, WorkerPool("volr.backends.nest.kernel", "NEST", processes))

    def check_model(self, model: SpikingModel) -> None:
        check_translatable(model)

    def size(self, model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
        return batch_size(model, record, stimuli, processes)

    def requests(
        self,
        model: SpikingModel,
        stimuli: Stimuli,
        record: Record,
        seed: int,
        size: int,
        first: int = 0,
    ) -> Iterator[Request]:
        return _requests(model, stimuli, record, seed, size, first)

    def asks(self, model: SpikingModel) -> dict[str, list[str]]:
        del model
        return asked_for()

    def contents(self, model: SpikingModel, answers: list[Arrays]) -> SpikingReadback:
        return contents(model.network, answers)


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
    resets=tuple(each for each in RESETS if any(reset == each for _, reset in NEURONS)),
    codings=CODING_NAMES,
    readouts=READOUTS,
    delays=True,
    several=True,
    start=start,
)


def batch_size(model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
    """How many copies stand side by side: bounded by memory, and enough batches for everybody."""
    network = model.network
    most = (
        BATCH_NEURONS // network.neuron_count,
        BATCH_SYNAPSES // max(network.synapse_count, 1),
        MOST_VALUES // widest(model, record),
        -(-stimuli // processes),
    )
    return max(1, min(most))


def _requests(
    model: SpikingModel, stimuli: Stimuli, record: Record, seed: int, size: int, first: int
) -> Iterator[Request]:
    neurons, dt = neurons_of(model), model.dt

    def delay(projection: Projection) -> float:
        neuron = neurons[projection.target]
        late = NEURONS[neuron.name, neuron.reset].late
        return (model.delay_steps_of(projection) - late) * dt

    settings: Settings = {
        **kernel_settings(model, record, delay),
        "dt": dt,
        "neurons": {name: _neurons(model, name, each) for name, each in neurons.items()},
        "raised": [
            name
            for name, each in neurons.items()
            if each.reset == "subtract" and model.is_spiking(name)
        ],
    }

    def told(target: str, weights: Floats, post: Integers) -> Floats:
        neuron = neurons[target]
        translation = NEURONS[neuron.name, neuron.reset]
        factor = model.units_of(target).of(
            lambda each: weight_factor(translation, each.tau_m, each.cm, dt)
        )
        return (factor[post] if isinstance(factor, np.ndarray) else factor) * weights

    wiring = synapse_arrays(model, told)
    return requests(model, stimuli, seed, size, wiring, settings, PICOAMPERE, first)


def _neurons(model: SpikingModel, name: str, neuron: NeuronModel) -> Settings:
    """What NEST is told about a population's neurons, and how they come back to rest.

    The ``defaults`` are those of the first unit, which are complete: NEST compares, for example,
    each threshold that it is told with the reset. What differs is then told ``by_unit``.
    """
    translation = NEURONS[neuron.name, neuron.reset]

    def told(neuron: NeuronModel) -> dict[str, float]:
        said = in_our_words(neuron, model.dt)
        numbers = {theirs: factor * said[ours] for ours, theirs, factor in translation.rows}
        if not model.is_spiking(name):
            numbers[translation.threshold] = UNREACHABLE
        return numbers

    units = model.units_of(name)
    numbers = units.stacked(told)
    return {
        "model": translation.model,
        "defaults": told(units.first),
        "by_unit": {k: v.tolist() for k, v in numbers.items() if isinstance(v, np.ndarray)},
        "quiet": translation.quiet(model.dt),
        "emptied": dict.fromkeys(translation.emptied, 0.0),
    }
