"""Ctrl-C, also where Python drops it or a library takes it for something else."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SOON = 0.05
"""Seconds until a Ctrl-C that was not heard comes again: what dropped it is over by then, or it
comes once more."""


@contextmanager
def interruptions() -> Generator[Callable[[], bool]]:
    """Hand out a function that tells whether Ctrl-C has been pressed within.

    Python cannot raise a ``KeyboardInterrupt`` out of everything. In a ``__del__``, in the callback
    of a weak reference, or where LLVM calls back into Python, as it does when Numba compiles, it is
    dropped. And where the signal comes between Python's last look for signals and a wait in the
    system, nobody looks until the wait is over. So a Ctrl-C that was not heard comes again a moment
    later. After LLVM, what follows may be an error of another kind: whoever catches one asks.
    """
    if not _ours():
        yield lambda: False
        return
    watch = _Watch()
    pressed = threading.Event()
    hook = sys.unraisablehook

    def handle(number: int, frame: object) -> None:
        del number, frame
        watch.heard()
        pressed.set()
        raise KeyboardInterrupt

    def unraisable(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            watch.dropped()
        else:
            hook(lost)

    signal.signal(signal.SIGINT, handle)
    sys.unraisablehook = unraisable
    try:
        yield pressed.is_set
    finally:
        watch.close()
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _Watch:
    """Presses Ctrl-C again where it was not heard, until it is closed."""

    def __init__(self) -> None:
        self._heard = -math.inf
        self._closed = threading.Event()
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        # The system's half of Python's signal handling writes here, whatever Python does meanwhile.
        self._before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def heard(self) -> None:
        self._heard = time.monotonic()

    def dropped(self) -> None:
        """It was heard, and lost. It does not come again at once, still within what drops it."""
        self._heard = -math.inf
        os.write(self._writing, b"\0")

    def close(self) -> None:
        signal.set_wakeup_fd(self._before)
        self._closed.set()
        os.close(self._writing)
        self._thread.join()
        os.close(self._reading)

    def _watch(self) -> None:
        while os.read(self._reading, 512):
            pressed = time.monotonic() - _SOON
            while not self._closed.wait(_SOON) and self._heard < pressed:
                # A signal to the main thread itself, which a wait in the system does notice.
                signal.pthread_kill(_main(), signal.SIGINT)


def _main() -> int:
    return threading.main_thread().ident or 0


def _ours() -> bool:
    """Whether Ctrl-C comes here as Python has it; some ignore it, and some have plans for it."""
    main = threading.current_thread() is threading.main_thread()
    return main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
