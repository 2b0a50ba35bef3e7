"""Files that a command is to write: refused before the work is done, and written whole."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from volr.errors import VolrError

if TYPE_CHECKING:
    from pathlib import Path


def check_writable(path: Path, *, source: Path | None = None) -> None:
    """Raise ``VolrError`` where ``path`` could not be written in the end.

    ``source`` is what the command reads, which must not be lost. Nothing is left behind, and
    folders that are missing are not made yet.
    """
    try:
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
        folder = next(each for each in path.absolute().parents if each.exists())
        # Permissions tell neither a full disk nor a read-only one, and mean nothing to root.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def path_from(file: Path, other: Path) -> str:
    """The path to ``other`` as ``file`` is to have it: relative, since folders are moved whole,
    and from where ``file`` really is, since links lead elsewhere.
    """
    return os.path.relpath(os.path.realpath(other), os.path.realpath(file.parent))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8, whole or not at all; ``VolrError`` where it cannot be written."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, body: bytes) -> None:
    """Write a file, whole or not at all; ``VolrError`` where it cannot be written."""
    from volr.storage import write_whole

    try:
        write_whole(path, body)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> VolrError:
    return VolrError(f"cannot write {path}: {error.strerror or error}")
