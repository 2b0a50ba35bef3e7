"""Stimuli that are rows, and the way to rows for those that are not."""

from __future__ import annotations

import numpy as np
import pytest

from volr.checks.batches import check_batch
from volr.errors import DataError


@pytest.mark.parametrize(
    ("shape", "way"),
    [
        ((60, 1, 28, 28), "each image becomes a row: stimuli.reshape(60, 784)"),
        ((3, 28, 28), "each image becomes a row: stimuli.reshape(3, 784)"),
        ((784,), "one stimulus is a batch too: stimuli.reshape(1, 784)"),
        # These have another number of values.
        ((60, 3, 28, 28), None),
        ((60, 100), None),
        ((100,), None),
        ((), None),
    ],
)
def test_other_shapes_are_told_how_they_become_rows(
    shape: tuple[int, ...], way: str | None
) -> None:
    stimuli = np.zeros(shape)
    with pytest.raises(DataError, match=r"the network takes \[batch, 784\]") as caught:
        check_batch(stimuli.shape, 784)
    assert caught.value.help == way
    if way is not None:
        made = eval(way.partition(": ")[2], {"stimuli": stimuli})
        check_batch(made.shape, 784)


def test_rows_pass() -> None:
    check_batch((0, 5), 5)
    check_batch((7, 5), 5)
