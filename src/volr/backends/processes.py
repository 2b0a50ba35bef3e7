"""Processes that run a simulator's kernel, so that a crash of the kernel is an error message.

A kernel is a module with a function ``handle(arrays, settings) -> arrays``. ``WorkerPool`` starts
several processes that ``serve`` it, gives each request to an idle one, and returns the answers.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, TypeAlias, cast

from volr.backends.messages import Held, read, write
from volr.errors import SimulatorError
from volr.system.commands import end_group, wait_for_group
from volr.system.cores import cores
from volr.system.current_folder import NEUTRAL, absolute_path_list
from volr.system.threads import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from volr.backends.messages import Arrays, Request, Settings

    Handle: TypeAlias = Callable[[Arrays, Settings], Arrays]

_TAIL = 1500
# Seconds between two looks at whether the parent still lives.
_LOOK = 0.5
_SERVE = (
    "import sys; from volr.backends.processes import serve; serve(sys.argv[1], int(sys.argv[2]))"
)


class ProcessEnded(SimulatorError):  # noqa: N818 (what happened, as its name)
    """A process ended: ``code`` is its exit code, or the negative number of the signal."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code

    # As an error of another machine it is sent as what it was made of.
    def __reduce__(self) -> tuple[type[Self], tuple[str, int]]:
        return type(self), (self.message, self.code)


class WorkerPool:
    """Up to ``processes`` processes that run the kernel ``module``; a context manager.

    They start when they are first needed, and end with the ``with`` block. Messages call the
    simulator ``name``; ``environment`` is added to this process's own.
    """

    def __init__(
        self,
        module: str,
        name: str,
        processes: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.module = module
        self.name = name
        self.processes = processes or cores()
        self._environment = dict(environment or {})
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process now, even in the middle of its work."""
        self._closed.set()
        self._end_all(self._closed)

    def _end_all(self, stopped: threading.Event) -> None:
        """End every process, and start no other one for whoever asks with ``stopped``."""
        with self._lock:
            stopped.set()
            workers, self._all, self._idle = self._all, [], []
        for worker in workers:
            worker.end()

    def identifiers(self) -> tuple[int, ...]:
        """The identifiers of the processes that have been started."""
        with self._lock:
            return tuple(worker.process.pid for worker in self._all)

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[int, Arrays]]:
        """Yield ``(index of the request, answer)`` as answers come.

        Requests are taken as processes become free, so a generator of large ones needs little
        memory. Raises ``SimulatorError`` when a process dies, with the last text that it wrote. An
        error ends all processes; the next run starts others.
        """
        waiting: dict[Future[Arrays], int] = {}
        stopped = threading.Event()
        with ThreadPoolExecutor(self.processes) as threads:
            try:
                for index, request in enumerate(requests):
                    waiting[threads.submit(self._answer, request, stopped)] = index
                    if len(waiting) > self.processes:
                        yield from _finished(waiting)
                while waiting:
                    yield from _finished(waiting)
            except BaseException:
                # After an error or Ctrl-C, the threads would wait for all answers.
                self._end_all(stopped)
                raise

    def ask(self, request: Request) -> Arrays:
        """The answer to a single request, which may be asked from several threads at once.

        Raises ``ProcessEnded`` when the process dies. The other processes go on.
        """
        return self._answer(request, self._closed)

    def _answer(self, request: Request, stopped: threading.Event) -> Arrays:
        worker = self._take(stopped)
        try:
            answer = worker.ask(request)
        except ProcessEnded:
            with self._lock:
                if worker in self._all:
                    self._all.remove(worker)
            worker.end()
            raise
        with self._lock:
            # It may have been ended while it answered.
            if worker in self._all:
                self._idle.append(worker)
        return answer

    def _take(self, stopped: threading.Event) -> _Worker:
        with self._lock:
            if self._closed.is_set() or stopped.is_set():
                raise SimulatorError(f"{self.name} has been stopped")
            if self._idle:
                return self._idle.pop()
            worker = _Worker(self.module, self.name, self._environment)
            self._all.append(worker)
            return worker


def _finished(waiting: dict[Future[Arrays], int]) -> Iterator[tuple[int, Arrays]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()


class _Worker:
    """One process and its two pipes."""

    def __init__(self, module: str, name: str, extra: Mapping[str, str]) -> None:
        self.name = name
        self._held = Held()
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        package = str(Path(__file__).absolute().parents[2])
        environment = {
            **os.environ,
            # The process imports the same package as this one, even if that is not installed.
            "PYTHONPATH": os.pathsep.join([package, *absolute_path_list("PYTHONPATH")]),
            # One thread each: on small networks several are slower, and there is a process a core.
            VARIABLE: "1",
            # NEST and Brian2 import Matplotlib, and nobody looks at a window of theirs.
            "MPLBACKEND": "agg",
            # NEST's greeting would hide the message of a crash.
            "PYNEST_QUIET": "1",
            **extra,
        }
        self.process = subprocess.Popen(
            # -P: a random.py in the current folder is nobody's module here. Simulators look there
            # for settings and libraries, too, so the current folder is one that has none.
            [sys.executable, "-P", "-c", _SERVE, module, f"{os.getpid()}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environment,
            cwd=NEUTRAL,
            # Ctrl-C goes to the parent alone, which then ends its workers, and with each of them
            # its group: the compilers that it has started.
            start_new_session=True,
        )

        # Popen types them as optional; with PIPE they are there.
        self.requests = cast("IO[bytes]", self.process.stdin)
        self.answers = cast("IO[bytes]", self.process.stdout)

    def ask(self, request: Request) -> Arrays:
        try:
            write(self.requests, self._held.left_out(request))
            answer = read(self.answers)
        except (BrokenPipeError, ValueError):
            answer = None
        if answer is None:
            # Its pipe may close before it has ended.
            code = wait_for_group(self.process)
            raise ProcessEnded(self._obituary(code), code)
        return answer[0]

    def _obituary(self, code: int) -> str:
        cause = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, self.log.tell() - _TAIL))
        tail = self.log.read().decode(errors="replace").strip()
        last = f"; the last it wrote:\n{tail}" if tail else ""
        return f"the {self.name} process was ended {cause}{last}"

    def end(self) -> None:
        end_group(self.process)
        for pipe in (self.requests, self.answers, self.log):
            # Closing flushes a request, and the process may be gone.
            with suppress(BrokenPipeError):
                pipe.close()


def serve(module: str, parent: int) -> None:
    """The life of a worker process: answer requests with the kernel until the pipe closes.

    The ``parent`` is an argument, because it may be killed before this process can ask for it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    # Simulators print. The pipe keeps a descriptor of its own, and stdout becomes stderr.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with requests, answers:
        handle: Handle = importlib.import_module(module).handle
        # The imported objects stay, so no garbage collection needs to look through them.
        gc.freeze()
        held = Held()
        while (request := read(requests)) is not None:
            write(answers, (handle(*held.put_back(request)), {}))


def _end_with_parent(parent: int) -> None:
    """End this process when its parent ends: the parent may be killed during a long request."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    if os.getpgrp() == os.getpid():
        # End the compilers that this process has started, too.
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
