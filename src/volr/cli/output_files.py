"""Files that a command writes: checked before the work begins, and written whole."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from volr.cli.output import note
from volr.errors import VolrError
from volr.system.storage import failing_as, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.model_files.model_file import Origin
    from volr.models.model import Model


def check_writable(path: Path, *, source: Path | None = None) -> None:
    """Raise ``VolrError`` if ``path`` could not be written later.

    ``source`` is the file that the command reads; it must not be overwritten. The check leaves
    nothing behind, and makes no folders.
    """
    from volr.experiments.programs import is_name

    with failing_as(VolrError, f"cannot write {path}"):
        if str(path) == "-":
            raise VolrError("cannot write this to standard output", help="name a file")
        if path.is_dir():
            raise VolrError(f"cannot write {path}: it is a folder", help="name a file in it")
        if path.exists():
            if not path.is_file():
                raise VolrError(f"cannot write {path}: it is not an ordinary file")
            if source is not None and source.exists() and path.samefile(source):
                raise VolrError(
                    f"cannot write {path}: that is the file to read from, which would be lost",
                    help="name another file",
                )
            if path.suffix == ".volr":
                raise VolrError(
                    f"cannot write {path}: that is a program, which would be lost",
                    help="name another file",
                )
        elif is_name(str(path)):
            raise VolrError(
                f"cannot write {path}: a file of this name would stand for Volr's program {path}",
                help="name another file",
            )
        _try_in(path.absolute().parent)


def check_folder(folder: Path) -> None:
    """Raise ``VolrError`` if no files could be written in ``folder`` later.

    The check leaves nothing behind, and makes no folder.
    """
    with failing_as(VolrError, f"cannot write in {folder}"):
        _try_in(folder.absolute())


def check_apart(path: Path, sources: Iterable[Path]) -> None:
    """Raise ``VolrError`` if ``path`` is one of ``sources`` or lies in one; links are followed.

    The command reads ``sources``. They need not exist.
    """
    real = Path(os.path.realpath(path))
    for source in sources:
        if real.is_relative_to(os.path.realpath(source)):
            raise VolrError(
                f"cannot write {path}: {source} is read from, and would be lost or damaged",
                help="name another file",
            )


def path_from(file: Path, other: Path) -> str:
    """The path to ``other`` that ``file`` stores.

    It is relative, so that a folder can be moved, and starts at the real place of ``file``, so that
    links do not matter.
    """
    return os.path.relpath(os.path.realpath(other), os.path.realpath(file.parent))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8, whole or not at all; ``VolrError`` if it cannot be written."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, body: bytes) -> None:
    """Write a file, whole or not at all; ``VolrError`` if it cannot be written."""
    with failing_as(VolrError, f"cannot write {path}"):
        write_whole(path, body)


def save_made(model: Model, out: Path, origin: Origin | None = None) -> None:
    """Write a model that took long to make, whole or not at all.

    This may fail, for example on a full disk. Then the model is kept in Volr's cache or among the
    temporary files, and ``VolrError`` names the place. If it cannot be kept anywhere, a user at a
    terminal is asked to make room; without a terminal, ``VolrError`` is raised.
    """
    from volr.model_files.model_file import model_bytes

    body = model_bytes(model, origin)
    while True:
        try:
            return write_bytes(out, body)
        except VolrError as error:
            failure = error
        if (kept := _rescued(out.name, body)) is not None:
            raise VolrError(
                f"{failure.message}; the model is kept in {kept}",
                help=f"make room, and move it: mv {shlex.quote(f'{kept}')} {shlex.quote(f'{out}')}",
            ) from failure
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise failure
        note(failure.message)
        note("make room, and press Enter to try again; Ctrl-C gives the model up")
        sys.stdin.readline()


def _rescued(name: str, body: bytes) -> Path | None:
    """Where the file is kept now, in a new folder; None if it could not be written."""
    from volr.system.caches import cache_path

    for place in (cache_path("rescued"), Path(tempfile.gettempdir())):
        folder: Path | None = None
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="volr-rescued-", dir=place))
            write_whole(folder / name, body)
        except OSError:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        else:
            return folder / name
    return None


def _try_in(folder: Path) -> None:
    """Raise ``OSError`` if nothing can be written in ``folder``, or in the nearest existing folder
    above it.
    """
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    # Permissions show neither a full nor a read-only disk, and do not bind root.
    with tempfile.TemporaryFile(dir=nearest):
        pass
