"""The 1,797 handwritten digits that come with scikit-learn: 8 × 8 pixels, no download."""

from __future__ import annotations

import numpy as np

from volr.experiments.datasets.packages import package
from volr.experiments.datasets.split import generator, stratified
from volr.models.samples import Data, Samples

_BRIGHTEST = 16


# The test samples are the same for every seed, as for MNIST. Otherwise the training samples of one
# seed would be test samples of another.
_SPLIT = 0


def load_digits() -> Data:
    """Inputs ``[batch, 64]``, row by row, in [0, 1]; the split, 80/20 for each digit, is fixed.

    Raises ``MissingError`` without scikit-learn.
    """
    datasets = package("sklearn.datasets", "scikit-learn", "the task digits")
    pixels, labels = datasets.load_digits(return_X_y=True)
    samples = Samples(np.asarray(pixels, dtype=np.float64) / _BRIGHTEST, np.asarray(labels))
    train, test = stratified(samples.labels, generator(_SPLIT))
    return Data(train=samples.take(train), test=samples.take(test), classes=10)
