"""NAND and XOR: random corners of the unit square, and the truth value of each as its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.experiments.datasets.split import generator, train_count
from volr.models.samples import Data, Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Integers

POINTS = 512


def nand(a: Integers, b: Integers) -> Integers:
    return 1 - (a & b)


def xor(a: Integers, b: Integers) -> Integers:
    return a ^ b


def load_logic(function: Callable[[Integers, Integers], Integers], seed: int) -> Data:
    """``POINTS`` points of {0, 1}², uniform and independent: 410 for training, 102 for the test.

    Inputs are ``[batch, 2]``, and the label is ``function`` of the two, 0 or 1. The points are in
    random order, so the first four fifths are the training set.
    """
    points = generator(seed).integers(0, 2, size=(POINTS, 2), dtype=np.int64)
    samples = Samples(points.astype(np.float64), function(points[:, 0], points[:, 1]))
    cut = np.arange(train_count(POINTS))
    rest = np.arange(train_count(POINTS), POINTS)
    return Data(train=samples.take(cut), test=samples.take(rest), classes=2)
