"""Other people's programs, compilers say, which end with whoever asked for them.

A process that is killed cannot end what it has started, and a compiler may go on for minutes. So a
command is started by a small process of ours, the watcher. It leads a process group of its own, to
which the command and all that it starts belong, and holds one end of a pipe. The other end is held
by whoever asked, and by nobody else: when it is closed, whatever closes it, the watcher ends the
whole group.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOT_RUN = 127
"""The exit code of a command that cannot be run, as a shell has it."""


def find_command(name: str) -> str | None:
    """The absolute path of a program on ``PATH``; None where there is none.

    Entries of ``PATH`` that are relative, or empty, stand for the current folder, which has no say.
    """
    said = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, said)))


def run_command(command: Sequence[str], folder: Path, log: IO[bytes]) -> int:
    """Run ``command`` in ``folder``, with its output in ``log``; its exit code, or what killed it,
    negative. It is ended, with all that it has started, where this is interrupted. Its temporary
    files are in ``folder`` too: a compiler that is killed leaves them behind.
    """
    watcher = subprocess.Popen(
        # -I and -S: nothing but the standard library, and no say for any variable or folder.
        [sys.executable, "-I", "-S", __file__, *command],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        # Until it has ended, not until it is forgotten: then its group has no other's number.
        os.waitid(os.P_PID, watcher.pid, os.WEXITED | os.WNOWAIT)
    finally:
        end_group(watcher)
        with suppress(BrokenPipeError):
            cast("IO[bytes]", watcher.stdin).close()
    return watcher.returncode


def end_group(leader: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group, and all of its group; it may have ended already."""
    # Nobody has asked yet how it ended, so its number is still its own.
    if leader.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()


def _watch(command: Sequence[str]) -> int:
    """Run the command; its exit code. All of the group is ended when standard input is."""
    # An interruption ends it as any program, without Python's words.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be run: {error.strerror}\n")
        return NOT_RUN
    threading.Thread(target=_end_with_asker, daemon=True).start()
    code = running.wait()
    if code < 0:
        # The same end; SIGKILL can be given no other meaning in any case.
        with suppress(OSError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _end_with_asker() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_watch(sys.argv[1:]))
