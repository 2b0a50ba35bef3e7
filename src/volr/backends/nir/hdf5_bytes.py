"""Parts of an HDF5 file that are read from its bytes, without the HDF5 library.

**Texts.** A text of variable length is a reference of 16 bytes: its length, the address of a
collection of objects, and a number in it (HDF5 File Format Specification, III.E). In a damaged
collection the library may loop forever. Here every collection is read once, and the number of
objects in all of them is limited.

**Compressed arrays.** The library unpacks a chunk completely, whatever size the file states: ten
megabytes of a file may unpack to ten gigabytes. So the unpacked size of each chunk is measured
first, and the unpacked bytes are discarded.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

DAMAGES = (
    OSError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    SystemError,
    struct.error,
)
"""What h5py raises for a damaged file; RecursionError and NotImplementedError are RuntimeErrors."""

REFERENCE = struct.Struct("<IQI")
# A collection begins with its size, each object with its number, references, nothing, and size.
_COLLECTION = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HHIQ")


class Texts:
    """The texts of one file, which may have ``most`` objects in all."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data = data
        self._objects_left = most
        # Texts lie beside each other, so they cannot have more than all of the file.
        self._bytes_left = len(data)
        self._collections: dict[int, dict[int, tuple[int, int]]] = {}

    def at(self, offset: int, count: int) -> list[str]:
        """The texts of ``count`` references that begin at ``offset``.

        Raises ``ValueError``, ``KeyError`` or ``struct.error`` where they are damaged.
        """
        references = self._data[offset : offset + REFERENCE.size * count]
        if len(references) < REFERENCE.size * count:
            raise ValueError("it ends in the middle of a text")
        return [self._text(*each) for each in REFERENCE.iter_unpack(references)]

    def _text(self, length: int, address: int, number: int) -> str:
        if length == 0:
            return ""
        if address not in self._collections:
            self._collections[address] = self._collection(address)
        start, size = self._collections[address][number]
        self._bytes_left -= length
        if self._bytes_left < 0 or length > size:
            raise ValueError("a text is longer than it can be")
        return self._data[start : start + length].decode()

    def _collection(self, address: int) -> dict[int, tuple[int, int]]:
        """Where each object of a collection begins in the file, and its size, by number."""
        if address > len(self._data):
            raise ValueError("a text is not where it should be")
        mark, _, whole = _COLLECTION.unpack_from(self._data, address)
        end = address + whole
        if mark != b"GCOL" or end > len(self._data):
            raise ValueError("a text is not where it should be")
        found: dict[int, tuple[int, int]] = {}
        place = address + _COLLECTION.size
        while place + _OBJECT.size <= end:
            number, _, _, size = _OBJECT.unpack_from(self._data, place)
            place += _OBJECT.size
            if number == 0:  # what is left is free
                break
            self._objects_left -= 1
            if place + size > end or self._objects_left < 0:
                raise ValueError("a text is longer than it can be, or there are too many")
            found[number] = (place, size)
            place += -(-size // 8) * 8
        return found


# HDF5's numbers of its filters.
_DEFLATE, _SHUFFLE = 1, 2
_PIECE = 1 << 20


def check_packed(data: bytes, dataset: h5py.Dataset) -> None:
    """Raise ``ValueError`` unless each chunk of an array unpacks to no more than it should."""
    plist = dataset.id.get_create_plist()
    filters = [int(plist.get_filter(index)[0]) for index in range(plist.get_nfilters())]
    if not filters:
        return
    if not set(filters) <= {_DEFLATE, _SHUFFLE} or len(set(filters)) != len(filters):
        raise ValueError("its numbers are packed in a way other than gzip")
    size = math.prod(dataset.chunks or ()) * int(dataset.dtype.itemsize)
    places: list[tuple[int, int]] = []

    def note(chunk: h5py.h5d.StoreInfo) -> None:
        places.append((chunk.byte_offset or 0, chunk.size))

    dataset.id.chunk_iter(note)
    for start, length in places:
        if _DEFLATE in filters and _unpacked(data[start : start + length], size) > size:
            raise ValueError("its numbers unpack to more than they say")


def _unpacked(packed: bytes, most: int) -> int:
    """The number of unpacked bytes, or some number above ``most``."""
    unpacker = zlib.decompressobj()
    total = 0
    try:
        while total <= most and not unpacker.eof:
            piece = unpacker.decompress(packed, _PIECE)
            if not piece:
                break
            total += len(piece)
            packed = unpacker.unconsumed_tail
    except zlib.error as error:
        raise ValueError("its numbers do not unpack") from error
    return total
