"""How much trials are measured on, and which of them go on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.experiments.search.rungs import Rung, go_on, rungs
from volr.experiments.settings import Settings
from volr.models.samples import Data, Samples


def data(train: int, test: int) -> Data:
    def half(count: int) -> Samples:
        return Samples(np.zeros((count, 1)), np.zeros(count, dtype=np.int64))

    return Data(half(train), half(test), 1)


@pytest.mark.parametrize(
    ("train", "test", "seeds", "expected"),
    [
        (
            *(48_000, 12_000, 2),
            [(5_333, 910, 1_333, 1), (16_000, 2_730, 4_000, 1), (48_000, 8_192, 12_000, 2)],
        ),
        (1_149, 288, 1, [(383, 383, 288, 1), (1_149, 1_149, 288, 1)]),
        (328, 82, 1, [(328, 328, 82, 1)]),
        (328, 82, 3, [(328, 328, 82, 1), (328, 328, 82, 3)]),
    ],
)
def test_each_rung_has_a_third_of_the_one_above(
    train: int, test: int, seeds: int, expected: list[tuple[int, ...]]
) -> None:
    found = rungs(data(train, test), Settings(), seeds)
    assert found == tuple(Rung(*each) for each in expected)


@pytest.mark.parametrize(("loop", "lowest"), [(16, 16), (1_000, 300), (8_192, 910)])
def test_the_loop_has_no_fewer_than_a_rung_has(loop: int, lowest: int) -> None:
    found = rungs(data(48_000, 12_000), Settings(loop_samples=loop), 1)
    assert [each.loop for each in found][::2] == [lowest, loop]


def test_a_rung_cuts_the_samples_and_nothing_else() -> None:
    base = Settings(dt=0.25, epochs=3, loop_samples=None)
    cut = Rung(train=900, loop=300, validation=100, seeds=1).cut(base)
    assert (cut.train_samples, cut.loop_samples, cut.test_samples) == (900, 300, 100)
    assert (cut.dt, cut.epochs, cut.percentile) == (0.25, 3, None)


scores = st.floats(0, 1)


@given(st.dictionaries(st.integers(0, 50), scores, min_size=1), st.lists(scores))
def test_those_go_on_that_fewer_than_a_third_are_better_than(
    batch: dict[int, float], earlier: list[float]
) -> None:
    every = [*batch.values(), *earlier]
    expected = {n for n, s in batch.items() if 3 * sum(e > s for e in every) < len(every)}
    assert set(go_on(batch, earlier)) == expected
    assert set(go_on(dict(reversed(batch.items())), earlier[::-1])) == expected
    if not earlier:
        assert expected


def test_where_nothing_was_measured_nothing_goes_on() -> None:
    assert go_on({}, []) == []
    assert go_on({}, [0.5]) == []
