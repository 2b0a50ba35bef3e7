"""Rows and their summary, against NumPy and SciPy; and files that are written whole."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiments.examples import ROW

from volr.errors import DataError
from volr.experiments.results import results_json, summarise, write_json, write_results

if TYPE_CHECKING:
    from pathlib import Path

    from volr.experiments.results import Row

KEYS = [
    ("xor", "ann", "torch", "torch", ""),
    ("xor", "ann", "futhark", "futhark", ""),
    ("nand", "snn-transferred", "torch", "nest", "if_curr_exp"),
    ("nand", "snn-transferred", "torch", "nest", "if_cond_exp"),
    ("nand", "snn-transferred", "torch", "engine", "if_curr_exp"),
]


def rows() -> list[Row]:
    """Five groups that differ in one thing from another, mixed, some of them larger."""
    random = np.random.default_rng(0)
    return [
        replace(
            ROW,
            **dict(zip(("task", "condition", "source", "backend", "neuron"), key, strict=True)),
            seed=seed,
            accuracy=float(random.random()),
            chance=float(random.random()),
        )
        for seed in range(4)
        for key in KEYS[: 5 if seed == 1 else 4]
    ]


def test_a_summary_is_mean_deviation_and_interval_in_the_order_of_the_rows() -> None:
    stats = pytest.importorskip("scipy.stats")
    found = summarise(rows())
    keys = [(each.task, each.condition, each.source, each.backend, each.neuron) for each in found]
    assert keys == KEYS
    assert [each.n for each in found] == [4, 4, 4, 4, 1]
    for key, each in zip(keys, found, strict=True):
        group = [r for r in rows() if (r.task, r.condition, r.source, r.backend, r.neuron) == key]
        accuracies = np.array([row.accuracy for row in group])
        assert each.mean == pytest.approx(accuracies.mean())
        assert each.chance == pytest.approx(np.mean([row.chance for row in group]))
        if each.n == 1:
            assert (each.std, each.half) == (None, None)
            continue
        assert each.std == pytest.approx(accuracies.std(ddof=1))
        low, high = stats.t.interval(
            0.95, each.n - 1, loc=accuracies.mean(), scale=stats.sem(accuracies)
        )
        assert each.half is not None
        assert each.mean - each.half == pytest.approx(low, abs=1e-5)
        assert each.mean + each.half == pytest.approx(high, abs=1e-5)


@given(st.integers(2, 200))
def test_the_interval_is_students_for_any_number_of_runs(n: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(n)
    values = random.normal(size=n)
    (found,) = summarise([replace(ROW, accuracy=float(each)) for each in values])
    half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)
    assert found.half == pytest.approx(half, rel=5e-5)


def test_equal_accuracies_deviate_by_exactly_nothing() -> None:
    (found,) = summarise([replace(ROW, seed=seed, accuracy=0.1) for seed in range(10)])
    assert (found.mean, found.std, found.half) == (0.1, 0.0, 0.0)


def test_the_json_has_all_that_a_reader_compares() -> None:
    found = results_json([ROW])
    assert found == {
        "rows": [asdict(ROW)],
        "summary": [
            {
                "task": "xor",
                "condition": "snn-transferred",
                "source": "torch",
                "backend": "nest",
                "neuron": "if_curr_exp",
                # Nothing is known of the deviation of a single run.
                "mean": 0.5,
                "std": None,
                "half": None,
                "n": 1,
                "chance": 0.25,
            }
        ],
    }
    assert found["rows"][0]["ties"] == 0.125
    assert results_json([]) == {"rows": [], "summary": []}
    (summary,) = results_json([ROW, replace(ROW, accuracy=1.0)])["summary"]
    # Of two: t is 12.7062, the deviation √2/4, the root of n √2.
    assert summary["half"] == pytest.approx(12.7062 / 4)


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
    with pytest.raises(DataError, match=r"cannot write /dev/full/x"):
        write_json({}, tmp_path.joinpath("/dev/full/x"))


@given(st.text() | st.just("volr --out \udcff"))
def test_any_command_line_can_be_kept(tmp_path_factory: pytest.TempPathFactory, said: str) -> None:
    path = tmp_path_factory.getbasetemp() / "said.json"
    write_json({"command": said}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"command": said}
