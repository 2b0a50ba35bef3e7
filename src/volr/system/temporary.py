"""Temporary folders that are removed when the process that works in them ends, for any reason.

A process that is killed removes nothing. So the folder's owner holds a lock on it, which the system
releases when the process ends. The next process that works in the same place removes the folders
without a lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
import weakref
from contextlib import suppress
from pathlib import Path

_NEW = ".new-"
# Seconds after which a folder without a lock is abandoned: a new one has none for a moment only.
_AGE = 86_400.0


class Workplace:
    """A new folder ``path`` named ``NAME.RANDOM`` in ``parent``, which is there; a context manager,
    and to be closed otherwise. What is renamed away stays.

    Without ``parent`` it is among the temporary files. Raises ``OSError`` where it cannot be made.
    """

    def __init__(self, name: str, parent: Path | None = None) -> None:
        parent = Path(tempfile.gettempdir()) if parent is None else parent
        remove_abandoned(name, parent)
        # It gets its name only once it is locked, so that no process takes it for an abandoned one.
        new = Path(tempfile.mkdtemp(prefix=f"{_NEW}{name}.", dir=parent))
        lock = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        # Without locks, as on some network file systems, it is removed when it is old.
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = new.rename(new.with_name(new.name.removeprefix(_NEW)))
        self._remove = weakref.finalize(self, _remove, self.path, lock)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove it."""
        self._remove()


def _remove(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def remove_abandoned(name: str, parent: Path) -> None:
    """Remove the workplaces of this ``name`` in ``parent`` whose processes have ended."""
    for new in ("", _NEW):
        for folder in parent.glob(f"{new}{name}.*"):
            # Others clean up as well, and some folders are other users'.
            with suppress(OSError):
                if _is_abandoned(folder, locked_from_the_start=not new):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path, *, locked_from_the_start: bool) -> bool:
    """Whether nobody works there any more. Raises ``OSError`` where it cannot be asked."""
    found = folder.lstat()
    if found.st_uid != os.geteuid():
        return False
    is_old = time.time() - found.st_mtime > _AGE
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return is_old
    else:
        return locked_from_the_start or is_old
    finally:
        os.close(descriptor)
