"""IDX files, the format that MNIST comes in, read without trusting them.

    file    ::=  0x00 0x00 type axes  size{axes}  value …
    type    ::=  0x08                    unsigned bytes; the other types are named and refused
    size    ::=  32 bits, big-endian

The caller gives the expected shape. So no size in a file decides how much is read or allocated, and
a file that is longer than expected is not unpacked to its end. ``header_of`` reads the shape of a
file of somebody's own, which the caller checks first.
"""

from __future__ import annotations

import gzip
import math
import zlib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from volr.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

Bytes: TypeAlias = NDArray[np.uint8]

_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTE = 0x08
_MOST_AXES = 4
_TYPES = {
    0x08: "unsigned bytes",
    0x09: "signed bytes",
    0x0B: "16-bit integers",
    0x0C: "32-bit integers",
    0x0D: "32-bit floats",
    0x0E: "64-bit floats",
}


def idx_size(shape: tuple[int, ...]) -> int:
    """The length in bytes of an unpacked IDX file of unsigned bytes."""
    return _header_size(shape) + math.prod(shape)


def unpack(path: Path, limit: int) -> bytes:
    """The file's content, unpacked if its first bytes are those of gzip.

    At most ``limit`` + 1 bytes; the last one shows that the file is too long. Raises ``DataError``
    if the file cannot be read or is damaged.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            if not packed:
                return file.read(limit + 1)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return unpacked.read(limit + 1)
    except EOFError as error:
        raise _damaged(path, "the gzip file ends too early") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, f"the gzip file is damaged: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def decode(content: bytes, shape: tuple[int, ...], name: Path | str) -> Bytes:
    """The values of an IDX file of unsigned bytes, read-only and of this ``shape``.

    ``name`` is the file's name in errors. Raises ``DataError`` if the content is not IDX, has
    another type or shape, ends too early, or continues after its last value.
    """
    head, size, length = _header_size(shape), idx_size(shape), len(content)
    if content[:2] not in (b"\x00\x00", b"\x00", b""):
        start = content[:2].hex(" ")
        raise _damaged(name, f"not an IDX file: begins with the bytes {start}, expected 00 00")
    too_short = f"ends after {length} bytes, inside its header of {head}"
    if length < 4:
        raise _damaged(name, too_short)
    kind, axes = content[2], content[3]
    if kind != _UNSIGNED_BYTE:
        found = f"{_TYPES.get(kind, 'values of an unknown type')} (0x{kind:02x})"
        raise _damaged(name, f"holds {found}, expected unsigned bytes (0x08)")
    if axes != len(shape):
        raise _damaged(name, f"has {axes} axes, expected {len(shape)}: {_text(shape)}")
    if length < head:
        raise _damaged(name, too_short)
    sizes = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, head, 4))
    if sizes != shape:
        raise _damaged(name, f"has the shape {_text(sizes)}, expected {_text(shape)}")
    if length < size:
        raise _damaged(name, f"ends after {length} bytes, expected {size}")
    if length > size:
        raise _damaged(name, f"goes on after its last value; expected {size} bytes")
    return np.frombuffer(content, dtype=np.uint8, offset=head).reshape(shape)


def header_of(content: bytes, name: Path | str) -> tuple[int, ...]:
    """The shape that the beginning of an IDX file says. Raises ``DataError`` for no such file."""
    if content[:2] != b"\x00\x00" or len(content) < 4:
        raise _damaged(name, "not an IDX file")
    head = 4 + 4 * content[3]
    if not 1 <= content[3] <= _MOST_AXES or len(content) < head:
        raise _damaged(name, f"has a header of {content[3]} axes, or an incomplete one")
    return tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, head, 4))


def _damaged(name: Path | str, found: str) -> DataError:
    return DataError(f"{name}: {found}", help="put the original file in its place")


def _header_size(shape: tuple[int, ...]) -> int:
    return 4 + 4 * len(shape)


def _text(shape: tuple[int, ...]) -> str:
    return " × ".join(str(axis) for axis in shape)
