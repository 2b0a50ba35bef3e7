"""The workers of a Dask cluster: what is sent to them, and one thing at a time on each.

If a worker dies, the scheduler gives its work to another one, as often as its setting
``distributed.scheduler.allowed-failures`` says.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import uuid
import warnings
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from volr.errors import BackendError, MissingError
from volr.system.cores import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from distributed import Future

Call: TypeAlias = "Future"
"""A call that was sent to the cluster."""

PATIENCE = 12.0
"""Seconds to wait for the scheduler to answer."""
ROOM = 256
"""Pieces of work that are sent before one of them is done: more than most clusters have workers.

The scheduler queues the rest, and an adaptive cluster decides by the queue how many workers to
start.
"""
_LOGGER = logging.getLogger("distributed.client")
_ABOVE_EVERY_LEVEL = logging.CRITICAL + 1


class Connection:
    """The way to the scheduler at ``address``: a context manager, which cancels what is not done.

    A worker may still finish what it has begun. ``lost`` says what to do once the scheduler is back
    after it was lost. Raises ``MissingError`` without Dask, and ``BackendError`` if no scheduler
    answers.
    """

    def __init__(self, address: str, lost: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise MissingError(
                "a cluster needs distributed, which is not installed",
                help="pip install 'volr[cluster]'",
            ) from error
        try:
            asyncio.run(_knock(address))
            self._client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        # MemoryError: Dask reads the answer of another server as the length of a message.
        except (OSError, TimeoutError, ValueError, MemoryError) as error:
            raise BackendError(
                f"no Dask scheduler answers at {address}: {error}",
                help="start one with `dask scheduler` and workers with "
                "`dask worker ADDRESS --nthreads 1`",
            ) from error
        self._address = address
        self._lost = lost
        self._session = uuid.uuid4().hex
        self._waiting: dict[str, Call] = {}
        self._level = _LOGGER.level

    def __enter__(self) -> Self:
        # ``finished`` reports that the scheduler is lost, so Dask shall not log a traceback.
        _LOGGER.setLevel(_ABOVE_EVERY_LEVEL)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.cancel(self._waiting.values())
            self._client.close()
        finally:
            _LOGGER.setLevel(self._level)

    def submit(self, function: Callable[..., Any], *arguments: Any, key: str) -> Call:
        """Send a call to the scheduler, whose name in Dask's own tables begins with ``key``.

        No other call of this connection has the same. Arguments of several calls are sent with
        each: Dask gives calls that share one to the workers that have it, and others are idle.
        """
        with warnings.catch_warnings():
            # Dask says what to do about large arguments where arrays are Dask's own.
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            call = self._client.submit(
                function, *arguments, key=f"{key}-{self._session}", pure=False
            )
        self._waiting[call.key] = call
        return call

    def finished(self, calls: Iterable[Call]) -> list[tuple[Call, Any]]:
        """Wait for one or more of the calls, and return those that are done, with their results.

        An exception of a call is its result. Raises ``BackendError`` if the scheduler is lost.
        """
        import distributed

        try:
            with self._client.as_current():
                done = distributed.wait([*calls], return_when="FIRST_COMPLETED").done
            found = [(each, _result(each)) for each in done]
        except CancelledError as error:
            raise BackendError(
                f"the Dask scheduler at {self._address} has ended, or let go of the work",
                help=self._lost,
            ) from error
        for call, _ in found:
            del self._waiting[call.key]
        return found

    def cancel(self, calls: Iterable[Call]) -> None:
        """Let go of calls; those that have not begun never will."""
        for call in [*calls]:
            self._waiting.pop(call.key, None)
            call.cancel()


def _result(call: Call) -> Any:
    error = call.exception()
    return call.result() if error is None else error


async def _knock(address: str) -> None:
    """Raise if there is no Dask scheduler at ``address``.

    A ``Client`` that cannot connect does not end, and Python would wait for it at its exit.
    """
    from distributed.comm import connect
    from distributed.security import Security

    async with asyncio.timeout(PATIENCE):
        arguments = Security().get_connection_args("client")
        comm = await connect(address, timeout=PATIENCE, **arguments)
    comm.abort()


# The rest runs on a worker.
_one_at_a_time = threading.Lock()


@contextmanager
def alone() -> Generator[str]:
    """What runs within has the worker for itself, with all its threads as cores.

    PyTorch and the simulators have state that belongs to a whole process. Yields the worker's
    address.
    """
    import distributed

    with _one_at_a_time:
        worker: Any = distributed.get_worker()
        os.environ[LIMIT] = f"{worker.state.nthreads}"
        yield worker.address
