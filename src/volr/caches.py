"""Folders for what is made once and used again: compiled code, above all.

Code in a cache is run, so a cache is used only where nobody else can have written to it. All of
Volr's are in ``volr`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from functools import cache
from pathlib import Path

from volr.workplaces import Workplace

logger = logging.getLogger("volr")

_PRIVATE = 0o700


def cache_path(kind: str) -> Path:
    """Where this ``kind`` of thing is kept; nothing is made or checked."""
    return _base() / "volr" / kind


def cache_for(kind: str) -> Path:
    """A folder for this ``kind``, which is there and which nobody else can write to.

    It is ``cache_path`` unless that cannot be written, or others could write to it, which is told;
    then it is a folder of this process's own.
    """
    folder = cache_path(kind)
    try:
        folder.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        fault = foreign_hands(folder.parent) or foreign_hands(folder)
        if fault is None:
            # Permissions tell neither a full disk nor a read-only one, and mean nothing to root.
            with tempfile.TemporaryFile(dir=folder):
                return folder
        _tell(fault)
    except OSError as error:
        logger.debug("nothing can be kept in %s: %s", folder, error)
    return _temporary(kind).path


def foreign_hands(folder: Path) -> str | None:
    """Who but this user and root could have put a file into ``folder``, in words; None if nobody.

    ``folder`` may be reached through links: what counts is where they lead. A folder above it that
    all may write to does harm only where they may rename what is in it as well, which the sticky
    bit forbids. Raises ``OSError`` where there is no such folder.
    """
    real = folder.resolve(strict=True)
    found = real.stat()
    if found.st_uid not in {os.geteuid(), 0}:
        return f"{folder} belongs to another user"
    others = found.st_mode & stat.S_IWOTH
    # Many systems give each user a group of their own, of the same number.
    group = found.st_mode & stat.S_IWGRP and found.st_gid != found.st_uid
    if others or group:
        return f"{folder} can be written by others"
    for above in real.parents:
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"{folder} is in {above}, which can be written by others"
    return None


def _base() -> Path:
    said = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path would be another folder everywhere, and is to be ignored (XDG's own rule).
    if said.startswith("/"):
        return Path(said)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # nobody's home
        return _temporary("home").path


@cache
def _tell(fault: str) -> None:
    logger.warning(
        "%s: code that is compiled is not kept there (chmod go-w, or set XDG_CACHE_HOME)", fault
    )


@cache
def _temporary(kind: str) -> Workplace:
    """A folder of this process's own."""
    return Workplace(f"volr-{kind}")
