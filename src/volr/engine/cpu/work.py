"""Stimuli in slices, slices on threads, and kernels that are compiled once.

The cuts depend on the problem and not on the number of threads, and sums across slices are taken in
their order. So the same processor gives the same numbers with any number of threads.
"""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from volr.system.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray

T = TypeVar("T")

logger = logging.getLogger("volr")

ENOUGH = 200_000
PATIENCE = 1.0
"""Seconds after which a compilation is announced; from the cache it takes less."""


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    # A forked process has its parent's pool without its threads, hence a pool for each process.
    del process
    return ThreadPoolExecutor(cores(), thread_name_prefix="volr")


def everywhere(
    work: Callable[[T], object],
    parts: Sequence[T],
    done: Callable[[T], object] | None = None,
    *,
    size: float,
) -> None:
    """``work`` on every part, on all threads; ``done`` is called for each, in order, on this one.

    ``size`` is the number of neuron-steps, or of synapses, in all: too few, and waking a thread
    would take longer than what it does.

    After an error or an interruption nothing more is begun; it is raised once what runs has ended.
    """
    if len(parts) < 2 or size < ENOUGH or cores() == 1:
        for part in parts:
            work(part)
            if done is not None:
                done(part)
        return
    futures = [_pool(os.getpid()).submit(work, part) for part in parts]
    try:
        for part, future in zip(parts, futures, strict=True):
            future.result()
            if done is not None:
                done(part)
    finally:
        for future in futures:
            future.cancel()
        wait(futures)


class _Scratch(threading.local):
    """Each thread's own memory, kept from one piece of work to the next."""

    def __init__(self) -> None:
        self.room: dict[tuple[np.dtype[Any], str], NDArray[Any]] = {}


_scratch = _Scratch()


def scratch(count: int, dtype: np.dtype[Any], use: str) -> NDArray[Any]:
    """``count`` numbers of any value, this thread's until it asks again for the same ``use``."""
    room = _scratch.room.get((dtype, use))
    if room is None or len(room) < count:
        room = _scratch.room[dtype, use] = np.empty(count, dtype)
    return room[:count]


def slices(count: int, size: int) -> list[tuple[int, int]]:
    """``count`` items cut into parts of ``size``: first and last, the last excluded."""
    return [(first, min(first + size, count)) for first in range(0, count, size)]


_compiled: set[object] = set()
# One compilation may come upon another.
_compiling = threading.RLock()
_announcing = threading.Lock()


def compiled(key: object, warm_up: Callable[[], object]) -> None:
    """Run ``warm_up`` the first time that ``key`` is seen, and say so if it takes long.

    Kernels are compiled when they are first called, for some seconds, and are loaded from the cache
    of earlier processes in much less: the message comes only when there is something to wait for.
    """
    if key in _compiled:
        return
    with _compiling:
        if key not in _compiled:
            with _announced():
                warm_up()
            _compiled.add(key)


@contextmanager
def _announced() -> Generator[None]:
    if not _announcing.acquire(blocking=False):
        yield  # within another, which reports
        return
    done = threading.Event()

    def announce() -> None:
        if not done.wait(PATIENCE):
            logger.warning("compiling the engine for this kind of model, once: up to a minute")

    thread = threading.Thread(target=announce, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        _announcing.release()
