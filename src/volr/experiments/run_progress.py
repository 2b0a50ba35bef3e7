"""The progress of long work: a stage, and how much of it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.training import TrainingProgress
    from volr.transfer import CalibrationProgress


class RunProgress(Protocol):
    """Called at every step with the stage in words, ``done`` of ``total``, and a detail.

    ``total`` is None if it is not known.
    """

    def __call__(self, stage: str, done: int, total: int | None, detail: str = "") -> None: ...


def no_progress(stage: str, done: int, total: int | None, detail: str = "") -> None:
    """Do nothing."""


def under(title: str, progress: RunProgress) -> RunProgress:
    """``progress`` with a title before each stage."""

    def report(stage: str, done: int, total: int | None, detail: str = "") -> None:
        progress(f"{title} {stage}", done, total, detail)

    return report


def of_training(progress: RunProgress, stage: str = "training") -> TrainingProgress:
    """The progress function of a training, as a stage that begins now."""
    progress(stage, 0, None)

    def report(epoch: int, of: int, loss: float, accuracy: float | None) -> None:
        detail = f"loss {loss:.4f}" if accuracy is None else f"accuracy {accuracy:.4f}"
        progress(stage, epoch, of, detail)

    return report


def of_calibration(progress: RunProgress, stage: str = "calibrating") -> CalibrationProgress:
    """The progress function of a transfer, as a stage that begins now."""
    progress(stage, 0, None)

    def report(done: int, total: int, what: str) -> None:
        progress(stage, done, total, what)

    return report


def of_quantisation(progress: RunProgress, stage: str = "quantising") -> Callable[[int, int], None]:
    """The progress function of a quantisation, as a stage that begins now."""
    progress(stage, 0, None)

    def report(done: int, total: int) -> None:
        progress(stage, done, total)

    return report


def of_simulation(
    progress: RunProgress, total: int, stage: str = "simulating"
) -> Callable[[int], None]:
    """The progress function of a simulation of ``total`` stimuli, as a stage that begins now."""
    done = 0
    progress(stage, 0, total)

    def report(more: int) -> None:
        nonlocal done
        done += more
        progress(stage, done, total)

    return report
