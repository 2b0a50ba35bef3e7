"""How weights are kept: in *tiles*, 256 bytes of the neurons of the target for all of the source.

So a tile of a hundred sources stays in the first cache, and one of a thousand in the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.compiler import njit
from volr.engine.cpu.vectors import LANES, TILE_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Rows that are turned round at a time: these lines of both matrices stay in the first cache.
_SOME_ROWS = 32


def padded(size: int) -> int:
    """``size`` columns and those that fill the last vector."""
    return -(-size // LANES) * LANES


def tile_of(dtype: np.dtype[Any]) -> int:
    """Columns of a tile."""
    return TILE_BYTES // dtype.itemsize


def empty_tiles(rows: int, columns: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Room for a matrix in tiles, a flat array that begins where a cache line does."""
    return _room(rows * padded(columns), dtype)


def empty_like(tiles: NDArray[Any]) -> NDArray[Any]:
    """Room for as many numbers, which begins where a cache line does."""
    return _room(len(tiles), tiles.dtype)


def _room(length: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    line = 64 // dtype.itemsize
    room = np.empty(length + line, dtype=dtype)
    start = -(room.ctypes.data // dtype.itemsize) % line
    return room[start : start + length]


@njit(nogil=True, inline="always", error_model="numpy")
def _of_sign(value: float, sign: int) -> float:
    if sign > 0:
        return max(value, value * 0)
    if sign < 0:
        return min(value, value * 0)
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def pack(matrix: NDArray[Any], sign: int, tile: int, start: int, tiles: NDArray[Any]) -> None:
    """Put columns of ``matrix`` ``[column, row]``, from ``start`` on, into their tile.

    Of ``sign`` 1 or −1 only what is positive or negative, of 0 all.
    """
    columns, rows = matrix.shape
    wide = (columns + LANES - 1) // LANES * LANES
    width = min(tile, wide - start)
    base = start * rows
    for first in range(0, rows, _SOME_ROWS):
        last = min(first + _SOME_ROWS, rows)
        for j in range(width):
            if start + j < columns:
                for i in range(first, last):
                    tiles[base + i * width + j] = _of_sign(matrix[start + j, i], sign)
            else:
                for i in range(first, last):
                    tiles[base + i * width + j] = 0


@njit(nogil=True, cache=True, error_model="numpy")
def pack_transposed(
    matrix: NDArray[Any], sign: int, tile: int, start: int, tiles: NDArray[Any]
) -> None:
    """As ``pack``, of a ``matrix`` ``[row, column]``."""
    rows, columns = matrix.shape
    wide = (columns + LANES - 1) // LANES * LANES
    width = min(tile, wide - start)
    whole = min(width, columns - start)
    base = start * rows
    for i in range(rows):
        for j in range(whole):
            tiles[base + i * width + j] = _of_sign(matrix[i, start + j], sign)
        for j in range(whole, width):
            tiles[base + i * width + j] = 0


@njit(nogil=True, cache=True, error_model="numpy")
def unpack(
    tiles: NDArray[Any], tile: int, start: int, first: int, last: int, matrix: NDArray[Any]
) -> None:
    """Write rows of the tile that begins at column ``start`` to ``matrix`` ``[column, row]``."""
    columns, rows = matrix.shape
    wide = (columns + LANES - 1) // LANES * LANES
    width = min(tile, wide - start)
    for some in range(first, min(last, rows), _SOME_ROWS):
        for j in range(min(width, columns - start)):
            for i in range(some, min(some + _SOME_ROWS, last, rows)):
                matrix[start + j, i] = tiles[start * rows + i * width + j]
