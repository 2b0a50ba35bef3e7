"""Runs made by processes on this machine, each with its share of the cores.

If a process dies, it is replaced, and its run is made again.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Self

from volr.backends.processes import WorkerPool
from volr.experiments.datasets.archive import DATA_VARIABLE, folder_of_environment
from volr.experiments.execution.job import unless_killed
from volr.experiments.execution.transport import answer_of, request_of
from volr.system.cores import LIMIT, cores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.experiments.execution.job import Done, Failed, Job
    from volr.experiments.plan import Spec


class Local:
    """See ``volr.experiments.execution.job.Execution``; it has ``processes``, at least one."""

    def __init__(self, processes: int) -> None:
        environment = {LIMIT: f"{max(1, cores() // processes)}"}
        if (folder := folder_of_environment()) is not None:
            # The processes have another current folder.
            environment[DATA_VARIABLE] = str(folder.absolute())
        self._pool = WorkerPool(
            "volr.experiments.execution.process", "worker", processes, environment
        )
        self._threads = ThreadPoolExecutor(processes)
        self._waiting: dict[Future[Done | Failed], Spec] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # The processes end first, so that the threads do not wait for answers.
        self._pool.close()
        self._threads.shutdown(cancel_futures=True)

    @property
    def room(self) -> int:
        """One job for each process."""
        return self._pool.processes

    def processes(self) -> tuple[int, ...]:
        """The identifiers of the processes that are running."""
        return self._pool.identifiers()

    def submit(self, job: Job) -> None:
        """Give the job to the next free process."""
        self._waiting[self._threads.submit(self._make, job)] = job.spec

    def finished(self) -> Iterator[tuple[Spec, Done | Failed]]:
        """Wait for one or more jobs."""
        done, _ = wait(self._waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield self._waiting.pop(future), future.result()

    def _make(self, job: Job) -> Done | Failed:
        request = request_of(job)
        return unless_killed(lambda: answer_of(self._pool.ask(request)))
