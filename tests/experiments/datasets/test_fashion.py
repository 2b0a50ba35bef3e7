"""Fashion-MNIST: the real files against what is known of them."""

from __future__ import annotations

import gzip
import hashlib
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.errors import DataError
from volr.experiments.datasets.fashion import FASHION, load_fashion
from volr.experiments.datasets.mnist import load_mnist

if TYPE_CHECKING:
    from pathlib import Path

    from volr.models.samples import Data


@pytest.fixture(scope="module")
def data(fashion_dir: Path) -> Data:
    return load_fashion(fashion_dir)


def test_the_first_labels_are_the_known_ones(data: Data) -> None:
    # An ankle boot first, as in every tutorial.
    assert data.train.labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert data.test.labels[:10].tolist() == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]


def test_the_split_is_its_own_with_equal_classes(data: Data) -> None:
    assert (data.train.inputs.shape, data.test.inputs.shape) == ((60_000, 784), (10_000, 784))
    assert np.bincount(data.train.labels).tolist() == [6_000] * 10
    assert np.bincount(data.test.labels).tolist() == [1_000] * 10
    assert data.classes == 10
    assert data.chance == 0.1


def test_images_are_the_real_ones(data: Data, fashion_dir: Path) -> None:
    with gzip.open(fashion_dir / "t10k-images-idx3-ubyte.gz") as file:
        read = np.frombuffer(file.read(16 + 20 * 784), np.uint8, offset=16).reshape(20, 784)
    np.testing.assert_array_equal(data.test.inputs[:20], read / 255)
    # The mean and standard deviation that every tutorial normalises with.
    assert data.train.inputs.mean() == pytest.approx(0.2860, abs=5e-5)
    assert data.train.inputs.std() == pytest.approx(0.3530, abs=5e-5)


def test_the_hashes_of_downloads_are_those_of_the_original_files(fashion_dir: Path) -> None:
    """Debian leaves the time and the name out of the gzip headers of the original files."""
    for file in FASHION.files:
        packed = (fashion_dir / file.gzipped).read_bytes()
        if packed[3] == 0:
            packed_at = 1504176606 if file.name.startswith("train") else 1504176627
            header = struct.pack("<BBBBIBB", 0x1F, 0x8B, 8, 8, packed_at, 0, 3)
            packed = header + file.name.encode() + b"\0" + packed[10:]
        assert hashlib.sha256(packed).hexdigest() == file.packed


def test_files_of_mnist_are_refused_by_name(mnist_dir: Path, fashion_dir: Path) -> None:
    # They have the same names and shapes.
    with pytest.raises(DataError, match="is the train-images-idx3-ubyte of mnist, another"):
        load_fashion(mnist_dir)
    with pytest.raises(DataError, match="is the train-images-idx3-ubyte of fashion-mnist, another"):
        load_mnist(28, fashion_dir)
