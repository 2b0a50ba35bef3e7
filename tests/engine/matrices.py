"""Weights, and the tiles that they are cut into, for tests of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.engine.cpu.tiles import empty_tiles, pack, tile_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOATS = (np.float32, np.float64)
floats = pytest.mark.parametrize("floats", FLOATS)
# Of one and of several tiles, whole ones and others: a tile has 64 or 32 columns.
SHAPES = ((1, 1), (3, 5), (64, 7), (72, 30), (70, 130), (129, 200), (8, 300))


def random_weights(post: int, pre: int, kind: type[Any]) -> NDArray[Any]:
    rng = np.random.default_rng([post, pre])
    weights = rng.normal(0.2, 1.0, (post, pre)).astype(kind)
    weights[rng.random((post, pre)) < 0.1] = 0
    return weights


def in_tiles(matrix: NDArray[Any], sign: int = 0) -> NDArray[Any]:
    columns, rows = matrix.shape
    tiles = empty_tiles(rows, columns, matrix.dtype)
    tiles[:] = np.nan
    tile = tile_of(matrix.dtype)
    for column in range(0, columns, tile):
        pack(matrix, sign, tile, column, tiles)
    return tiles
