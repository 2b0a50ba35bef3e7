"""Seeded chance, and the cut into four fifths for training and one fifth for the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from volr.checks.arrays import Integers

# Sets the data's random numbers apart from those that others draw with the same seed.
_STREAM = 0xDA7A


def generator(seed: int) -> np.random.Generator:
    """The source of random numbers for the data of ``seed``, which is 0 or more."""
    return np.random.default_rng((_STREAM, seed))


def train_count(total: int) -> int:
    """0.8 · ``total``, rounded to the nearest whole number (a fifth is never halfway)."""
    return (4 * total + 2) // 5


def stratified(labels: Integers, random: np.random.Generator) -> tuple[Integers, Integers]:
    """Indices for training and for the test, each class cut by ``train_count``, both shuffled.

    ``labels`` is ``[batch]``; every index of it occurs once, on one side or the other.
    """
    train: list[Integers] = []
    test: list[Integers] = []
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        cut = train_count(len(members))
        train.append(members[:cut])
        test.append(members[cut:])
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(test))
