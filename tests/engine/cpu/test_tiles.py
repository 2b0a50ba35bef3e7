"""How weights are kept, against matrices cut in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.matrices import SHAPES, floats, in_tiles, random_weights

from volr.engine.cpu.tiles import pack_transposed, padded, tile_of, unpack


@floats
@pytest.mark.parametrize(("post", "pre"), SHAPES)
def test_tiles_are_some_columns_for_all_rows(post: int, pre: int, floats: type[Any]) -> None:
    weights = random_weights(post, pre, floats)
    tile = 256 // weights.itemsize
    assert tile_of(weights.dtype) == tile
    wide = np.zeros((padded(post), pre), floats)
    wide[:post] = weights
    for sign, part in ((0, wide), (1, np.maximum(wide, 0)), (-1, np.minimum(wide, 0))):
        expected = [part[start : start + tile].T.reshape(-1) for start in range(0, post, tile)]
        tiles = in_tiles(weights, sign)
        assert tiles.ctypes.data % 64 == 0
        np.testing.assert_array_equal(tiles, np.concatenate(expected))
        transposed = np.full_like(tiles, np.nan)
        for column in range(0, post, tile):
            pack_transposed(np.ascontiguousarray(weights.T), sign, tile, column, transposed)
        np.testing.assert_array_equal(transposed, tiles)


@floats
@pytest.mark.parametrize(("post", "pre"), SHAPES)
def test_what_was_packed_is_unpacked_some_rows_at_a_time(
    post: int, pre: int, floats: type[Any]
) -> None:
    weights = random_weights(post, pre, floats)
    tiles, tile = in_tiles(weights), tile_of(weights.dtype)
    found = np.full_like(weights, np.nan)
    for column in range(0, post, tile):
        for first in range(0, pre, 50):
            unpack(tiles, tile, column, first, first + 50, found)
    np.testing.assert_array_equal(found, weights)
    untouched = np.full_like(weights, np.nan)
    unpack(tiles, tile, 0, 2, 4, untouched)
    beside = np.isnan(untouched)
    assert beside[:, :2].all()
    assert beside[:, 4:].all()
    assert beside[tile:].all()
