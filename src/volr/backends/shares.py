"""A simulator on the workers of a Dask cluster: each gets a share of the stimuli at a time.

Stimuli are independent of each other, so a run is cut into shares, and every worker starts the back
end itself and keeps it. The cut depends on the model and the stimuli alone, each share knows the
number of its first stimulus, and shares are put together in their order. So recordings are those
of a single machine, bit for bit, however many workers there are, and a worker that is lost costs
its share once more.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.base import Record, Recordings
from volr.backends.refusals import check_request, check_supported
from volr.errors import MissingError, SimulatorError, VolrError
from volr.system.cluster import ROOM, Connection, alone

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike, NDArray

    from volr.backends.base import Progress, Simulator, SpikingBackend
    from volr.backends.readback import SpikingReadback
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import SpikeTrains, Stimuli
    from volr.system.cluster import Call

    Start = Callable[[], AbstractContextManager[Simulator]]

SHARE = 20_000_000
"""Neurons times steps of a share: some two seconds on NEST, and so many bytes of spike trains."""
# Each share takes the model with it, and each number of that takes as long as so many neurons times
# steps, or less.
_PER_NUMBER = 10
# Numbers of models that wait at the scheduler, 8 bytes each.
_WAITING = 100_000_000


@contextmanager
def shared(backend: SpikingBackend, address: str) -> Generator[SharedSimulator]:
    """The back end on the workers of the Dask scheduler at ``address``.

    Raises ``MissingError`` without Dask, and ``BackendError`` if no scheduler answers.
    """
    lost = "once it is back, run the command again"
    with Connection(address, lost) as connection:
        yield SharedSimulator(backend, connection)


class SharedSimulator:
    """A back end that each worker of a cluster starts. See ``volr.backends.base.Simulator``."""

    def __init__(self, backend: SpikingBackend, connection: Connection) -> None:
        self.backend = backend
        self._connection = connection
        self._calls = 0

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
        """See ``volr.backends.base.Simulator``; ``progress`` is called as shares come in."""
        given = check_request(self.backend, model, stimuli, record, seed, first)
        numbers = sum(each.size for each in model.parameters.values())
        work = max(SHARE, _PER_NUMBER * numbers)
        size = max(1, work // (model.steps * model.network.neuron_count))
        room = max(1, min(ROOM, _WAITING // max(1, numbers)))
        # Without stimuli there is one share, an empty one.
        shares = {at: given[at : at + size] for at in range(0, max(1, len(given)), size)}
        found: dict[int, Recordings] = {}
        calls = (
            (at, self._on_worker(_run, model, part, record, seed, first + at))
            for at, part in shares.items()
        )
        for at, recordings in self._results(calls, room):
            found[at] = recordings
            if progress is not None:
                progress(len(shares[at]))
        return joined([found[at] for at in shares])

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        """See ``volr.backends.base.Simulator``: what it holds on one of the workers."""
        check_supported(self.backend, model)
        ((_, found),) = self._results([(0, self._on_worker(_read_back, model))], room=1)
        return found

    def _on_worker(self, function: Callable[..., Any], *arguments: Any) -> Call:
        self._calls += 1
        backend = self.backend
        key = f"{backend.name}-{self._calls}"
        return self._connection.submit(function, backend.name, backend.start, *arguments, key=key)

    def _results(self, calls: Iterable[tuple[int, Call]], room: int) -> Iterator[tuple[int, Any]]:
        """The results with their numbers as they come; ``room`` calls are made before the first."""
        waiting: dict[Call, int] = {}
        try:
            for number, call in calls:
                waiting[call] = number
                if len(waiting) == room:
                    yield from self._finished(waiting)
            while waiting:
                yield from self._finished(waiting)
        finally:
            self._connection.cancel(waiting)

    def _finished(self, waiting: dict[Call, int]) -> Iterator[tuple[int, Any]]:
        for call, result in self._connection.finished(waiting):
            number = waiting.pop(call)
            if isinstance(result, VolrError):
                raise result
            if isinstance(result, BaseException):
                raise SimulatorError(
                    f"{self.backend.name}: a worker of the cluster failed: "
                    f"{type(result).__name__}: {result}",
                    help="all machines of the cluster need the same Volr, and enough memory",
                ) from result
            yield number, result


def joined(parts: Sequence[Recordings]) -> Recordings:
    """The recordings of parts of the stimuli, at least one, as those of all."""

    def along(axis: int, kind: str) -> dict[str, NDArray[Any]]:
        each: list[Mapping[str, NDArray[Any]]] = [getattr(part, kind) for part in parts]
        return {name: np.concatenate([one[name] for one in each], axis=axis) for name in each[0]}

    return Recordings(
        counts=along(0, "counts"),
        spikes=along(1, "spikes"),
        membranes=along(1, "membranes"),
        means=along(0, "means"),
        finals=along(0, "finals"),
        dt=parts[0].dt,
    )


# The rest runs on a worker.
_open = ExitStack()
_simulators: dict[str, Simulator] = {}


@contextmanager
def _simulator(name: str, start: Start) -> Generator[Simulator]:
    """The simulator of this worker, started once and then kept."""
    with alone() as address:
        try:
            if not _simulators:
                atexit.register(_open.close)
            if name not in _simulators:
                _simulators[name] = _open.enter_context(start())
            yield _simulators[name]
        except (MissingError, SimulatorError) as error:
            error.message = f"on the worker {address}: {error.message}"
            raise


def _run(
    name: str,
    start: Start,
    model: SpikingModel,
    stimuli: Stimuli,
    record: Record,
    seed: int,
    first: int,
) -> Recordings:
    with _simulator(name, start) as simulator:
        return simulator.run(model, stimuli, record=record, seed=seed, first=first)


def _read_back(name: str, start: Start, model: SpikingModel) -> SpikingReadback:
    with _simulator(name, start) as simulator:
        return simulator.read_back(model)
