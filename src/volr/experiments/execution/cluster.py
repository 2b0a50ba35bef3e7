"""Runs made by the workers of a Dask cluster.

Each run is a task of its own, and only text and bytes are sent. A worker makes one run at a time:
see ``volr.system.cluster``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from volr.experiments.execution.job import Failed, carry_out
from volr.experiments.execution.transport import answer_from, answer_text, job_from, job_text
from volr.experiments.simulators import Simulators
from volr.system.cluster import ROOM, Connection, alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from volr.experiments.execution.job import Done, Job
    from volr.experiments.plan import Spec
    from volr.system.cluster import Call


class Cluster:
    """See ``volr.experiments.execution.job.Execution``; ``address`` is that of the scheduler.

    Raises ``MissingError`` without Dask, and ``BackendError`` if no scheduler answers.
    """

    def __init__(self, address: str) -> None:
        lost = "once it is back, the same command, without --fresh, makes what is missing"
        self._connection = Connection(address, lost)
        self._waiting: dict[Call, Job] = {}

    def __enter__(self) -> Self:
        self._connection.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__()

    @property
    def room(self) -> int:
        """More jobs than most clusters have workers. Each job keeps its models in memory."""
        return ROOM

    def submit(self, job: Job) -> None:
        """Send the job to the scheduler."""
        call = self._connection.submit(
            _carry_out, job_text(job), list(job.models), key=job.spec.key
        )
        self._waiting[call] = job

    def finished(self) -> Iterator[tuple[Spec, Done | Failed]]:
        """Wait for one or more jobs; ``BackendError`` if the scheduler is lost."""
        for call, result in self._connection.finished(self._waiting):
            yield self._waiting.pop(call).spec, _answer(result)


def _answer(result: Any) -> Done | Failed:
    if isinstance(result, BaseException):
        return Failed(f"a worker of the cluster failed: {type(result).__name__}: {result}", None)
    return answer_from(*result)


# The rest runs on a worker.
_simulators = Simulators()


def _carry_out(text: str, models: list[bytes]) -> tuple[str, bytes]:
    with alone():
        return answer_text(carry_out(job_from(text, models), _simulators))
