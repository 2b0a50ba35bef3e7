"""Ctrl-C, also where Python drops it or a library turns it into another error."""

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
"""Seconds until a Ctrl-C that had no effect is sent again. If it is dropped again, it is sent once
more."""


@contextmanager
def interruptions() -> Generator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C was pressed within.

    Python drops a ``KeyboardInterrupt`` in a ``__del__``, in the callback of a weak reference, and
    where LLVM calls back into Python, as it does when Numba compiles. If the signal comes just
    before a wait in the system, Python sees it only after the wait. So a Ctrl-C that had no effect
    is sent again a moment later. LLVM may turn it into an error of another kind; code that catches
    an error therefore calls the function.
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
    """Sends a Ctrl-C that had no effect again, until it is closed."""

    def __init__(self) -> None:
        self._heard = -math.inf
        self._closed = threading.Event()
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        # The C half of Python's signal handling writes here, even while Python waits.
        self._before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def heard(self) -> None:
        self._heard = time.monotonic()

    def dropped(self) -> None:
        """Python dropped it. It is not sent at once, because it would be dropped again."""
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
                # A signal to the main thread itself ends a wait in the system.
                signal.pthread_kill(_main(), signal.SIGINT)


def _main() -> int:
    return threading.main_thread().ident or 0


def _ours() -> bool:
    """Whether Python's own handler is in place; programs may ignore Ctrl-C or handle it."""
    main = threading.current_thread() is threading.main_thread()
    return main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
