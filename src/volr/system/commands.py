"""Other programs, such as compilers, which end when the process that asked for them ends.

A process that is killed cannot end what it has started, and a compiler may go on for minutes. So a
command is started by a small process of ours, the watcher. The watcher leads a process group of its
own, to which the command and all that it starts belong, and holds one end of a pipe. Only the
process that asked holds the other end. When that end is closed, for any reason, the watcher ends
the whole group.
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
    configured = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, configured)))


def run_command(command: Sequence[str], folder: Path, log: IO[bytes]) -> int:
    """Run ``command`` in ``folder``, with its output in ``log``.

    Returns its exit code, or minus the number of the signal that killed it. Where this is
    interrupted, the command is ended with all that it has started. Its temporary files are in
    ``folder`` too, since a compiler that is killed leaves them behind.
    """
    watcher = subprocess.Popen(
        # -I and -S: it imports the standard library only, under any variables and folders.
        [sys.executable, "-I", "-S", __file__, *command],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return wait_for_group(watcher)
    finally:
        with suppress(BrokenPipeError):
            cast("IO[bytes]", watcher.stdin).close()


def wait_for_group(leader: subprocess.Popen[bytes]) -> int:
    """Wait for a process that leads a group, then end what is left of its group; its exit code.

    All of the group is ended where this is interrupted.
    """
    try:
        # WNOWAIT: its number stays its own, and its group's, until `end_group` has used it.
        os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
    finally:
        end_group(leader)
    return leader.returncode


def end_group(leader: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group, and all of its group; it may have ended already."""
    # Nobody has waited for it yet, so the system has not given its number to another process.
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
        # It ends by the same signal. For SIGKILL nothing can be set, and nothing has to be.
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
