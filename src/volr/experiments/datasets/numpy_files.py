"""Arrays in files of NumPy's, ``.npy`` and ``.npz``.

Nothing is unpickled, and nothing of a size that a file claims is made before there is room for it.
"""

from __future__ import annotations

import io
import math
import zipfile
from contextlib import contextmanager
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.errors import DataError, ModelError
from volr.system.incoming import check_ordinary, nearest
from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_SUFFIX = ".npy"
# The names that stimuli may have in an archive with other arrays.
_STIMULI = ("stimuli", "spikes", "trains")


def members_of(path: Path) -> list[str]:
    """The names of the arrays in a ``.npz`` file. Raises ``DataError``."""
    with _reading(path), zipfile.ZipFile(path) as archive:
        return [*_members(archive)]


def arrays_in(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """These arrays of a ``.npz`` file. Raises ``DataError`` that names the file and the array."""
    with _reading(path), zipfile.ZipFile(path) as archive:
        members = _members(archive)
        # Members are as large as they say once they are unpacked.
        check_room({each: members[each].file_size for each in names}, f"to read {path}")
        found: dict[str, NDArray[Any]] = {}
        for each in names:
            with archive.open(members[each]) as opened:
                data = opened.read(members[each].file_size + 1)
            found[each] = _array(data, f"{each} of {path}")
        return found


def read_stimuli(path: Path) -> NDArray[Any]:
    """The stimuli in a ``.npy`` file, or in a ``.npz`` file, where they are called so or alone.

    Raises ``DataError``.
    """
    with _reading(path):
        check_ordinary(path)
        if not zipfile.is_zipfile(path):
            check_room({path.name: path.stat().st_size}, f"to read {path}")
            return _array(path.read_bytes(), str(path))
    names = members_of(path)
    wanted = names if len(names) == 1 else [each for each in _STIMULI if each in names]
    if len(wanted) != 1:
        raise DataError(
            f"{path} has the arrays {', '.join(names) or 'none'}, and it is not clear which are "
            "the stimuli",
            help="save them as numpy.savez(FILE, stimuli=…), or alone",
        )
    return arrays_in(path, wanted)[wanted[0]]


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    return {
        each.filename.removesuffix(_SUFFIX): each
        for each in archive.infolist()
        if each.filename.endswith(_SUFFIX)
    }


@contextmanager
def _reading(path: Path) -> Generator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    except OSError as error:
        raise DataError(
            f"cannot read the data {path}: {error.strerror or error}",
            help=nearest(path, ".npz"),
        ) from error
    except ModelError as error:
        raise DataError(f"cannot read the data {path}: {error.message}") from error


def _array(data: bytes, what: str) -> NDArray[Any]:
    try:
        _check_length(data)
        return np.load(io.BytesIO(data), allow_pickle=False)
    # A header is parsed as Python's literals are, and may nest as deep as it likes.
    except (
        *(ValueError, EOFError, OSError, TypeError, SyntaxError, TokenError, RecursionError),
        MemoryError,
    ) as error:
        if "Object arrays" in str(error):
            raise DataError(
                f"{what} has objects of Python, which may run code when they are read, and Volr "
                "reads none",
                help="save arrays of numbers, and labels as numbers or as text: "
                "numpy.asarray(labels, dtype=str)",
            ) from error
        first = str(error).splitlines()[:1]
        raise DataError(f"{what} is damaged: {''.join(first)}") from error


def _check_length(data: bytes) -> None:
    """Raise ``ValueError`` for an array that says it is larger than its bytes.

    NumPy would ask for that much memory first.
    """
    opened = io.BytesIO(data)
    form: Any = np.lib.format
    first = form.read_magic(opened) == (1, 0)
    read = form.read_array_header_1_0 if first else form.read_array_header_2_0
    header: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(opened)
    shape, _, kind = header
    left = len(data) - opened.tell()
    if not kind.hasobject and math.prod(shape) * kind.itemsize > left:
        raise ValueError(f"its shape is {list(shape)}, and {left:,} bytes are there")
