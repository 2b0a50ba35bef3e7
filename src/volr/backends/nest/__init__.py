"""NEST: spiking models on the NEST simulator, through its own Python interface.

The kernel runs in separate processes (``volr.backends.processes``), one for each core, because a
process has one kernel, and because a crash of the kernel should be an error message. This file cuts
the stimuli into batches and joins the answers; ``volr.backends.nest.kernel`` runs in the processes.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Self

from volr.backends.base import Record, Recordings, Simulator, SpikingBackend
from volr.backends.nest.read_back import asked_for, contents
from volr.backends.nest.translation import (
    NEURONS,
    PICOAMPERE,
    UNREACHABLE,
    check_translatable,
    in_our_words,
    weight_factor,
)
from volr.backends.populations import neurons_of
from volr.backends.processes import WorkerPool
from volr.backends.refusals import check_request, check_supported, require
from volr.backends.worker import (
    answered,
    answers_of,
    kernel_settings,
    probing,
    requests,
    together,
    widest,
)
from volr.models.model import READOUTS, SpikingModel
from volr.models.parameters import synapse_matrices, weight_name
from volr.neurons import RESETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike

    from volr.backends.base import Progress
    from volr.backends.messages import Request, Settings
    from volr.backends.readback import SpikingReadback
    from volr.checks.arrays import Floats
    from volr.neurons import NeuronModel

# Neurons and synapses in one batch of copies. Measured on 100-100-10: 8 to 12 copies take 3.7 ms an
# image; 4 take 4.0, since a batch costs some ms by itself, and 30 too: their synapses do not fit
# into the caches.
BATCH_NEURONS, BATCH_SYNAPSES = 6_000, 100_000
# Values in one recorded array: spike trains and membranes are kept whole until they are handed out.
BATCH_VALUES = 20_000_000


class NestSimulator:
    """NEST, started: the processes live as long as the ``with`` block that holds this."""

    def __init__(self, processes: int | None = None) -> None:
        self._pool = WorkerPool("volr.backends.nest.kernel", "NEST", processes)

    @property
    def backend(self) -> SpikingBackend:
        """See ``volr.backends.base.Simulator``."""
        return NEST

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
        stimuli: ArrayLike,
        *,
        record: Record = Record(),
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        """See ``volr.backends.base.Simulator``."""
        stimuli = check_request(NEST, model, stimuli, record, seed)
        check_translatable(model)
        size = batch_size(model, record, len(stimuli), self._pool.processes)
        asked = _requests(model, stimuli, record, seed, size)
        return together(model, record, answered(self._pool, asked, size, len(stimuli), progress))

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        """See ``volr.backends.base.Simulator``: one copy, built as ``run`` does, then asked."""
        check_supported(NEST, model)
        check_translatable(model)
        asked = probing(model, partial(_requests, model), asked_for())
        return contents(model.network, answers_of(self._pool, asked))


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
    codings=("current", "poisson"),
    readouts=READOUTS,
    start=start,
)


def batch_size(model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
    """How many copies stand side by side: bounded by memory, and enough batches for everybody."""
    network = model.network
    most = (
        BATCH_NEURONS // network.neuron_count,
        BATCH_SYNAPSES // max(network.synapse_count, 1),
        BATCH_VALUES // widest(model, record),
        -(-stimuli // processes),
    )
    return max(1, min(most))


def _requests(
    model: SpikingModel, stimuli: Floats, record: Record, seed: int, size: int
) -> Iterator[Request]:
    network, neurons, dt = model.network, neurons_of(model), model.dt
    settings: Settings = {
        **kernel_settings(model, record),
        "dt": dt,
        "neurons": {name: _neurons(model, name, each) for name, each in neurons.items()},
        "raised": [
            name
            for name, each in neurons.items()
            if each.reset == "subtract" and model.is_spiking(name)
        ],
    }
    weights = synapse_matrices(network, model.parameters, missing=math.nan)
    for each in network.projections:
        neuron = neurons[each.target]
        translation = NEURONS[neuron.name, neuron.reset]
        factor = weight_factor(translation, neuron.tau_m, neuron.cm, dt)
        weights[weight_name(each)] = factor * weights[weight_name(each)]
    return requests(model, stimuli, seed, size, weights, settings, PICOAMPERE)


def _neurons(model: SpikingModel, name: str, neuron: NeuronModel) -> Settings:
    """What NEST is told of a population's neurons, and of the delay, ms, of synapses onto them."""
    translation, said = NEURONS[neuron.name, neuron.reset], in_our_words(neuron, model.dt)
    defaults = {theirs: factor * said[ours] for ours, theirs, factor in translation.rows}
    if not model.is_spiking(name):
        defaults[translation.threshold] = UNREACHABLE
    return {
        "model": translation.model,
        "defaults": defaults,
        "delay": (model.delay_steps - translation.late) * model.dt,
    }
