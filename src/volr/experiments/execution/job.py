"""A run as a job: what is sent to the process that makes it, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from volr.backends.processes import ProcessEnded
from volr.errors import ModelFileError, VolrError
from volr.experiments.run import perform
from volr.experiments.run_progress import no_progress
from volr.model_files.model_file import model_bytes, read_model_file
from volr.system.temporary import Workplace
from volr.system.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.experiments.plan import Spec
    from volr.experiments.results import Run
    from volr.experiments.run_progress import RunProgress
    from volr.experiments.simulators import Simulators
    from volr.models.model import Model

TRIES = 3
"""How often a run is tried before the death of its process counts as its own failure."""


@dataclass(frozen=True)
class Job:
    """A run to be made: its ``spec``, and the files of the models that it needs, in order."""

    spec: Spec
    models: tuple[bytes, ...]
    data_dir: str | None


@dataclass(frozen=True)
class Done:
    """A finished run, and the file of its model."""

    run: Run
    model: bytes


@dataclass(frozen=True)
class Failed:
    """Why a run could not be made."""

    message: str
    help: str | None


class Execution(Protocol):
    """Something that makes runs: a context manager, which leaves no process of its own behind.

    A worker of a cluster may still finish what it has begun.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def room(self) -> int:
        """How many jobs it takes before it has finished one."""
        ...

    def submit(self, job: Job) -> None:
        """Accept a job."""
        ...

    def finished(self) -> Iterator[tuple[Spec, Done | Failed]]:
        """Wait until at least one job is done, and yield all that are."""
        ...


def carry_out(
    job: Job, simulators: Simulators, progress: RunProgress = no_progress
) -> Done | Failed:
    """Make the run in this process. Errors that a user can fix are ``Failed``; others are raised.

    If the process of its simulator is killed, the run is made again, up to ``TRIES`` times.
    """

    def make() -> Done | Failed:
        needed = [
            _model(body, each.key) for body, each in zip(job.models, job.spec.needs, strict=True)
        ]
        data_dir = None if job.data_dir is None else Path(job.data_dir)
        outcome = perform(job.spec, needed, simulators, data_dir, progress)
        return Done(outcome.run, model_bytes(outcome.model, outcome.origin))

    try:
        with one_thread():
            return unless_killed(make)
    except VolrError as error:
        return Failed(error.message, error.help)


def unless_killed(make: Callable[[], Done | Failed]) -> Done | Failed:
    """The result of ``make``, which is called again if a process that it waits for is killed."""
    for tried in range(1, TRIES + 1):
        try:
            return make()
        except ProcessEnded as error:
            # An exit code comes from an exception in the process, which would happen again.
            if error.code >= 0 or tried == TRIES:
                return Failed(error.message, error.help)
    raise AssertionError


def _model(body: bytes, key: str) -> Model:
    with Workplace("volr-run") as folder:
        path = folder / f"{key}.safetensors"
        path.write_bytes(body)
        try:
            return read_model_file(path).model
        except ModelFileError as error:
            raise ModelFileError(
                f"the model of {key} cannot be read: {error.message.replace(f'{folder}/', '')}",
                help=f"remove {key}.safetensors from the models, and that run is made again",
            ) from error
