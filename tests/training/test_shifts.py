"""Shifted images, against slices in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from volr.training.shifts import shifted

SHAPES = ((2, 3, 5), (1, 4, 4))


def moved(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """An image ``[c h w]`` with its content moved up by ``down`` and left by ``right``."""
    found = np.zeros_like(image)
    _, height, width = image.shape
    for row in range(height):
        for column in range(width):
            if 0 <= row + down < height and 0 <= column + right < width:
                found[:, row, column] = image[:, row + down, column + right]
    return found


def test_each_sample_is_shifted_as_a_whole_and_zeros_come_in() -> None:
    rng = np.random.default_rng(3)
    values = rng.random((200, 2 * 3 * 5 + 16)).astype(np.float32) + 1
    found = shifted(torch.tensor(values), SHAPES, 2, torch.Generator().manual_seed(1)).numpy()
    assert found.shape == values.shape
    offsets: set[tuple[int, int]] = set()
    for before, after in zip(values, found, strict=True):
        fitting = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if np.array_equal(moved(before[:30].reshape(2, 3, 5), down, right).ravel(), after[:30])
            and np.array_equal(moved(before[30:].reshape(1, 4, 4), down, right).ravel(), after[30:])
        ]
        assert len(fitting) == 1
        offsets.update(fitting)
    # Of 25 pairs, the probability that 200 draws miss one is below one in a hundred.
    assert len(offsets) == 25


def test_the_generator_alone_decides() -> None:
    values = torch.rand((20, 46), generator=torch.Generator().manual_seed(0))
    state = torch.get_rng_state()
    one, same, other = (
        shifted(values, SHAPES, 1, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
