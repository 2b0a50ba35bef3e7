"""A started simulator whose kernel runs in a pool of processes: NEST, PyNN and Brian2 are such."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from volr.backends.base import Record, Recordings, SpikingBackend
from volr.backends.refusals import check_request, check_supported
from volr.backends.worker import answered, answers_of, probing, together
from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike

    from volr.backends.base import Progress
    from volr.backends.messages import Arrays, Request
    from volr.backends.processes import WorkerPool
    from volr.backends.readback import SpikingReadback
    from volr.checks.arrays import Booleans
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import SpikeTrains, Stimuli

MOST_VALUES = 20_000_000
"""Values in one recorded array: spike trains and membranes are whole until they are returned."""


class PooledSimulator(ABC):
    """The processes live as long as the ``with`` block that holds this.

    A back end adds how it makes ``requests`` and how many stimuli go in each (``size``), what its
    kernel is asked to be read back (``asks``), and what the answers mean (``contents``). Membranes
    come in units of 1/``volt`` mV.
    """

    volt = 1.0

    def __init__(self, backend: SpikingBackend, pool: WorkerPool) -> None:
        self.backend = backend
        self._pool = pool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def processes(self) -> tuple[int, ...]:
        """The identifiers of the processes that are running."""
        return self._pool.identifiers()

    def run(
        self,
        model: SpikingModel,
        stimuli: ArrayLike | SpikeTrains,
        *,
        record: Record = Record(),
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        """See ``volr.backends.base.Simulator``."""
        stimuli = check_request(self.backend, model, stimuli, record, seed, first)
        self.check_model(model)
        size = self.size(model, record, len(stimuli), self._pool.processes)
        self._check_room(model, size, min(self._pool.processes, -(-len(stimuli) // size)))
        asked = self.requests(model, stimuli, record, seed, size, first)
        check = partial(self.check_answer, model)
        answers = answered(self._pool, asked, size, len(stimuli), progress, check)
        given = self.given(model, stimuli, seed, first)
        return together(model, record, answers, given=given, volt=self.volt)

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        """See ``volr.backends.base.Simulator``: one copy, built as ``run`` does, then asked."""
        check_supported(self.backend, model)
        self.check_model(model)
        self._check_room(model, 1, 1)
        asked = probing(model, partial(self.requests, model), self.asks(model))
        return self.contents(model, answers_of(self._pool, asked))

    def _check_room(self, model: SpikingModel, size: int, processes: int) -> None:
        """Raise ``ModelError`` if the synapses of all copies do not fit into the memory."""
        network, each = model.network, self.synapse_bytes(size) * processes
        needed = {p.name: each * network.synapses(p) for p in network.projections}
        check_room(
            needed,
            f"for the synapses on {self.backend.name}",
            help="use fewer cores (VOLR_CORES), or run it on engine, which shares kernels",
        )

    def check_model(self, model: SpikingModel) -> None:
        """Raise ``UnsupportedError`` for a model that has no translation."""
        del model

    def check_answer(self, model: SpikingModel, answer: Arrays) -> None:
        """Raise ``UnsupportedError`` for a model that the simulator could not run after all."""
        del model, answer

    def given(
        self, model: SpikingModel, stimuli: Stimuli, seed: int, first: int
    ) -> Mapping[str, Booleans]:
        """Spikes of inputs, ``[time, batch, unit]``, that the kernel does not record."""
        del model, stimuli, seed, first
        return {}

    def synapse_bytes(self, size: int) -> int:
        """About what a synapse of the network takes in a process that gets ``size`` stimuli."""
        return 100 * size

    @abstractmethod
    def size(self, model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
        """How many of the stimuli go in one request."""

    @abstractmethod
    def requests(
        self,
        model: SpikingModel,
        stimuli: Stimuli,
        record: Record,
        seed: int,
        size: int,
        first: int = 0,
    ) -> Iterator[Request]:
        """The requests, with ``size`` stimuli in each; ``first`` is the number of the first one."""

    @abstractmethod
    def asks(self, model: SpikingModel) -> Any:
        """What the kernel is asked for when a model is read back."""

    @abstractmethod
    def contents(self, model: SpikingModel, answers: list[Arrays]) -> SpikingReadback:
        """What the answers to ``volr.backends.worker.probing`` say, in Volr's names and units."""
