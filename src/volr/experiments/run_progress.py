"""How long work tells how far it is: a stage, and how much of it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.training import TrainingProgress
    from volr.transfer import CalibrationProgress


class Progress(Protocol):
    """Told at every step: in words the stage, ``done`` of ``total``, and a detail.

    ``total`` is None where nobody knows it.
    """

    def __call__(self, stage: str, done: int, total: int | None, detail: str = "") -> None: ...


def no_progress(stage: str, done: int, total: int | None, detail: str = "") -> None:
    """Tells nobody."""


def under(title: str, progress: Progress) -> Progress:
    """The same, with a title before each stage."""

    def tell(stage: str, done: int, total: int | None, detail: str = "") -> None:
        progress(f"{title} {stage}", done, total, detail)

    return tell


def of_training(progress: Progress, stage: str = "training") -> TrainingProgress:
    """What training tells, as a stage that begins now."""
    progress(stage, 0, None)

    def tell(epoch: int, of: int, loss: float, accuracy: float | None) -> None:
        detail = f"loss {loss:.4f}" if accuracy is None else f"accuracy {accuracy:.4f}"
        progress(stage, epoch, of, detail)

    return tell


def of_calibration(progress: Progress, stage: str = "calibrating") -> CalibrationProgress:
    """What a transfer tells, as a stage that begins now."""
    progress(stage, 0, None)

    def tell(done: int, total: int, what: str) -> None:
        progress(stage, done, total, what)

    return tell


def of_simulation(
    progress: Progress, total: int, stage: str = "simulating"
) -> Callable[[int], None]:
    """What a simulation of ``total`` stimuli tells, as a stage that begins now."""
    done = 0
    progress(stage, 0, total)

    def tell(more: int) -> None:
        nonlocal done
        done += more
        progress(stage, done, total)

    return tell
