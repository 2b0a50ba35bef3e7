"""Folders for what is made once and used again, mostly compiled code.

Code in a cache is run. So a cache is used only where no other user than this one and root could
have written: to the folder, to what would be loaded from it, and to the folders above it. Volr's
caches are in ``volr`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from volr.system.temporary import Workplace

if TYPE_CHECKING:
    from collections.abc import Generator

logger = logging.getLogger("volr")

_PRIVATE = 0o700
# As many links as Linux follows.
_LINKS = 40


def cache_path(kind: str) -> Path:
    """Where this ``kind`` of thing is kept; nothing is made or checked."""
    return _base() / "volr" / kind


def cache_for(kind: str, part: str = "") -> Path:
    """A folder for this ``kind``, in which no other user has written ``part``.

    ``part`` names what will be loaded from the folder, and may still be missing; without it, all of
    the folder is meant. The folder is ``cache_path``. Where that cannot be written, or others can
    or could write to it, which is reported, it is a folder of this process's own.
    """
    folder = cache_path(kind)
    try:
        make_private(folder)
        above = _wrong_on_the_way(folder.parent)
        found = foreign_hands(folder, part) if above is None else _at(folder.parent, above)
        if found is None:
            # Permissions do not show a full or a read-only disk, and do not bind root.
            with tempfile.TemporaryFile(dir=folder):
                return folder
        _tell(found)
    except OSError as error:
        logger.debug("nothing can be kept in %s: %s", folder, error)
    return own_folder(kind)


def own_folder(kind: str) -> Path:
    """A folder of this process's own for this ``kind``, always the same, which ends with it."""
    return _temporary(kind).path


def make_private(folder: Path) -> None:
    """Make ``folder`` and what is missing above it, for this user only, under any umask."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=_PRIVATE, exist_ok=True)


def close_to_others(folder: Path) -> None:
    """Take from everybody else the right to write to ``folder`` and to what is in it.

    What a compiler makes has whatever permissions the umask leaves.
    """
    for each in (folder, *folder.rglob("*")):
        # Another process may be at work there too, and rename its files.
        with suppress(FileNotFoundError):
            mode = each.lstat().st_mode
            if mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISLNK(mode):
                each.chmod(stat.S_IMODE(mode) & ~(stat.S_IWGRP | stat.S_IWOTH))


@dataclass(frozen=True)
class ForeignHands:
    """Why others can write to a folder, in words; and what to ``remove`` so that they cannot, which
    is None where the fault lies above the folder."""

    what: str
    remove: Path | None = None

    def way_out(self, variable: str) -> str:
        """What to do about it; ``variable`` is the one that names the folder."""
        if self.remove is None:
            return f"set {variable} to a folder that only you can write to"
        # To take rights away later leaves there what others have put there before.
        return f"move {self.remove} away or remove it: other permissions alone do not help"


def foreign_hands(folder: Path, part: str = "") -> ForeignHands | None:
    """Who else than this user and root could have written ``part`` of ``folder``, or could exchange
    it later; None if nobody.

    Others can write it if they own, or may write to, ``folder``, anything in ``part`` (in all
    of ``folder``, if that is empty), or any folder or link on the way there. A folder on the way
    that all may write to does no harm where they may not rename what is in it, which the sticky bit
    says. A ``part`` that is not there yet is in order. Raises ``OSError`` where there is no such
    folder.
    """
    folder.stat()
    wrong = _wrong_on_the_way(folder)
    if wrong is None and (wrong := _wrong_inside(folder / part, set())) is not None:
        return ForeignHands(wrong, folder / part)
    return None if wrong is None else _at(folder, wrong)


def _at(folder: Path, wrong: str) -> ForeignHands:
    own = _wrong(folder) is not None
    return ForeignHands(wrong, folder if own else None)


def _wrong_on_the_way(path: Path) -> str | None:
    """What is wrong with ``path``, which is there, or with what leads to it."""
    *above, last = _way(path)
    if (wrong := _wrong(last)) is not None:
        return f"{path} {wrong}" if last == path else f"{path} leads to {last}, which {wrong}"
    for each in above:
        if (wrong := _wrong(each, is_on_the_way=True)) is not None:
            return f"{path} is in {each}, which {wrong}"
    return None


def _wrong_inside(path: Path, seen: set[tuple[int, int]]) -> str | None:
    """What is wrong with ``path``, or with anything in it; what is not there is not wrong."""
    # Other processes are at work there too, and their files come and go.
    with suppress(FileNotFoundError):
        if path.is_symlink():
            # Where it leads counts, with every folder on that way.
            wrong = _wrong_on_the_way(path)
        else:
            wrong = _wrong(path)
            wrong = None if wrong is None else f"{path} {wrong}"
        if wrong is not None:
            return wrong
        found = path.stat()
        number = found.st_dev, found.st_ino
        if stat.S_ISDIR(found.st_mode) and number not in seen:
            seen.add(number)
            for each in path.iterdir():
                if (wrong := _wrong_inside(each, seen)) is not None:
                    return wrong
    return None


def _wrong(path: Path, *, is_on_the_way: bool = False) -> str | None:
    """What is wrong with this file, folder or link by itself."""
    found = path.lstat()
    if found.st_uid not in {os.geteuid(), 0}:
        return "belongs to another user"
    # A link cannot be written to, only replaced, for which one needs its folder.
    if stat.S_ISLNK(found.st_mode) or (is_on_the_way and found.st_mode & stat.S_ISVTX):
        return None
    # Many systems give each user a group of their own, of the same number.
    group = found.st_mode & stat.S_IWGRP and found.st_gid != found.st_uid
    return "can be written by others" if group or found.st_mode & stat.S_IWOTH else None


def _way(path: Path) -> Generator[Path]:
    """Every folder and link that one passes from the root to ``path``, and where that leads."""
    first, *ahead = path.absolute().parts
    here, links = Path(first), 0
    yield here
    ahead.reverse()
    while ahead:
        part = ahead.pop()
        if part == os.pardir:
            here = here.parent
            continue
        here /= part
        yield here
        if here.is_symlink():
            links += 1
            if links > _LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            ahead += reversed(here.readlink().parts)
            here = here.parent


def _base() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path would be another folder everywhere, and is to be ignored (XDG's own rule).
    if configured.startswith("/"):
        return Path(configured)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # nobody's home
        return own_folder("home")


@cache
def _tell(found: ForeignHands) -> None:
    logger.warning(
        "%s: compiled code is neither taken from there nor kept there (%s)",
        found.what,
        found.way_out("XDG_CACHE_HOME"),
    )


@cache
def _temporary(kind: str) -> Workplace:
    """A folder of this process's own."""
    return Workplace(f"volr-{kind}")
