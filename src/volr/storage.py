"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, body: bytes) -> None:
    """Write ``body`` to ``path``; what was there before stays until all of it is on disk,
    and leaves its permissions.

    The folder is made where it is missing. What was written survives a loss of power, too: without
    ``fsync`` some file systems keep the new name of a file before its content. Raises ``OSError``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(body)
        _sync(unfinished)
        if path.exists():
            unfinished.chmod(path.stat().st_mode)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    # The name as well; there are file systems that have no such thing for folders.
    with suppress(OSError):
        _sync(path.parent)


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
