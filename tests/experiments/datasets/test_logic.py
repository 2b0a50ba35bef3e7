"""NAND and XOR: truth tables, sizes, balance, seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.experiments.datasets.logic import load_logic, nand, xor

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Integers

NAND = {(0, 0): 1, (0, 1): 1, (1, 0): 1, (1, 1): 0}
XOR = {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}


@pytest.mark.parametrize(("function", "table"), [(nand, NAND), (xor, XOR)])
@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_every_label_is_the_truth_value_of_its_point(
    function: Callable[[Integers, Integers], Integers],
    table: dict[tuple[int, int], int],
    seed: int,
) -> None:
    data = load_logic(function, seed)
    assert (len(data.train), len(data.test), data.classes) == (410, 102, 2)
    for half in (data.train, data.test):
        points = [(int(a), int(b)) for a, b in half.inputs]
        assert set(points) == set(table)
        assert half.labels.tolist() == [table[point] for point in points]


def test_the_four_points_are_equally_likely() -> None:
    points = np.concatenate([load_logic(xor, seed).train.inputs for seed in range(50)])
    codes = (2 * points[:, 0] + points[:, 1]).astype(np.int64)
    share = np.bincount(codes, minlength=4) / len(codes)
    # 20,500 points: the standard deviation of a share is 0.003.
    np.testing.assert_allclose(share, 0.25, atol=0.015)


@pytest.mark.parametrize(("function", "chance"), [(nand, 0.75), (xor, 0.5)])
def test_chance_is_near_the_share_of_the_commoner_truth_value(
    function: Callable[[Integers, Integers], Integers], chance: float
) -> None:
    mean = np.mean([load_logic(function, seed).chance for seed in range(50)])
    # 50 test sets of 102 points: the standard deviation of the mean is below 0.008.
    assert mean == pytest.approx(chance, abs=0.03)


def test_the_points_depend_on_the_seed_alone() -> None:
    first, again, other = (load_logic(xor, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.train.inputs, again.train.inputs)
    np.testing.assert_array_equal(first.test.labels, again.test.labels)
    assert not np.array_equal(first.train.inputs, other.train.inputs)
    np.testing.assert_array_equal(load_logic(nand, 5).train.inputs, first.train.inputs)
