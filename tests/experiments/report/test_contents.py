"""What stands on the page: everything that the folder has, and a word about what it has not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.experiments.report.conftest import SPIKING, all_runs, write_runs, xor_runs

pytest.importorskip("matplotlib")
pytest.importorskip("numba")

from volr.errors import DataError, MissingError
from volr.experiments.report import contents
from volr.experiments.report.contents import _since, page_of
from volr.experiments.report.groups import by_task
from volr.experiments.report.parts import Table, Words
from volr.experiments.report.tables import (
    ablation_table,
    result_table,
    settings_table,
    version_table,
)
from volr.experiments.report.thesis import in_words, reported
from volr.experiments.results import Run, write_json
from volr.experiments.store.folder import Entry
from volr.experiments.store.hashed_json import sealed
from volr.experiments.store.plans import commands

if TYPE_CHECKING:
    from pathlib import Path

    from volr.experiments.report.parts import Page


def tables(page: Page) -> list[Table]:
    return [each for s in page.sections for each in s.parts if isinstance(each, Table)]


def words(page: Page) -> str:
    parts = [each for section in page.sections for each in section.parts]
    return "\n".join(each.text for each in parts if isinstance(each, Words))


def shown(table: Table) -> list[tuple[str, ...]]:
    return [tuple(cell.text.replace("\u00a0", " ") for cell in row) for row in table.rows]


def test_a_whole_experiment(page: Page) -> None:
    assert page.title == "Experiment: xor, mnist"
    assert page.lead.startswith("9 runs, seeds 0–1, begun on 2 January 2026, 03:04 UTC.")
    titles = [section.title for section in page.sections]
    assert titles == [
        *("Results", "xor", "mnist", "The original's method", "The original's neuron"),
        "Versions, seeds, commands",
    ]
    names = [each.name for each in page.drawings]
    assert len(set(names)) == len(names)
    kinds = [name.partition("-")[0] for name in names]
    assert kinds == [
        *("accuracy", "accuracy", "training", "time", "rates", "curves", "stimulus", "stimulus"),
        *("confusion", "confusion", "confusion", "ablation", "theory", "theory", "theory"),
    ]
    assert all(each.title and each.description for each in page.drawings)
    assert not any("\\x" in each.title + each.caption for each in page.drawings)
    assert "volr experiment xor mnist --repeats 2" in words(page)
    assert "xor: dense 2 4 ⦶ dense 4 2" in words(page)


def test_results_stand_beside_the_original() -> None:
    groups = [group for each in by_task(xor_runs().values()) for group in each.conditions]
    ann, snn = shown(result_table(groups))
    # Of 1 and 0.99: s = 0.0071, and Student's t of one degree of freedom, 12.706, by s/√2.
    assert ann[5:] == ("0.9950", "0.0071", "± 0.0635", "2", "1.000", "0.480")
    assert snn[:5] == ("xor", "snn-transferred", "torch", "nest", "if_curr_exp")
    assert snn[9] == "0.585 ± 0.033"


def test_the_original_has_no_number_where_its_network_crashed() -> None:
    assert reported("mnist-parallel", "snn-random") is None
    assert reported("mnist", "snn-finetuned") is None
    assert in_words("mnist-parallel", "original-transferred") == "crashed"
    assert in_words("mnist", "snn-finetuned") == ""
    assert in_words("xor", "snn-random") == "0.530 ± 0.038"


def test_its_numbers_stand_beside_its_method_too() -> None:
    for again, condition in (
        ("ann-original", "ann"),
        ("original-random", "snn-random"),
        ("original-transferred", "snn-transferred"),
    ):
        assert reported("mnist", again) == reported("mnist", condition) is not None


def test_the_spikes_of_the_originals_method_are_looked_at(experiment: Path, tmp_path: Path) -> None:
    """Where there is nothing else whose spikes could be."""
    folder = tmp_path / "original"
    shutil.copytree(experiment, folder)
    (run,) = (folder / "runs").glob("xor-0-snn-transferred*")
    told = json.loads(run.read_text(encoding="utf-8"))
    told["run"]["row"]["condition"] = told["spec"]["condition"] = "original-random"
    for each in (folder / "runs").glob("xor-*"):
        each.unlink()
    model = folder / "models" / f"{run.stem}.safetensors"
    model.rename(model.with_stem("xor-0-original-random-if_curr_exp"))
    write_json(
        sealed({key: told[key] for key in ("spec", "run")}),
        folder / "runs" / "xor-0-original-random-if_curr_exp.json",
    )
    page = page_of(folder)
    assert any("original-random" in each.title for each in page.drawings)


def test_a_step_gains_what_it_has_over_the_step_before() -> None:
    groups = [group for each in by_task(all_runs().values()) for group in each.ablation]
    rows = [(row[1], row[3], row[6]) for row in shown(ablation_table(groups))]
    assert rows == [
        ("original", "0.1000", "–"),
        ("+ signs", "0.3000", "+0.2000"),
        ("ours", "0.5000", "+0.2000"),
        ("ours − biases", "0.7000", "–"),
    ]


def test_the_plan_in_words() -> None:
    # Seeds and settings are the last command's; the runs have their own.
    told = {"seeds": [0, 1], "settings": [{"dt": 1}], "quick": True}
    plan = {"command": "volr", "versions": {"numpy": "2.3.5"}, **told, "odd": [None, 1]}
    assert shown(version_table(plan)) == [("versions: numpy", "2.3.5"), ("odd", "null, 1")]


def test_the_settings_of_runs_that_have_any() -> None:
    def entry(seed: int, condition: str, **settings: object) -> Entry:
        row = replace(SPIKING, task="xor", condition=condition, seed=seed)
        told = {"settings": {"neuron": row.neuron, **settings}}
        return Entry(f"xor-{seed}-{condition}", told, Run(row=row))

    entries = [
        *(entry(seed, "snn-random", dt=0.25, loop_epochs=3) for seed in range(2)),
        entry(0, "snn-surrogate"),
    ]
    assert shown(settings_table(entries)) == [
        ("xor", "snn-random", SPIKING.source, SPIKING.neuron, "dt 0.25, loop_epochs 3")
    ]


def test_the_commands_that_made_it_one_by_one() -> None:
    plan = {
        "command": "volr two",
        "started": "noon",
        "earlier": [{"command": "volr one", "started": "dawn"}, "odd", {}],
    }
    assert [each.get("command") for each in commands(plan)] == ["volr one", None, "volr two"]
    assert _since(plan) == ", begun on dawn"
    assert _since({"earlier": 7}) == _since({}) == ""


def without_theory(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> Any:
        raise MissingError("engine needs numba, which is not installed")

    monkeypatch.setattr(contents, "simulator", missing)


def test_a_reader_is_told_of_runs_made_with_other_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_theory(monkeypatch)
    runs = xor_runs()
    assert "Not all runs" not in words(page_of(write_runs(tmp_path / "same", runs)))
    first, *_ = runs
    made = {"volr": "1", "numpy": "4"}
    others = {
        key: replace(
            run, versions={"volr": "1", "numpy": "2", "nest": "3"} if key == first else made
        )
        for key, run in runs.items()
    }
    said = words(page_of(write_runs(tmp_path / "other", others)))
    assert "Not all runs were made with the same versions: numpy 2, 4; nest 3, none." in said


def test_an_experiment_that_was_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_theory(monkeypatch)
    run = replace(xor_runs()["xor-0-ann"], history=(), activity=None, confusion=())
    page = page_of(write_runs(tmp_path, {"xor-0-ann": run}, plan=None))
    said = words(page)
    for part in (
        "No training curves",
        "No accuracy against time",
        "No spikes to look at",
        "No synaptic operations",
        "The figures of the original are missing: engine needs numba",
        "plan.json is missing",
    ):
        assert part in said
    [results, runs] = tables(page)
    assert shown(results)[0][5:8] == ("1.0000", "–", "–")
    assert len(runs.rows) == 1
    assert [each.name for each in page.drawings] == ["accuracy-xor-1"]


def test_runs_with_other_classes_are_not_counted_together(tmp_path: Path) -> None:
    runs = {name: run for name, run in xor_runs().items() if name.endswith("-ann")}
    for confusion, said in ((((1,),), "1 runs together"), (((9, 1), (0, 9)), "2 runs together")):
        last = replace(runs["xor-1-ann"], confusion=confusion)
        page = page_of(write_runs(tmp_path, {**runs, "xor-1-ann": last}))
        [shown] = [each for each in page.drawings if each.name.startswith("confusion")]
        assert said in shown.caption


def test_a_model_that_is_damaged_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_theory(monkeypatch)
    name = "xor-0-snn-transferred-if_curr_exp"
    folder = write_runs(tmp_path, {name: xor_runs()[name]})
    (folder / "models").mkdir()
    (folder / "models" / f"{name}.safetensors").write_bytes(b"<b>no</b>")
    page = page_of(folder)
    assert "No spikes to look at: " in words(page)
    assert not [each for each in page.drawings if each.name.startswith("stimulus")]


def test_what_no_release_of_volr_calls_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_theory(monkeypatch)
    run = replace(xor_runs()["xor-0-ann"], row=replace(SPIKING, task="$x_<i>\x1b", condition="$"))
    page = page_of(write_runs(tmp_path, {"a": run}))
    assert page.title == "Experiment: $x_<i>\\x1b"
    assert any("$, if_curr_exp" in each.svg for each in page.drawings)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished runs") as caught:
        page_of(tmp_path)
    assert caught.value.help is not None
