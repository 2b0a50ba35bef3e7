"""Programs as shared libraries: Futhark compiles them to C, and a C compiler the C, once.

The libraries are kept in the user's cache, one folder for each program:

    network.fut   the program         network.so   the library
    network.h     its interface       SHA256SUMS   of the three

The name of a folder depends on the program, the two compilers, the processor and the target. A
folder is made under a temporary name and renamed when it is complete, so an interruption, or
another process that does the same, cannot leave half of one. It is checked before it is used,
because loading a damaged library would crash. When a process is killed, its compilers end too, and
the next process that compiles removes what was left in the cache.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from volr.checks.names import named
from volr.errors import BackendError, MissingError, SimulatorError
from volr.system.caches import cache_for, close_to_others, own_folder
from volr.system.commands import NOT_RUN, find_command, run_command
from volr.system.temporary import Workplace

logger = logging.getLogger("volr")

Target: TypeAlias = Literal["c", "multicore"]
TARGETS: tuple[Target, ...] = get_args(Target)
TARGET_VARIABLE = "VOLR_FUTHARK"
"""The environment variable that names the target; ``c`` unless it is set."""

PROGRAMS = {
    "futhark": "apt install futhark (Debian 13 or later), or see "
    "https://futhark.readthedocs.io/en/stable/installation.html",
    "cc": "apt install gcc libc6-dev",
}
# Sums may be added up in any order, which lets the compiler use vector instructions for them: a
# step of training takes a fifth of the time. Infinities and NaN stay what they are.
FLAGS = (
    "-O3",
    "-march=native",
    "-std=c99",
    "-fassociative-math",
    "-fno-signed-zeros",
    "-fno-trapping-math",
    "-fno-math-errno",
    "-fPIC",
    "-shared",
)
_SOURCE, _HEADER, _LIBRARY, _SUMS = "network.fut", "network.h", "network.so", "SHA256SUMS"
_KEPT = (_SOURCE, _HEADER, _LIBRARY)
_ATTEMPTS = 10
_TAIL = 1500
# Bytes, more than the compilers write for a program.
_ROOM = 1 << 24
_full: set[str] = set()
"""The folders in which this process has found no room."""


def chosen_target() -> Target:
    """``$VOLR_FUTHARK``, or ``c``; ``BackendError`` for one that there is not.

    Measured on 100-100-10 with two cores: an update takes 0.2 ms in ``c`` and 4 in ``multicore``,
    whose threads must agree on every sum of the gradient.
    """
    name = os.environ.get(TARGET_VARIABLE, "c")
    return named("Futhark target", name, {each: each for each in TARGETS}, BackendError)


def compiled(text: str, target: Target) -> Path:
    """The folder with the program's library, from the cache or made now.

    Raises ``MissingError`` without a compiler, ``SimulatorError`` where one fails.
    """
    described = "\0".join((text, target, _toolchain(*map(_found, PROGRAMS))))
    key = hashlib.sha256(described.encode()).hexdigest()[:32]
    place = cache_for("futhark", key)
    if str(place) in _full:
        place = own_folder("futhark")
    if _is_sound(place / key):
        return place / key
    try:
        return _compiled_in(place, key, text, target)
    except OSError as error:
        _full.add(str(place))
        own = own_folder("futhark")
        if own == place:
            raise _no_room(place, error) from error
        logger.warning(
            "compiled programs cannot be kept in %s, so each run compiles its own: %s",
            place,
            error.strerror or error,
        )
    try:
        return _compiled_in(own, key, text, target)
    except OSError as error:
        raise _no_room(own, error) from error


def _compiled_in(place: Path, key: str, text: str, target: Target) -> Path:
    """Compile the program into the folder ``key`` of ``place``. Raises ``OSError`` without room."""
    folder = place / key
    with Workplace("unfinished", place) as unfinished:
        try:
            _compile(text, target, unfinished)
        except SimulatorError:
            # A compiler that cannot write says so in its own way; Futhark's is a backtrace.
            _check_room(unfinished)
            raise
        _put_in_place(unfinished, folder)
    return folder


def _check_room(folder: Path) -> None:
    """Raise ``OSError`` where there is no room for a compiler's files."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, _ROOM)
    except OSError as error:
        # There are file systems that cannot be asked.
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise


def _no_room(place: Path, error: OSError) -> SimulatorError:
    return SimulatorError(
        f"cannot compile the Futhark program in {place}: {error.strerror or error}",
        help="make room there, or name another folder with XDG_CACHE_HOME or TMPDIR",
    )


def library_file(folder: Path) -> Path:
    return folder / _LIBRARY


def header_file(folder: Path) -> Path:
    return folder / _HEADER


def source_file(folder: Path) -> Path:
    return folder / _SOURCE


def _found(program: str) -> str:
    path = find_command(program)
    if path is None:
        raise MissingError(f"{program} was not found, which Futhark needs", help=PROGRAMS[program])
    return path


@cache
def _toolchain(futhark: str, cc: str) -> str:
    """A text on which the compiled library depends, besides the program."""
    with Workplace("volr-futhark") as folder:
        asked = (
            [futhark, "--version"],
            # Its version, and what this processor can do.
            [cc, *FLAGS, "-dM", "-E", "-x", "c", os.devnull],
        )
        return "\0".join((*FLAGS, *(_run(each, folder) for each in asked)))


def _compile(text: str, target: Target, folder: Path) -> None:
    logger.warning("compiling the network with Futhark, once: some seconds, or minutes if deep")
    source_file(folder).write_text(text, encoding="utf-8")
    _run([_found("futhark"), target, "--library", _SOURCE], folder)
    threads = ["-pthread"] if target == "multicore" else []
    _run([_found("cc"), *FLAGS, *threads, "network.c", "-o", _LIBRARY, "-lm"], folder)
    sums = "".join(f"{_digest(folder / name)}  {name}\n" for name in _KEPT)
    (folder / _SUMS).write_text(sums, encoding="ascii")
    for path in folder.iterdir():
        if path.name not in {*_KEPT, _SUMS}:
            path.unlink()
    close_to_others(folder)


def _run(command: list[str], folder: Path) -> str:
    """Run the command and return its output; ``SimulatorError`` where it fails."""
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as log:
        code = run_command(command, folder, log)
        log.seek(0)
        output = log.read().decode(errors="replace").strip()
    if code == NOT_RUN:
        raise SimulatorError(output)
    if code == 0:
        return output
    cause = f"with exit code {code}" if code > 0 else f"by {signal.Signals(-code).name}"
    last = f"; the last it wrote:\n{output[-_TAIL:]}" if output else ""
    raise SimulatorError(
        f"{name} was ended {cause} when it compiled the network{last}",
        help="`volr compile --to futhark` writes the program, to try it by hand",
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_sound(folder: Path) -> bool:
    """Whether all files are there and unchanged."""
    try:
        found = (folder / _SUMS).read_text(encoding="ascii").splitlines()
        return found == [f"{_digest(folder / name)}  {name}" for name in _KEPT]
    except (OSError, ValueError):
        return False


def _put_in_place(unfinished: Path, folder: Path) -> None:
    """Rename the folder to its final name, unless another process has already done so."""
    for attempt in range(_ATTEMPTS):
        try:
            unfinished.rename(folder)
        except OSError:
            if _is_sound(folder):
                return
            damaged = unfinished.with_name(f"{unfinished.name}.{attempt}")
            with suppress(OSError):
                folder.rename(damaged)
            shutil.rmtree(damaged, ignore_errors=True)
        else:
            return
    raise SimulatorError(f"cannot put a compiled program into {folder}", help="delete that folder")
