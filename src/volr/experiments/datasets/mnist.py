"""MNIST: 70,000 handwritten digits with a fixed split, at 28 × 28 or reduced to 10 × 10 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.errors import DataError
from volr.experiments.datasets.archive import read_archive
from volr.experiments.datasets.archives import ARCHIVES, MNIST
from volr.models.samples import Data, Samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from volr.checks.arrays import Floats
    from volr.experiments.datasets.archive import Archive
    from volr.experiments.datasets.idx import Bytes

_BRIGHTEST = 255
_MARGIN = 4


def flatten(images: Bytes) -> Floats:
    """Images ``[batch, row, column]`` of bytes as ``[batch, row · column]`` in [0, 1]."""
    return images.reshape(len(images), -1) / _BRIGHTEST


def shrink(images: Bytes) -> Floats:
    """The middle of 28 × 28 images at half the resolution: ``[batch, 100]`` in [0, 1].

    Four pixels are cut off on each side, and each 2 × 2 block of the remaining 20 × 20 becomes its
    mean. Sums of bytes are exact, so each value is rounded only once, in the division.
    """
    middle = images[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN].astype(np.uint16)
    pairs = middle[:, 0::2] + middle[:, 1::2]
    blocks = pairs[:, :, 0::2] + pairs[:, :, 1::2]
    return blocks.reshape(len(images), -1) / (4 * _BRIGHTEST)


def load_mnist(side: int, data_dir: Path | None, *, archive: Archive = MNIST) -> Data:
    """60,000 training images and 10,000 test images; there is no seed, since the split is fixed.

    Inputs are ``[batch, side²]``, row by row, in [0, 1]; ``side`` is 28, or 10 with ``shrink``.
    Raises ``DataError`` for any other ``side``, and what ``load_scaled`` raises.
    """
    match side:
        case 28:
            scale = flatten
        case 10:
            scale = shrink
        case _:
            raise DataError(f"MNIST was asked for with a side of {side} pixels, expected 10 or 28")
    return load_scaled(archive, data_dir, scale)


def load_scaled(
    archive: Archive, data_dir: Path | None, scale: Callable[[Bytes], Floats] = flatten
) -> Data:
    """Training and test images of ten classes, each made into a row of values by ``scale``.

    ``archive`` has training images and labels, test images and labels, in this order. Raises what
    ``read_archive`` raises, which finds the files.
    """
    train_images, train_labels, test_images, test_labels = read_archive(
        archive, data_dir, others=ARCHIVES
    )
    return Data(
        train=_samples(scale(train_images), train_labels),
        test=_samples(scale(test_images), test_labels),
        classes=10,
    )


def _samples(inputs: Floats, labels: Bytes) -> Samples:
    inputs.setflags(write=False)  # without it, Samples would copy hundreds of MB
    return Samples(inputs, labels.astype(np.int64))
