"""The digits task against scikit-learn's own data set."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.errors import MissingError
from volr.experiments.datasets.digits import load_digits

if TYPE_CHECKING:
    from volr.models.samples import Samples

sklearn_datasets: Any = pytest.importorskip("sklearn.datasets")


def as_pairs(samples: Samples) -> Counter[tuple[bytes, int]]:
    pixels = (samples.inputs * 16).round().astype(np.uint8)
    return Counter(
        (image.tobytes(), int(label)) for image, label in zip(pixels, samples.labels, strict=True)
    )


def test_the_two_sides_together_are_scikit_learns_digits() -> None:
    digits = sklearn_datasets.load_digits()
    images = digits.images.reshape(-1, 64).astype(np.uint8)
    original = Counter(
        (image.tobytes(), int(label)) for image, label in zip(images, digits.target, strict=True)
    )
    data = load_digits()
    assert as_pairs(data.train) + as_pairs(data.test) == original
    assert data.train.inputs.max() == 1.0
    assert data.classes == 10


def test_every_digit_is_split_eighty_to_twenty() -> None:
    data = load_digits()
    train, test = np.bincount(data.train.labels), np.bincount(data.test.labels)
    assert (train + test).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    np.testing.assert_allclose(train / (train + test), 0.8, atol=0.5 / 174)
    assert 0.09 < data.chance < 0.11


def test_the_split_is_always_the_same() -> None:
    first, again = load_digits(), load_digits()
    np.testing.assert_array_equal(first.train.inputs, again.train.inputs)
    np.testing.assert_array_equal(first.test.labels, again.test.labels)


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingError, match="the task digits needs the package scikit-learn") as e:
        load_digits()
    assert e.value.help == "pip install 'volr[tasks]'"
