"""Runs made in this process, one after the other, with progress inside each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from volr.experiments.execution.job import carry_out
from volr.experiments.run_progress import no_progress
from volr.experiments.simulators import Simulators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.experiments.execution.job import Done, Failed, Job
    from volr.experiments.plan import Spec
    from volr.experiments.run_progress import RunProgress


class Here:
    """See ``volr.experiments.execution.job.Execution``."""

    def __init__(self, progress: RunProgress = no_progress) -> None:
        self._progress = progress
        self._simulators = Simulators()
        self._jobs: list[Job] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._simulators.__exit__()

    @property
    def room(self) -> int:
        """One, since a job begins when it is waited for."""
        return 1

    def submit(self, job: Job) -> None:
        """Keep the job."""
        self._jobs.append(job)

    def finished(self) -> Iterator[tuple[Spec, Done | Failed]]:
        """Make the oldest job."""
        job = self._jobs.pop(0)
        yield job.spec, carry_out(job, self._simulators, self._progress)
