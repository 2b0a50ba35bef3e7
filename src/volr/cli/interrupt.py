"""Ctrl-C, also where a library takes it for something else."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@contextmanager
def interruptions() -> Generator[Callable[[], bool]]:
    """Hand out a function that tells whether Ctrl-C has been pressed within.

    A ``KeyboardInterrupt`` that is raised while LLVM calls back into Python, as it does when Numba
    compiles, is lost there, and what follows is an error of another kind. Whoever catches one asks.
    """
    if not _ours():
        yield lambda: False
        return
    pressed = threading.Event()
    hook = sys.unraisablehook

    def handle(number: int, frame: object) -> None:
        del number, frame
        pressed.set()
        raise KeyboardInterrupt

    def unraisable(lost: Any) -> None:
        # Python would print the traceback of what it cannot raise.
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            hook(lost)

    signal.signal(signal.SIGINT, handle)
    sys.unraisablehook = unraisable
    try:
        yield pressed.is_set
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _ours() -> bool:
    """Whether Ctrl-C comes here as Python has it; some ignore it, and some have plans for it."""
    main = threading.current_thread() is threading.main_thread()
    return main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
