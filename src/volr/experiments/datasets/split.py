"""Random numbers with a seed, and the split into training (4/5) and test samples (1/5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.checks.annotations import fits, shown
from volr.errors import DataError

if TYPE_CHECKING:
    from volr.checks.arrays import Integers

# So the data draw other random numbers than training or a transfer with the same seed.
_STREAM = 0xDA7A


def check_seed(seed: int) -> None:
    """Raise ``DataError`` unless a seed is a whole number from 0 up."""
    if not fits(seed, "int"):
        raise DataError(f"the seed is {shown(seed)}; a seed is a whole number from 0 up")
    if seed < 0:
        raise DataError(f"the seed is {seed}; a seed is 0 or more")


def generator(seed: int) -> np.random.Generator:
    """The random numbers for the data of ``seed``, which is 0 or more."""
    return np.random.default_rng((_STREAM, seed))


def train_count(total: int) -> int:
    """0.8 · ``total``, rounded to the nearest whole number (it is never halfway)."""
    return (4 * total + 2) // 5


def stratified(labels: Integers, random: np.random.Generator) -> tuple[Integers, Integers]:
    """Indices for training and test, with each class split by ``train_count``, both shuffled.

    ``labels`` is ``[batch]``. Every index is in exactly one of the two.
    """
    train: list[Integers] = []
    test: list[Integers] = []
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        cut = train_count(len(members))
        train.append(members[:cut])
        test.append(members[cut:])
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(test))
