"""MNIST: 70,000 handwritten digits with a fixed split, at 28 × 28 or reduced to 10 × 10 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.errors import DataError
from volr.experiments.datasets.archive import Archive, IdxFile, read_archive
from volr.models.samples import Data, Samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from volr.checks.arrays import Floats
    from volr.experiments.datasets.idx import Bytes

_BRIGHTEST = 255
_MARGIN = 4

MNIST = Archive(
    name="mnist",
    files=(
        IdxFile(
            name="train-images-idx3-ubyte",
            shape=(60_000, 28, 28),
            content="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            packed="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        IdxFile(
            name="train-labels-idx1-ubyte",
            shape=(60_000,),
            content="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            packed="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        IdxFile(
            name="t10k-images-idx3-ubyte",
            shape=(10_000, 28, 28),
            content="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            packed="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        IdxFile(
            name="t10k-labels-idx1-ubyte",
            shape=(10_000,),
            content="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            packed="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)


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
    train_images, train_labels, test_images, test_labels = read_archive(archive, data_dir)
    return Data(
        train=_samples(scale(train_images), train_labels),
        test=_samples(scale(test_images), test_labels),
        classes=10,
    )


def _samples(inputs: Floats, labels: Bytes) -> Samples:
    inputs.setflags(write=False)  # without it, Samples would copy hundreds of MB
    return Samples(inputs, labels.astype(np.int64))
