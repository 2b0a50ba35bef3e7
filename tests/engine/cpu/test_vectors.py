"""The vector loops against NumPy, and nothing written beside what they are to write."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from volr.engine.cpu import vectors
from volr.engine.cpu.vectors import (
    LANES,
    TILE_BYTES,
    add_rows,
    add_scaled_rows,
    load_word,
    write_eight,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


def compiled(intrinsic: Callable[..., Any]) -> Callable[..., Any]:
    """An intrinsic can be called by compiled functions alone.

    This one is not cached: the cache would not notice a change of the intrinsic.
    """

    def call(*given: Any) -> Any:
        return intrinsic(*given)

    return numba.njit(call)


# For vectors of either width, which are compiled when they are called.
_added, _scaled = (
    {wide: compiled(each) for wide in (False, True)} for each in (add_rows, add_scaled_rows)
)
_load_word, _write_eight = compiled(load_word), compiled(write_eight)

FLOATS = (np.float32, np.float64)
INDICES = (np.uint16, np.uint32)


@pytest.fixture(autouse=True, params=[False, True], ids=["AVX2", "AVX-512"])
def wide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether code for wide vectors is made, which LLVM then cuts to what this processor has."""
    is_wide = bool(request.param)

    def has_wide_vectors(_: object) -> bool:
        return is_wide

    monkeypatch.setattr(vectors, "has_wide_vectors", has_wide_vectors)
    return is_wide


kinds = pytest.mark.parametrize(("floats", "indices"), [*itertools.product(FLOATS, INDICES)])

ROWS = 40


def cases(indices: type[Any]) -> Iterator[tuple[np.random.Generator, NDArray[Any], int, int]]:
    """Lists of rows, an empty one among them, for all widths; and by how much rows lie apart."""
    rng = np.random.default_rng(0)
    for width in range(LANES, 201, LANES):
        for count in (0, 1, 2, 7, 33):
            listed = np.sort(rng.permutation(ROWS)[:count]).astype(indices)
            yield rng, listed, width, width + int(rng.integers(0, 4))


def numbers(rng: np.random.Generator, count: int, floats: type[Any]) -> NDArray[Any]:
    """Of very different magnitude, so that the order of a sum shows."""
    return (rng.normal(size=count) * 10.0 ** rng.integers(-4, 5, count)).astype(floats)


def places(*offsets: int) -> tuple[np.uintp, ...]:
    return tuple(map(np.uintp, offsets))


@kinds
def test_add_rows_is_the_sum_in_the_order_of_the_list_to_the_last_bit(
    wide: bool, floats: type[Any], indices: type[Any]
) -> None:
    for rng, listed, width, stride in cases(indices):
        # Beside a list of another length, and then without one.
        beside = np.sort(rng.permutation(ROWS)[: int(rng.integers(0, 20))]).astype(indices)
        index = np.concatenate([np.full(5, 9999, indices), listed, beside])
        matrix, start = (numbers(rng, n, floats) for n in (3 + ROWS * stride, 500))
        target = numbers(rng, 600, floats)
        expected = target.copy()
        for to, from_, rows in ((7, 2, listed), (301, 211, beside)):
            sums = start[from_ : from_ + width].copy()
            for i in rows:
                sums += matrix[3 + int(i) * stride :][:width]
            expected[to : to + width] = sums
        one, two = (7, 2, 5, len(listed)), (301, 211, 5 + len(listed), len(beside))
        given = (np.uintp(3), index, *places(stride, width))
        _added[wide](target, start, matrix, *given, *places(*one, *two))
        np.testing.assert_array_equal(target, expected)
        # An empty list in the places of the first.
        target[7 : 7 + width] = 0
        _added[wide](target, start, matrix, *given, *places(*one), *places(7, 2, 0, 0))
        np.testing.assert_array_equal(target, expected)


