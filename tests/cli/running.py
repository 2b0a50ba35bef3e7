"""Running `volr` in processes of its own and on terminals, and a model to run it on."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.language import to_network
from volr.model_files.container import packed, unpack
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from collections.abc import Mapping

XOR = "dense 2 2 ⦶ dense 2 2"
VOLR = (sys.executable, "-P", "-c", "from volr.cli import main; main()")
# A second of work takes many on a busy machine; nobody waits this long for what goes right.
PATIENCE = 120.0


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Volr = Callable[..., Result]


def solved_xor() -> ArtificialModel:
    """XOR without training: h = (x + y, x + y − 1) through ReLU, and h₁ − 2 h₂ is x ⊕ y."""
    lowered = to_network(XOR)
    hidden, output = (population.name for population in lowered.layers)
    values = {
        f"input->{hidden}.weight": [[1.0, 1.0], [1.0, 1.0]],
        f"{hidden}.bias": [0.0, -1.0],
        f"{hidden}->{output}.weight": [[-1.0, 2.0], [1.0, -2.0]],
        f"{output}.bias": [1.0, 0.0],
    }
    return ArtificialModel(lowered, values)  # type: ignore[arg-type]


def made(program: str, **settings: Any) -> SpikingModel:
    """A spiking model of a program, with parameters that make it spike and mean nothing."""
    network, rng = to_network(program), np.random.default_rng(0)
    values = {
        f"{p.source}->{p.target}.weight": rng.normal(
            3.0, 5.0, (network[p.target].size, network[p.source].size)
        )
        for p in network.projections
    }
    values |= {f"{p.name}.bias": rng.normal(0.3, 0.1, p.size) for p in network.layers}
    return SpikingModel(network=network, parameters=values, **settings)


def rewritten(path: Path, copy: Path, **firsts: float) -> None:
    """A model file with another first value of some parameters, past all checks."""
    found = unpack(path)
    arrays = {name: each.copy() for name, each in found.arrays.items()}
    for name, value in firsts.items():
        arrays[name].flat[0] = value
    copy.write_bytes(packed(arrays, found.description))


UNWANTED = {
    *("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    # Without its buffer, Python does not notice that half of a text could not be written.
    "PYTHONUNBUFFERED",
}


def environment(**extra: str) -> dict[str, str]:
    """This process's, without what would decide about colours, widths and buffers."""
    kept = {key: value for key, value in os.environ.items() if key not in UNWANTED}
    return {**kept, "TERM": "xterm-256color", **extra}


def piped(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **extra: str
) -> Result:
    """Run `volr` in a process of its own whose streams are pipes."""
    done = subprocess.run(
        [*VOLR, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=environment(**extra),
        cwd=cwd,
        check=False,
        timeout=PATIENCE,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class Terminal:
    """A `volr` whose stderr, and stdout where asked for, is a terminal of 80 columns."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self.descriptor = descriptor
        self.shown = ""

    def read(self) -> bool:
        """Take up what was written since; False where nothing will come any more."""
        try:
            data = os.read(self.descriptor, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        self.shown += data.decode(errors="replace")
        return bool(data)

    def wait_for(self, text: str) -> None:
        """Return as soon as the text has been shown."""
        while text not in self.shown:
            assert self.read(), f"{text!r} was never shown, but {self.shown!r}"

    def wait(self) -> int:
        """The exit code, once everything has been read."""
        while self.read():
            pass
        return self.process.wait(PATIENCE)

    def interrupt(self) -> int:
        """Press Ctrl-C, which reaches the whole foreground group, and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.wait()


@contextmanager
def terminal(
    *arguments: str | Path, stdout: int | None = subprocess.DEVNULL, **extra: str
) -> Generator[Terminal]:
    """Start `volr` on a terminal; ``stdout=None`` puts its results there as well."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [*VOLR, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env=environment(**extra),
        start_new_session=True,
        # Whoever runs the tests in the background may have set it to be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def children(process: int) -> list[int]:
    """The processes that this one has started and that still run."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything; the parent is the second field after it.
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == process and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def has_ended(process: int) -> bool:
    """It is gone, or nobody has asked yet how it ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return fields[0] == "Z"


def wait_until(happened: Callable[[], object]) -> None:
    """Return once it has; fail where it does not."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "this never happened"
        time.sleep(0.02)


def snapshot(folder: Path) -> Mapping[str, bytes]:
    """Every file in a folder, at any depth, with what it holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
