"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from volr.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from volr.errors import VolrError


@contextmanager
def failing_as(kind: type[VolrError], what: str, help: str | None = None) -> Generator[None]:
    """Raise ``kind`` for an ``OSError`` within; it says ``what`` failed, and why."""
    try:
        yield
    except OSError as error:
        raise kind(f"{what}: {error.strerror or error}", help=help) from error


def write_whole(path: Path, body: bytes) -> None:
    """Write ``body`` to ``path``; what was there before stays until all of it is on disk,
    and leaves its permissions.

    The folder is made where it is missing. What was written survives a loss of power, too: without
    ``fsync`` some file systems keep the new name of a file before its content. Nothing is written
    through a link: one that is in place of the file is replaced. Raises ``OSError``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # Whatever has that name, a link say, is not a file of ours.
        unfinished.unlink(missing_ok=True)
        with unfinished.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and not path.is_symlink():
            unfinished.chmod(path.stat().st_mode)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    # The name as well; there are file systems that have no such thing for folders.
    with suppress(OSError):
        _sync(path.parent)


def check_no_link(path: Path) -> None:
    """Raise ``DataError`` where a link is in place of a file or folder of ours.

    What is written there would be written elsewhere, over somebody's files.
    """
    if path.is_symlink():
        raise DataError(
            f"{path} is a link, and nothing is written through it",
            help=f"remove the link, or put what it leads to in its place: {os.path.realpath(path)}",
        )


def open_lock(path: Path) -> IO[bytes]:
    """A file to be locked, made where it is missing; its contents do not change.

    Raises ``DataError`` where it is a link, ``OSError`` where it cannot be opened.
    """
    check_no_link(path)
    # A link that comes into being now is no better.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    return os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0)


def remove_unfinished(folder: Path) -> None:
    """Remove what ``write_whole`` was writing in ``folder`` when its process was killed.

    For whoever knows that no other process writes there. Raises ``OSError``.
    """
    for path in folder.glob(".*.part"):
        if path.name.split(".")[-2].isdecimal():
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
