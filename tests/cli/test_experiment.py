"""`experiment`: results.json to the letter, the table, and what happens to earlier results."""

from __future__ import annotations

import json
import statistics
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import snapshot

from volr.models.files import load_model
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

QUICK = ("--epochs", "2", "--duration", "10", "--dt", "1")
ROW = {
    "task",
    "condition",
    "backend",
    "seed",
    "accuracy",
    "chance",
    "seconds",
    "samples",
    "ties",
    "program",
}


@pytest.fixture(autouse=True)
def _backends() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    if find_spec("nest") is None:
        pytest.skip("needs nest-simulator")


def test_rows_summary_table_and_models(volr: Volr, folder: Path) -> None:
    result = volr(
        "experiment", "nand", "xor", "--repeats", "2", "--seed", "7", "--out", "r", *QUICK
    )
    assert result.code == 0
    found = json.loads((folder / "r" / "results.json").read_text(encoding="utf-8"))
    assert set(found) == {"rows", "summary"}
    rows = found["rows"]
    conditions = [("ann", "torch"), ("snn-transferred", "nest")]
    expected = [
        (task, *condition, seed)
        for task in ("nand", "xor")
        for seed in (7, 8)
        for condition in conditions
    ]
    assert [(r["task"], r["condition"], r["backend"], r["seed"]) for r in rows] == expected
    for row in rows:
        assert set(row) == ROW
        assert 0 <= row["accuracy"] <= 1
        assert 0 < row["chance"] < 1
        assert row["seconds"] > 0
        assert row["program"] == "dense 2 4 ⦶ dense 4 2"
    groups = [(task, *condition) for task in ("nand", "xor") for condition in conditions]
    assert found["summary"] == [
        {
            "task": task,
            "condition": condition,
            "backend": backend,
            "mean": pytest.approx(statistics.mean(values)),
            "std": pytest.approx(statistics.stdev(values)),
            "n": 2,
        }
        for task, condition, backend in groups
        for values in [
            [r["accuracy"] for r in rows if (r["task"], r["condition"]) == (task, condition)]
        ]
    ]
    head, *lines = result.out.splitlines()
    assert head.split() == ["task", "condition", "backend", "accuracy", "n", "chance"]
    assert [tuple(line.split()[:3]) for line in lines] == groups
    for line, each in zip(lines, found["summary"], strict=True):
        assert line.split()[3:7] == [f"{each['mean']:.3f}", "±", f"{each['std']:.3f}", "2"]
    assert "8/8  xor, seed 8: snn-transferred on nest " in result.err
    assert result.err.endswith("wrote r/results.json\n")
    for task, condition, _, seed in expected:
        loaded = load_model(folder / "r" / "models" / f"{task}-{seed}-{condition}.safetensors")
        kind = ArtificialModel if condition == "ann" else SpikingModel
        assert isinstance(loaded.model, kind)
        assert loaded.origin == {"task": task, "seed": seed, "condition": condition}
        if isinstance(loaded.model, SpikingModel):
            assert (loaded.model.duration, loaded.model.dt) == (10.0, 1.0)


def test_evaluate_finds_the_accuracies_of_the_table(volr: Volr, folder: Path) -> None:
    assert volr("experiment", "nand", "--seed", "2", *QUICK).code == 0
    found = json.loads((folder / "results" / "results.json").read_text(encoding="utf-8"))
    for row in found["rows"]:
        model = f"results/models/nand-2-{row['condition']}.safetensors"
        on = ("--on", row["backend"])
        again = json.loads(volr("evaluate", model, "--task", "nand", *on, "--json").out)
        assert {
            key: again[key] for key in ("accuracy", "backend", "chance", "seed", "samples")
        } == {key: row[key] for key in ("accuracy", "backend", "chance", "seed", "samples")}


def test_another_program_and_json(volr: Volr, folder: Path) -> None:
    arguments = ("experiment", "nand", "--program", "-", "--json", *QUICK)
    result = volr(*arguments, stdin=b"dense 2 3 >> dense 3 2\n")
    assert result.code == 0
    written = (folder / "results" / "results.json").read_text(encoding="utf-8")
    assert json.loads(result.out) == json.loads(written)
    assert {row["program"] for row in json.loads(written)["rows"]} == {"dense 2 3 >> dense 3 2"}


def test_earlier_results_and_models_are_kept_under_other_names(volr: Volr, folder: Path) -> None:
    results = folder / "results"
    (results / "models").mkdir(parents=True)
    kept = {
        "results.json": "an hour's work",
        "results.1.json": "yesterday's",
        "models/m": "a model",
    }
    for name, text in kept.items():
        (results / name).write_text(text, encoding="utf-8")
    result = volr("experiment", "nand", *QUICK)
    assert result.code == 0
    names = "results/results.2.json and results/models.2"
    assert f"the earlier results are now {names}\n" in result.err
    found = snapshot(results)
    assert found["results.2.json"] == b"an hour's work"
    assert found["results.1.json"] == b"yesterday's"
    assert found["models.2/m"] == b"a model"
    assert len(json.loads(found["results.json"])["rows"]) == 2
    assert "models/nand-0-ann.safetensors" in found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nand", "xro"), "did you mean 'xor'?"),
        (("nand", "mnist", "--data", "nowhere"), "data folder nowhere is not"),
        (("nand", "digits", "--program", "xor.volr"), "does not fit the task digits"),
        (("nand", "--program", "nowhere.volr"), "there is no such file"),
        (("nand", "--duration", "nan"), "duration is nan ms"),
        (("nand", "--dt", "0"), "dt is 0.0 ms"),
        (("nand", "--out", "xor.volr"), "Not a directory"),
        (("nand", "--out", "/proc/volr"), "cannot write /proc/volr/results.json"),
        (("nand", "--out", "blocked"), "cannot write blocked/models/"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained_or_changed(
    volr: Volr,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setattr("volr.experiments.runner.train_ann", training)
    (folder / "results").mkdir()
    (folder / "results" / "results.json").write_text("an hour's work", encoding="utf-8")
    (folder / "blocked").mkdir()
    (folder / "blocked" / "models").touch()
    before = snapshot(folder)
    result = volr("experiment", *arguments)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert snapshot(folder) == before


def training(*_: object, **__: object) -> None:
    pytest.fail("it trained")
