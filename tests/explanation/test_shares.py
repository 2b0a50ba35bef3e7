"""Shapley's value, against the mean over all orders, gone through one by one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.explanation.shares import closed_sets, shapley

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

NAMES = "abcde"


@st.composite
def games(draw: st.DrawFn) -> tuple[dict[str, frozenset[str]], dict[frozenset[str], Floats]]:
    """Causes each of which may need earlier ones, and a value for each set of them."""
    names = NAMES[: draw(st.integers(1, 5))]
    needs = {
        name: frozenset(other for other in names[:index] if draw(st.booleans()))
        for index, name in enumerate(names)
    }
    numbers = st.integers(-9, 9)
    values = {
        frozenset(some): np.array([draw(numbers), draw(numbers)], dtype=np.float64)
        for size in range(len(names) + 1)
        for some in itertools.combinations(names, size)
    }
    return needs, values


@given(games())
def test_a_share_is_the_mean_over_the_orders_that_are_allowed(
    game: tuple[dict[str, frozenset[str]], dict[frozenset[str], Floats]],
) -> None:
    needs, values = game
    sums = {name: np.zeros(2) for name in needs}
    orders = 0
    for order in itertools.permutations(needs):
        if all(needs[name] <= set(order[:place]) for place, name in enumerate(order)):
            orders += 1
            for place, name in enumerate(order):
                sums[name] += values[frozenset(order[: place + 1])]
                sums[name] -= values[frozenset(order[:place])]
    found = shapley(needs, values.__getitem__)
    for name, total in sums.items():
        np.testing.assert_allclose(found[name], total / orders, atol=1e-9)
    whole = values[frozenset(needs)] - values[frozenset()]
    np.testing.assert_allclose(sum(found.values()), whole, atol=1e-9)


def test_a_set_is_closed_where_it_has_all_that_is_needed() -> None:
    needs = {"a": frozenset[str](), "b": frozenset("a"), "c": frozenset[str]()}
    found = {"".join(sorted(each)) for level in closed_sets(needs) for each in level}
    assert found == {"", "a", "c", "ab", "ac", "abc"}


def test_two_that_only_work_together_share_evenly() -> None:
    needs = {"a": frozenset[str](), "b": frozenset[str](), "c": frozenset[str]()}
    found = shapley(needs, lambda some: np.array(float({"a", "b"} <= some)))
    assert [float(found[name]) for name in "abc"] == pytest.approx([0.5, 0.5, 0.0])
