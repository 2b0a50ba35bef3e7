"""Files from elsewhere, which may be anything and of any size; or Volr may have written them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.errors import ModelError, ModelFileError
from volr.system.incoming import check_ordinary, read_whole
from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_bytes(path: Path) -> bytes:
    """All bytes of an ordinary file; ``ModelFileError`` where that cannot be."""
    try:
        size = check_ordinary(path)
        check_room({"its bytes": size}, f"to read {path}")
        return read_whole(path, size)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from error
    except ModelError as error:
        raise ModelFileError(f"cannot read {path}: {error}") from error


class SettingInFileError(ModelFileError):
    """Settings were given for a file that Volr wrote, which says everything of the model itself.

    ``settings`` are their names, as the functions that read files have them.
    """

    def __init__(self, name: str, settings: Sequence[str]) -> None:
        super().__init__(f"{name} {SAYS_ALL}", help=f"leave out {', '.join(settings)}")
        self.name = name
        self.settings = tuple(settings)


SAYS_ALL = "was written by Volr, and says all of its model itself"
