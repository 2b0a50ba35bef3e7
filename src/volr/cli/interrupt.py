"""Ctrl-C, also where Python drops it or a library takes it for something else."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SOON = 0.01
"""Seconds until a Ctrl-C that was dropped comes again: what dropped it is over by then, or it comes
once more."""


@contextmanager
def interruptions() -> Generator[Callable[[], bool]]:
    """Hand out a function that tells whether Ctrl-C has been pressed within.

    Python cannot raise a ``KeyboardInterrupt`` out of everything. In a ``__del__``, in the callback
    of a weak reference, or where LLVM calls back into Python, as it does when Numba compiles, it is
    dropped. So one that was dropped comes again a moment later. After LLVM, what follows may be an
    error of another kind: whoever catches one asks.
    """
    if not _ours():
        yield lambda: False
        return
    dropped = _Dropped()
    pressed = threading.Event()
    hook = sys.unraisablehook

    def handle(number: int, frame: object) -> None:
        del number, frame
        pressed.set()
        raise KeyboardInterrupt

    def unraisable(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            # Not at once: this is still within what drops it.
            dropped.again()
        else:
            hook(lost)

    signal.signal(signal.SIGINT, handle)
    sys.unraisablehook = unraisable
    try:
        yield pressed.is_set
    finally:
        dropped.close()
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _Dropped:
    """Presses Ctrl-C again, until it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False

    def again(self) -> None:
        # Python tells nobody of what is raised in its hook, where this runs. On a machine that is
        # busy, starting a thread takes longer than `_SOON`: it counts from when that is over.
        over = threading.Event()
        threading.Thread(target=self._press, args=(over,), daemon=True).start()
        over.set()

    def close(self) -> None:
        with self._lock:
            self._closed = True

    def _press(self, over: threading.Event) -> None:
        over.wait()
        time.sleep(_SOON)
        with self._lock:
            if not self._closed:
                # A signal of its own, which a wait in the system does notice.
                signal.pthread_kill(_main(), signal.SIGINT)


def _main() -> int:
    return threading.main_thread().ident or 0


def _ours() -> bool:
    """Whether Ctrl-C comes here as Python has it; some ignore it, and some have plans for it."""
    main = threading.current_thread() is threading.main_thread()
    return main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
