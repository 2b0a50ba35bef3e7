"""Compressed arrays of an HDF5 file, measured before the HDF5 library unpacks them.

The library unpacks a chunk to whatever comes out of it, however small the chunk says that it is:
ten megabytes of a file may ask for ten gigabytes. Nothing is kept here of what is unpacked.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

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
    """How many bytes come out of it, or some number above ``most``."""
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
