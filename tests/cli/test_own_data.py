"""Data of one's own on the command line: a path in place of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.model_files.model_file import read_model_file

pytest.importorskip("torch")
pytest.importorskip("numba")

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr


@pytest.fixture
def data(folder: Path) -> Path:
    """Two clouds of points, in units of their own."""
    rng = np.random.default_rng(0)
    words = np.array(["low", "high"])[np.arange(80) % 2]
    x = rng.normal(0, 0.4, (80, 3)) + np.where(words == "low", -1, 1)[:, None] * [1, 20, 3]
    np.savez(folder / "clouds.npz", x=x, y=words)
    (folder / "net.volr").write_text("dense 3 4 ⦶ dense 4 2")
    return folder / "clouds.npz"


def test_all_commands_take_a_path(volr: Volr, folder: Path, data: Path) -> None:
    result = volr("train", "net.volr", "--task", data, "--out", "ann", "--epochs", "30")
    assert result.code == 0
    assert "labels are counted from 0, in this order: high, low" in result.err
    assert "of each column in training become 0 and 1" in result.err
    origin = read_model_file(folder / "ann").origin
    assert origin["task"] == str(data)
    assert str(origin["data_scale"]).startswith("[[")
    result = volr("transfer", "ann", "--coding", "first-spike", "--task", data, "--out", "snn")
    assert result.code == 0
    assert "proved: for every stimulus" in result.out
    assert read_model_file(folder / "snn").origin["data_scale"] == origin["data_scale"]
    for model in ("ann", "snn"):
        result = volr("evaluate", model, "--task", data, "--json")
        assert result.code == 0
        assert '"samples": 16' in result.out
    assert volr("quantise", "ann", "--task", data, "--out", "whole").code == 0
    assert volr("verify", "snn", "--against", "whole", "--task", data, "--samples", "9").code == 0


def test_a_model_scales_other_data_as_its_own(volr: Volr, folder: Path, data: Path) -> None:
    assert volr("train", "net.volr", "--task", data, "--out", "ann", "--epochs", "30").code == 0
    with np.load(data) as held:
        x, y = held["x"], held["y"]
    # The same clouds, but only their inner points: a scale of their own would move them.
    np.savez(folder / "inner.npz", x_train=x[:4] / 2, y_train=y[:4], x_test=x / 2, y_test=y)
    result = volr("evaluate", "ann", "--task", folder / "inner.npz", "--json")
    assert result.code == 0
    assert '"accuracy": 1.0' in result.out


def test_a_path_that_leads_nowhere(volr: Volr, folder: Path, data: Path) -> None:
    result = volr("train", "net.volr", "--task", "cloud.npz", "--out", "ann")
    assert result.code == 1
    assert "did you mean 'clouds.npz'?" in result.err
    result = volr("experiment", data)
    assert result.code == 1
    assert "experiments take tasks by their names" in result.err
    assert folder == data.parent


def test_a_model_counts_labels_as_its_own(volr: Volr, folder: Path, data: Path) -> None:
    trained = volr(
        *("train", "net.volr", "--task", data, "--out", "ann", "--epochs", "30", "--seed", "5")
    )
    assert trained.code == 0
    assert read_model_file(folder / "ann").origin["data_labels"] == '["high", "low"]'
    with np.load(data) as held:
        x, y = held["x"], held["y"]
    # Without "high", "low" would be counted as 0.
    rows = y == "low"
    np.savez(folder / "low.npz", x_train=x[rows], y_train=y[rows], x_test=x[rows], y_test=y[rows])
    result = volr("evaluate", "ann", "--task", folder / "low.npz", "--json")
    assert result.code == 0
    assert '"accuracy": 1.0' in result.out
    assert "labels are counted in this order: high, low" in result.err
    np.savez(folder / "other.npz", x=x, y=np.where(rows, "deep", y))
    result = volr("evaluate", "ann", "--task", folder / "other.npz")
    assert result.code == 1
    assert "the label 'deep' is not one of those in the model's training" in result.err
    # By any path, the test samples are those that training has not seen.
    copied = folder / "copied.npz"
    copied.write_bytes(data.read_bytes())
    assert '"seed": 5' in volr("evaluate", "ann", "--task", copied, "--json").out
