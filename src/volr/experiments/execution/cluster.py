"""Runs made by the workers of a Dask cluster.

Each run is a task of its own, and only text and bytes are sent. If a worker dies, the scheduler
gives its run to another one, as often as its setting ``distributed.scheduler.allowed-failures``
says. A worker makes one run at a time, with all its threads as cores, because PyTorch and the
simulators have state that belongs to a whole process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import uuid
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Self

from volr.errors import BackendError, MissingError
from volr.experiments.execution.job import Failed, carry_out
from volr.experiments.execution.transport import answer_from, answer_text, job_from, job_text
from volr.experiments.simulators import Simulators
from volr.system.cores import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Future

    from volr.experiments.execution.job import Done, Job
    from volr.experiments.plan import Spec

PATIENCE = 12.0
"""Seconds to wait for the scheduler to answer."""
_ROOM = 256
_LOGGER = logging.getLogger("distributed.client")
_ABOVE_EVERY_LEVEL = logging.CRITICAL + 1


class Cluster:
    """See ``volr.experiments.execution.job.Execution``; ``address`` is that of the scheduler.

    Raises ``MissingError`` without Dask, and ``BackendError`` if no scheduler answers.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise MissingError(
                "a cluster needs distributed, which is not installed",
                help="pip install 'volr[cluster]'",
            ) from error
        try:
            asyncio.run(_knock(address))
            self._client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        # MemoryError: Dask reads the answer of another server as the length of a message.
        except (OSError, TimeoutError, ValueError, MemoryError) as error:
            raise BackendError(
                f"no Dask scheduler answers at {address}: {error}",
                help="start one with `dask scheduler` and workers with "
                "`dask worker ADDRESS --nthreads 1`",
            ) from error
        self._address = address
        self._session = uuid.uuid4().hex
        self._waiting: dict[str, tuple[Future, Job]] = {}
        self._level = _LOGGER.level

    def __enter__(self) -> Self:
        # ``finished`` reports that the scheduler is lost, so Dask shall not log a traceback.
        _LOGGER.setLevel(_ABOVE_EVERY_LEVEL)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for future, _job in self._waiting.values():
                future.cancel()
            self._client.close()
        finally:
            _LOGGER.setLevel(self._level)

    @property
    def room(self) -> int:
        """More jobs than most clusters have workers.

        The scheduler queues the rest, and an adaptive cluster decides by the queue how many workers
        to start. Each job keeps its models in memory.
        """
        return _ROOM

    def submit(self, job: Job) -> None:
        """Send the job to the scheduler."""
        future = self._client.submit(
            _carry_out,
            job_text(job),
            list(job.models),
            key=f"{job.spec.key}-{self._session}",
            pure=False,
        )
        self._waiting[future.key] = (future, job)

    def finished(self) -> Iterator[tuple[Spec, Done | Failed]]:
        """Wait for one or more jobs; ``BackendError`` if the scheduler is lost."""
        import distributed

        futures = [future for future, _ in self._waiting.values()]
        try:
            with self._client.as_current():
                done = distributed.wait(futures, return_when="FIRST_COMPLETED").done
            answers = {future.key: _answer(future) for future in done}
        except CancelledError as error:
            raise BackendError(
                f"the Dask scheduler at {self._address} has ended, or let go of the runs",
                help="once it is back, the same command, without --fresh, makes what is missing",
            ) from error
        for key, answer in answers.items():
            _, job = self._waiting.pop(key)
            yield job.spec, answer


async def _knock(address: str) -> None:
    """Raise if there is no Dask scheduler at ``address``.

    A ``Client`` that cannot connect does not end, and Python would wait for it at its exit.
    """
    from distributed.comm import connect
    from distributed.security import Security

    async with asyncio.timeout(PATIENCE):
        arguments = Security().get_connection_args("client")
        comm = await connect(address, timeout=PATIENCE, **arguments)
    comm.abort()


def _answer(future: Future) -> Done | Failed:
    if (error := future.exception()) is not None:
        return Failed(f"a worker of the cluster failed: {type(error).__name__}: {error}", None)
    return answer_from(*future.result())


# The rest runs on a worker.
_simulators = Simulators()
_one_at_a_time = threading.Lock()


def _carry_out(text: str, models: list[bytes]) -> tuple[str, bytes]:
    import distributed

    with _one_at_a_time:
        os.environ[LIMIT] = f"{distributed.get_worker().state.nthreads}"
        return answer_text(carry_out(job_from(text, models), _simulators))
