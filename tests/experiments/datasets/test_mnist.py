"""MNIST: the scaling against loops, and the real files against what is known of them."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.errors import DataError
from volr.experiments.datasets.mnist import MNIST, flatten, load_mnist, shrink

if TYPE_CHECKING:
    from pathlib import Path

    from volr.models.samples import Data


@pytest.fixture(scope="module")
def small(mnist_dir: Path) -> Data:
    return load_mnist(10, mnist_dir)


@pytest.fixture(scope="module")
def pixels(mnist_dir: Path) -> np.ndarray:
    """The first 20 test images, read without the code under test."""
    with gzip.open(mnist_dir / "t10k-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(16 + 20 * 784), np.uint8, offset=16).reshape(20, 28, 28)


def block_means(image: np.ndarray) -> list[float]:
    means: list[float] = []
    for row in range(4, 24, 2):
        for column in range(4, 24, 2):
            block = [int(image[row + r, column + c]) for r in (0, 1) for c in (0, 1)]
            means.append(sum(block) / 4 / 255)
    return means


def test_shrink_takes_the_mean_of_each_block_of_the_middle() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    expected = [block_means(image) for image in images]
    np.testing.assert_allclose(shrink(images), expected, rtol=1e-15)


def test_shrink_puts_rows_before_columns_and_ignores_the_margin() -> None:
    image = np.zeros((1, 28, 28), dtype=np.uint8)
    image[0, :4], image[0, 24:], image[0, :, :4], image[0, :, 24:] = 255, 255, 255, 255
    image[0, 4 + 2 * 3, 4 + 2 * 7] = 255  # one of the four pixels of row 3, column 7
    shrunk = shrink(image)
    assert shrunk.shape == (1, 100)
    assert np.flatnonzero(shrunk).tolist() == [37]
    assert shrunk[0, 37] == 0.25


def test_full_brightness_is_one() -> None:
    white = np.full((2, 28, 28), 255, dtype=np.uint8)
    assert shrink(white).min() == 1.0
    assert flatten(white).min() == 1.0


def test_flatten_puts_rows_before_columns() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3) * 51
    np.testing.assert_allclose(flatten(image), [[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]])


def test_the_first_labels_are_the_known_ones(small: Data) -> None:
    assert small.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert small.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_the_split_is_mnists_own_with_its_known_class_counts(small: Data) -> None:
    assert (len(small.train), len(small.test), small.classes) == (60_000, 10_000, 10)
    train, test = np.bincount(small.train.labels), np.bincount(small.test.labels)
    assert train.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_chance_is_the_share_of_ones(small: Data) -> None:
    assert small.chance == 0.1135


def test_ten_by_ten_images_are_the_real_ones_scaled(small: Data, pixels: np.ndarray) -> None:
    assert small.train.inputs.shape == (60_000, 100)
    expected = [block_means(image) for image in pixels]
    np.testing.assert_allclose(small.test.inputs[:20], expected, rtol=1e-15)


def test_full_images_are_the_real_ones(mnist_dir: Path, pixels: np.ndarray) -> None:
    data = load_mnist(28, mnist_dir)
    assert data.train.inputs.shape == (60_000, 784)
    np.testing.assert_array_equal(data.test.inputs[:20], pixels.reshape(20, 784) / 255)
    # The mean and standard deviation that every MNIST tutorial normalises with.
    assert data.train.inputs.mean() == pytest.approx(0.1307, abs=5e-5)
    assert data.train.inputs.std() == pytest.approx(0.3081, abs=5e-5)


def test_one_changed_pixel_is_found_out(mnist_dir: Path, tmp_path: Path) -> None:
    for file in MNIST.files:
        shutil.copy(mnist_dir / file.gzipped, tmp_path / file.gzipped)
    target = tmp_path / "t10k-images-idx3-ubyte.gz"
    content = bytearray(gzip.decompress(target.read_bytes()))
    content[5_000] ^= 1
    target.unlink()
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataError, match="not the original t10k-images-idx3-ubyte"):
        load_mnist(10, tmp_path)


def test_the_hashes_of_downloads_are_those_of_the_original_files(mnist_dir: Path) -> None:
    for file in MNIST.files[1:]:  # the first was packed anew in the folder that tests use
        packed = (mnist_dir / file.gzipped).read_bytes()
        assert hashlib.sha256(packed).hexdigest() == file.packed


def test_a_side_that_is_not_on_offer_is_refused(mnist_dir: Path) -> None:
    with pytest.raises(DataError, match="a side of 14 pixels, expected 10 or 28"):
        load_mnist(14, mnist_dir)
