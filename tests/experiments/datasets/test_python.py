"""Data sets that are objects of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.errors import DataError
from volr.experiments.datasets.python import load_data

if TYPE_CHECKING:
    from pathlib import Path

X = np.random.default_rng(0).integers(0, 256, (12, 2, 3), dtype=np.uint8)
Y = np.arange(12) % 3
FLOATS = np.random.default_rng(0).random((20, 3))


def test_arrays_and_paths_give_the_same(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    found = load_data((X, Y), seed=4)
    assert found == load_data(tmp_path / "a.npz", seed=4) == load_data({"x": X, "y": Y}, seed=4)
    assert load_data((X[:9], Y[:9], X[9:], Y[9:])) == load_data(
        {"x_train": X[:9], "y_train": Y[:9], "x_test": X[9:], "y_test": Y[9:]}
    )


def test_data_sets_of_pytorch() -> None:
    torch: Any = pytest.importorskip("torch")
    whole = torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))
    assert load_data(whole, seed=2) == load_data((X, Y), seed=2)
    assert load_data((torch.as_tensor(X), torch.as_tensor(Y)), seed=2) == load_data((X, Y), seed=2)
    parts = torch.utils.data.Subset(whole, range(9)), torch.utils.data.Subset(whole, range(9, 12))
    assert load_data(parts) == load_data((X[:9], Y[:9], X[9:], Y[9:]))


def test_a_bunch_of_scikit_learn() -> None:
    datasets: Any = pytest.importorskip("sklearn.datasets")
    iris = datasets.load_iris()
    found = load_data(iris)
    assert (found.train.units, found.classes, len(found.train)) == (4, 3, 120)
    assert found.train.inputs.min() == 0
    assert found.train.inputs.max() == 1


@pytest.mark.parametrize(
    "source", [3, None, (X,), (X, Y, X), [], {"x": X}, object(), ((X, Y), (X, Y), 1)]
)
def test_what_is_no_data(source: object) -> None:
    with pytest.raises(DataError):
        load_data(source)


def test_words_that_are_objects() -> None:
    words = np.array(["b", "a"] * 10, dtype=object)
    assert load_data((FLOATS, words)) == load_data((FLOATS, words.astype(str)))


@pytest.mark.parametrize("seed", [-1, "a", 1.5])
def test_seeds_that_are_none(seed: Any) -> None:
    with pytest.raises(DataError, match="a seed is"):
        load_data((FLOATS, [0, 1] * 10), seed=seed)


def test_tensors_of_types_that_numpy_lacks() -> None:
    torch: Any = pytest.importorskip("torch")
    short = torch.tensor(FLOATS).bfloat16()
    data = load_data((short, [0, 1] * 10))
    assert data == load_data((short.double().numpy(), [0, 1] * 10))
    with pytest.raises(DataError, match=r"x is .* and no array"):
        load_data((short.to("meta"), [0, 1] * 10))
