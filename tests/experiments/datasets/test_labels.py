"""Labels and scales that a model keeps: other data mean the same by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.errors import DataError
from volr.experiments.evaluation import as_trained, data_entries, data_seed
from volr.experiments.tasks import task

if TYPE_CHECKING:
    from pathlib import Path

    from volr.experiments.tasks import Task

X = np.random.default_rng(0).random((6, 2)) * 4
WORDS = np.array(["cat", "dog", "eel"])[[0, 1, 2, 0, 1, 2]]


def other(folder: Path, x: Any, y: Any, name: str = "other.npz") -> Task:
    """A task whose training and test samples are the same."""
    np.savez(folder / name, x_train=x, y_train=y, x_test=x, y_test=y)
    return task(str(folder / name))


@pytest.fixture
def origin(tmp_path: Path) -> dict[str, Any]:
    """That of a model which was trained on words and numbers from 0 to 4."""
    found = other(tmp_path, np.vstack([X[:4], [[0, 0], [4, 4]]]), WORDS, "first.npz")
    return {"task": found.name, "seed": 7, **data_entries(found, 7)}


def test_other_labels_have_the_places_of_those_in_training(
    tmp_path: Path, origin: dict[str, Any]
) -> None:
    found = as_trained(other(tmp_path, X[:4] / 2, ["eel", "dog", "eel", "dog"]), origin, 3)
    data = found.load()
    assert data.classes == found.classes == 3
    assert data.test.labels.tolist() == [2, 1, 2, 1]
    assert np.allclose(data.test.inputs, X[:4] / 8)
    assert "labels are counted in this order: cat, dog, eel" in found.notes[-1]
    assert not any("in [0, 1]" in note for note in found.notes)


def test_a_label_that_training_did_not_have(tmp_path: Path, origin: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="row 1: the label 'ant' is not one of those") as caught:
        as_trained(other(tmp_path, X[:4], ["eel", "ant", "eel", "dog"]), origin, 3)
    assert caught.value.help == "these are cat, dog, eel"
    with pytest.raises(DataError, match="row 0: the label 0 is not one"):
        as_trained(other(tmp_path, X[:4], [0, 1, 2, 0]), origin, 3)


def test_whole_numbers_stay_as_they_are(tmp_path: Path) -> None:
    trained = {"data_scale": "[[0.0], [4.0]]"}
    found = as_trained(other(tmp_path, X[:4], [1, 3, 1, 2]), trained, 5)
    assert found.load().test.labels.tolist() == [1, 3, 1, 2]
    assert found.classes == 5
    with pytest.raises(DataError, match="label 'cat' is not one"):
        as_trained(other(tmp_path, X, WORDS), trained, 3)


def test_bytes_for_a_model_of_numbers_up_to_one(tmp_path: Path) -> None:
    pixels = (X * 60).astype(np.uint8)
    with pytest.raises(DataError, match=r"has bytes, up to .* and the model's training numbers in"):
        as_trained(other(tmp_path, pixels, WORDS), {"data_scale": "[[0], [1]]"}, 3)
    with pytest.raises(DataError, match=r"has numbers in \[0, 1\], and the model's training bytes"):
        as_trained(other(tmp_path, X / 4, WORDS), {"data_scale": "[[0], [255]]"}, 3)


def test_bytes_for_tests_and_numbers_for_training(tmp_path: Path) -> None:
    pixels = (X * 60).astype(np.uint8)
    np.savez(tmp_path / "mixed.npz", x_train=X / 4, y_train=WORDS, x_test=pixels, y_test=WORDS)
    with pytest.raises(DataError, match=r"x_test of .* has bytes, up to"):
        task(str(tmp_path / "mixed.npz"))


@pytest.mark.parametrize("text", ["", "7", "[]", "[1.5]", '{"a": 1}', "[true]", "[" * 9999])
def test_names_that_are_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="labels that Volr cannot read"):
        as_trained(other(tmp_path, X, WORDS), {"data_scale": "[[0], [4]]", "data_labels": text}, 3)


def test_the_split_is_that_of_training_by_any_path(origin: dict[str, Any], tmp_path: Path) -> None:
    assert data_seed(origin, "./first.npz", None) == 7
    assert data_seed(origin, str(tmp_path / "moved.npz"), 1) == 7
    assert data_seed(origin, "digits", 1) == 1
    assert data_seed({"task": "digits", "seed": 7}, "./first.npz", None) == 0


def test_one_label_for_many_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"y_train of .* is one label"):
        other(tmp_path, X, 3)


def test_a_label_that_is_too_large_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 1: the label 1e\\+12"):
        other(tmp_path, X[:3], [0.0, 1e12, 2.0])
    assert other(tmp_path, X[:2], np.array([0, 2**63], np.uint64)).classes == 2
