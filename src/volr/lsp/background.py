"""Work beside the messages, in threads that do not keep the process from ending."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Do some work in a thread of its own. Raises what the work raises.

    The threads of asyncio are waited for at the end, and then a long check would keep the server
    alive after its client is gone.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001
            errors.append(error)  # raised again where it is waited for
        with suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=run, daemon=True).start()
    await ended.wait()
    if errors:
        raise errors[0]
    return results[0]