@kinds
def test_add_rows_adds_to_what_is_there(wide: bool, floats: type[Any], indices: type[Any]) -> None:
    for rng, listed, width, stride in cases(indices):
        target, matrix = numbers(rng, 600, floats), numbers(rng, 3 + ROWS * stride, floats)
        index = np.concatenate([np.full(5, 9999, indices), listed])
        expected = target.copy()
        for place in (7, 307):
            for i in listed:
                expected[place : place + width] += matrix[3 + int(i) * stride :][:width]
        lists = places(7, 7, 5, len(listed), 307, 307, 5, len(listed))
        _added[wide](target, target, matrix, np.uintp(3), index, *places(stride, width), *lists)
        np.testing.assert_array_equal(target, expected)


@kinds
def test_add_scaled_rows_is_a_product(wide: bool, floats: type[Any], indices: type[Any]) -> None:
    for rng, listed, width, stride in cases(indices):
        target, matrix = (rng.normal(size=n).astype(floats) for n in (300, 3 + ROWS * stride))
        index = np.concatenate([np.full(5, 9999, indices), listed])
        values = rng.normal(size=len(index)).astype(floats)
        beside = target.copy()
        expected = target[7 : 7 + width].astype(np.float64)
        for value, i in zip(values[5:], listed, strict=True):
            expected += np.float64(value) * matrix[3 + int(i) * stride :][:width]
        at = places(7, 3, 5, len(listed), stride, width)
        _scaled[wide](target, at[0], matrix, at[1], index, values, *at[2:])
        error = 1e-5 if floats is np.float32 else 1e-13
        np.testing.assert_allclose(target[7 : 7 + width], expected, rtol=0, atol=error)
        beside[7 : 7 + width] = target[7 : 7 + width]
        np.testing.assert_array_equal(target, beside)


@pytest.mark.parametrize(("floats", "bits"), [(np.float32, 14), (np.float64, 30)])
def test_a_scaled_row_is_rounded_once(wide: bool, floats: type[Any], bits: int) -> None:
    # (1 + ε)(1 − ε) − 1 is −ε², which a product that is rounded by itself loses.
    small = 2.0**-bits
    target, matrix = np.full(LANES, -1, floats), np.full(LANES, 1 - small, floats)
    index, values = np.zeros(1, np.uint16), np.array([1 + small], floats)
    at = places(0, 0, 0, 1, LANES, LANES)
    _scaled[wide](target, at[0], matrix, at[1], index, values, *at[2:])
    np.testing.assert_array_equal(target, np.full(LANES, -(small**2), floats))


@pytest.mark.parametrize("floats", FLOATS)
def test_many_tiles_are_added_up_to_the_last_column(wide: bool, floats: type[Any]) -> None:
    rng = np.random.default_rng(1)
    tile = TILE_BYTES // np.dtype(floats).itemsize
    for width in (tile, 2 * tile, 3 * tile + LANES):
        target, matrix = np.zeros(width + 1, floats), numbers(rng, 2 * width, floats)
        at = places(0, width, width, 0, 0, 0, 2, 0, 0, 0, 0)
        _added[wide](target, target, matrix, at[0], np.array([0, 1], np.uint16), *at[1:])
        np.testing.assert_array_equal(target[:-1], matrix[:width] + matrix[width:])
        assert target[-1] == 0


def test_load_word_takes_eight_bytes_from_any_place() -> None:
    array = np.random.default_rng(0).integers(0, 256, 40, np.uint8)
    for offset in range(33):
        expected = int.from_bytes(array[offset : offset + 8].tobytes(), "little")
        assert int(_load_word(array, np.uintp(offset))) == expected


@pytest.mark.parametrize("indices", INDICES)
def test_write_eight_moves_a_row_of_bytes(indices: type[Any]) -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(0, 256, 40, np.uint8)
    most = np.iinfo(indices).max - 255
    for place, row, added in [(0, 0, 0), (1, 3, 5), (7, 32, 70), (12, 31, int(most))]:
        target = rng.integers(0, 100, 20).astype(indices)
        expected = target.copy()
        expected[place : place + 8] = table[row : row + 8] + np.uint64(added)
        _write_eight(target, np.uintp(place), table, *places(row, added))
        np.testing.assert_array_equal(target, expected)
