"""The Shapley value: what each of several causes costs when they affect each other.

    φ_k  =  mean, over the orders in which causes can be added one after the other,
            of the accuracy that is lost when k is added

The parts always add up to the whole. Not every order is possible: ties need whole numbers, and
spikes can be late only if there are spikes. So a cause ``needs`` others before it, and the mean is
over the orders that respect this (Faigle & Kern 1992). The orders need not be listed: the number of
orders that lead to a set, and from it, follows from those of its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.checks.arrays import Floats

T = TypeVar("T")


def shapley(
    needs: Mapping[T, frozenset[T]], value: Callable[[frozenset[T]], Floats]
) -> dict[T, Floats]:
    """What each key of ``needs`` adds to ``value``, an array of any shape, on average.

    ``value`` is called once for each set that is closed under ``needs``, the empty set first. The
    shares add up to ``value(all) - value(none)``, except for rounding.
    """
    levels = closed_sets(needs)
    values = {each: value(each) for level in levels for each in level}
    ways_to: dict[frozenset[T], int] = {frozenset[T](): 1}
    ways_from: dict[frozenset[T], int] = {levels[-1][0]: 1}
    for level in levels[1:]:
        for each in level:
            ways_to[each] = sum(ways_to.get(each - {one}, 0) for one in each)
    for level in reversed(levels[:-1]):
        for each in level:
            ways_from[each] = sum(
                ways_from.get(each | {one}, 0) for one in needs if one not in each
            )
    orders = ways_to[levels[-1][0]]
    shares = {one: np.zeros_like(values[frozenset()], dtype=np.float64) for one in needs}
    for with_it, value_with in values.items():
        for one in with_it:
            without = with_it - {one}
            if without in values:
                weight = ways_to[without] * ways_from[with_it] / orders
                shares[one] += weight * (value_with - values[without])
    return shares


def closed_sets(needs: Mapping[T, frozenset[T]]) -> list[list[frozenset[T]]]:
    """The sets that contain, with each cause, all that it needs; by size, from the empty one."""
    levels = [[frozenset[T]()]]
    for _ in needs:
        grown = {
            each | {one}: None
            for each in levels[-1]
            for one, before in needs.items()
            if one not in each and before <= each
        }
        levels.append(list(grown))
    return levels
