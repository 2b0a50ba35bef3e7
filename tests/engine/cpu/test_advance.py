"""Steps of a population as vector code, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
from volr.engine.cpu.advance import LANES, advance
from volr.engine.cpu.compiler import njit


@njit(error_model="numpy")
def steps_of(v: Any, i: Any, at: Any, step: int, steps: int, threshold: Any, limit: Any) -> bool:
    return advance(v, i, at, np.uintp(len(v)), np.int32(step), np.int32(steps), threshold, limit)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("vectors", [1, 4, 7])
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_steps_are_those_of_numpy(dtype: type[Any], vectors: int, steps: int) -> None:
    rng = np.random.default_rng(vectors)
    size = vectors * LANES
    v, i = (rng.integers(-9, 10, size).astype(dtype) for _ in range(2))
    at = np.full(size, -1, np.int32)
    v[3], at[3] = np.nan, 17
    wanted, when, largest = v.copy(), at.copy(), 0.0
    for step in range(20, 20 + steps):
        wanted += i
        largest = max(largest, float(np.nanmax(np.abs(wanted))))
        fires = wanted >= 11.0
        when[fires], wanted[fires] = step, np.nan
    beyond = steps_of(v, i, at, 20, steps, dtype(11), dtype(1000))
    np.testing.assert_array_equal(v, wanted)
    np.testing.assert_array_equal(at, when)
    assert not beyond
    assert at[3] == 17


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_membrane_beyond_the_limit_is_seen_wherever_and_whenever(
    dtype: type[Any], sign: float
) -> None:
    for place in (0, 5, 70):
        for step in (1, 3):
            v, i = np.zeros(5 * LANES, dtype), np.zeros(5 * LANES, dtype)
            i[place] = sign * 10.0
            at = np.full(len(v), -1, np.int32)
            limit = dtype(10 * step)
            assert not steps_of(v, i, at, 0, step, dtype(np.inf), limit)
            assert steps_of(v, i, at, 0, 1, dtype(np.inf), limit)
