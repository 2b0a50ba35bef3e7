"""Rows and their summary, against NumPy; and files that earlier results survive in."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.errors import DataError
from volr.experiments.results import Row, keep_earlier, results_json, summarise, write_results

if TYPE_CHECKING:
    from pathlib import Path

ROW = Row(
    task="xor",
    condition="ann",
    backend="torch",
    seed=0,
    accuracy=0.5,
    chance=0.25,
    seconds=1.5,
    samples=100,
    ties=0.0,
    program="dense 2 4 ⦶ dense 4 2",
)


def rows() -> list[Row]:
    """Three groups of different sizes, mixed, the last in the alphabet first."""
    random = np.random.default_rng(0)
    keys = [("xor", "ann", "torch"), ("nand", "ann", "torch"), ("nand", "snn", "nest")]
    return [
        replace(
            ROW,
            task=task,
            condition=condition,
            backend=backend,
            seed=seed,
            accuracy=float(random.random()),
            chance=float(random.random()),
        )
        for seed in range(4)
        for task, condition, backend in keys[: 3 if seed == 1 else 2]
    ]


def test_a_summary_is_mean_and_sample_deviation_in_the_order_of_the_rows() -> None:
    found = summarise(rows())
    assert [(each.task, each.condition, each.n) for each in found] == [
        ("xor", "ann", 4),
        ("nand", "ann", 4),
        ("nand", "snn", 1),
    ]
    for each in found:
        group = [r for r in rows() if (r.task, r.condition) == (each.task, each.condition)]
        accuracies = np.array([row.accuracy for row in group])
        assert each.mean == pytest.approx(accuracies.mean())
        assert each.std == pytest.approx(accuracies.std(ddof=1) if each.n > 1 else 0.0)
        assert each.chance == pytest.approx(np.mean([row.chance for row in group]))
        assert each.backend == group[0].backend


def test_equal_accuracies_deviate_by_exactly_nothing() -> None:
    (found,) = summarise([replace(ROW, seed=seed, accuracy=0.1) for seed in range(10)])
    assert (found.mean, found.std) == (0.1, 0.0)


def test_the_json_is_that_of_the_issue() -> None:
    (row,), (summary,) = results_json([ROW]).values()
    assert row == {
        "task": "xor",
        "condition": "ann",
        "backend": "torch",
        "seed": 0,
        "accuracy": 0.5,
        "chance": 0.25,
        "seconds": 1.5,
        "samples": 100,
        "ties": 0.0,
        "program": "dense 2 4 ⦶ dense 4 2",
    }
    assert summary == {
        "task": "xor",
        "condition": "ann",
        "backend": "torch",
        "mean": 0.5,
        "std": 0.0,
        "n": 1,
    }
    assert results_json([]) == {"rows": [], "summary": []}


def test_results_are_written_whole_into_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    write_results(rows(), folder)
    write_results([ROW], folder)
    text = (folder / "results.json").read_text(encoding="utf-8")
    assert json.loads(text) == results_json([ROW])
    assert "⦶" in text
    assert text.endswith("}\n")
    assert [path.name for path in folder.iterdir()] == ["results.json"]


def test_a_folder_that_cannot_be_is_an_error_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot write .*file/results\.json: "):
        write_results([ROW], tmp_path / "file")


def test_earlier_results_and_models_get_the_first_number_free_for_both(tmp_path: Path) -> None:
    assert keep_earlier(tmp_path) == ()
    assert keep_earlier(tmp_path / "missing") == ()
    for number in (1, 2):
        write_results([], tmp_path)
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "model").write_text(f"{number}", encoding="utf-8")
        kept = tmp_path / f"results.{number}.json", tmp_path / f"models.{number}"
        assert keep_earlier(tmp_path) == kept
    (tmp_path / "results.1.json").unlink()
    write_results([ROW], tmp_path)
    assert keep_earlier(tmp_path) == (tmp_path / "results.3.json",)
    assert keep_earlier(tmp_path) == ()
    names = {"results.2.json", "results.3.json", "models.1", "models.2"}
    assert {path.name for path in tmp_path.iterdir()} == names
    kept_models = [(tmp_path / f"models.{n}" / "model").read_text(encoding="utf-8") for n in (1, 2)]
    assert kept_models == ["1", "2"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may rename everywhere")
def test_earlier_results_that_cannot_be_kept_are_an_error_message(tmp_path: Path) -> None:
    write_results([ROW], tmp_path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match="cannot rename the earlier results"):
            keep_earlier(tmp_path)
    finally:
        tmp_path.chmod(0o700)
