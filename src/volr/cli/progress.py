"""Progress on stderr, drawn only on a terminal."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from volr.experiments.run_progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Generator

    from volr.experiments.run_progress import RunProgress

PATIENCE = 1.0
"""Seconds before work without stages shows a bar."""


def animated() -> bool:
    """Whether stderr is a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}


@contextmanager
def progress_bar() -> Generator[RunProgress]:
    """A bar that shows one stage after another, and disappears at the end."""
    if not animated():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[detail]}", style="dim"),
    )
    # The bar leaves stdout alone, and notes on stderr are printed above it.
    with Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False
    ) as bars:
        current: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int | None, detail: str = "") -> None:
            count = "" if total is None else f"{done}/{total}"
            if current.get("stage") != stage:
                if current:
                    bars.remove_task(current["task"])
                current["stage"] = stage
                current["task"] = bars.add_task(stage, total=total, count=count, detail=detail)
            bars.update(current["task"], total=total, completed=done, count=count, detail=detail)

        yield tell


@contextmanager
def patience(what: str) -> Generator[None]:
    """A bar with the text ``what`` if the block takes more than a second."""
    if not animated():
        yield
        return
    done = threading.Event()

    def show() -> None:
        if done.wait(PATIENCE):
            return
        with progress_bar() as progress:
            progress(what, 0, None)
            done.wait()

    thread = threading.Thread(target=show)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
