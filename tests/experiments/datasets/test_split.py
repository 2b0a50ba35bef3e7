"""The split: sizes, disjointness by index, seeds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.experiments.datasets.split import generator, stratified, train_count


@given(st.integers(0, 10**6))
def test_train_count_is_the_nearest_whole_number_to_four_fifths(total: int) -> None:
    assert train_count(total) == round(Fraction(4, 5) * total)


@pytest.mark.parametrize(("total", "expected"), [(512, 410), (5, 4), (3, 2), (1, 1), (0, 0)])
def test_train_count_by_hand(total: int, expected: int) -> None:
    assert train_count(total) == expected


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 2**32))
def test_every_index_falls_on_one_side_and_every_class_is_cut(labels: list[int], seed: int) -> None:
    array = np.array(labels, dtype=np.int64)
    train, test = stratified(array, generator(seed))
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(len(labels)))
    for label in set(labels):
        assert (array[train] == label).sum() == round(Fraction(4, 5) * labels.count(label))


def test_the_split_is_shuffled_and_depends_on_the_seed_alone() -> None:
    labels = np.repeat(np.arange(4), 25)
    first, again, other = (stratified(labels, generator(seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[1], other[1])
    for side in first:
        assert np.any(np.diff(labels[side]) < 0), "the classes stand one after the other"
