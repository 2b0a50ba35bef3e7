"""What stands on the page: everything that the folder has, and a word about what it has not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.experiments.report.conftest import SPIKING, all_runs, write_runs, xor_runs

pytest.importorskip("matplotlib")
pytest.importorskip("numba")


from volr.errors import DataError
from volr.experiments.report.contents import _since, page_of
from volr.experiments.report.groups import by_task
from volr.experiments.report.parts import Section, Table, Words
from volr.experiments.report.tables import (
    result_table,
    settings_table,
    version_table,
)
from volr.experiments.results import Run, write_json
from volr.experiments.store.folder import Entry
from volr.experiments.store.hashed_json import sealed
from volr.experiments.store.plans import commands
from volr.experiments.study import Others, Reported, Study

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
    assert page.lead.startswith("5 runs, seeds 0–1, begun on 2 January 2026, 03:04 UTC.")
    titles = [section.title for section in page.sections]
    assert titles == ["Results", "xor", "mnist", "Versions, seeds, commands"]
    names = [each.name for each in page.drawings]
    assert len(set(names)) == len(names)
    kinds = [name.partition("-")[0] for name in names]
    assert kinds == [
        *("accuracy", "accuracy", "training", "time", "rates", "curves", "stimulus", "stimulus"),
        *("confusion", "confusion", "confusion"),
    ]
    assert all(each.title and each.description for each in page.drawings)
    assert not any("\\x" in each.title + each.caption for each in page.drawings)
    assert "volr experiment xor mnist --repeats 2" in words(page)
    assert "xor: dense 2 4 ⦶ dense 4 2" in words(page)


def test_results_with_what_is_known_of_them() -> None:
    groups = [group for each in by_task(xor_runs().values()) for group in each.groups]
    ann, snn = shown(result_table(groups))
    # Of 1 and 0.99: s = 0.0071, and Student's t of one degree of freedom, 12.706, by s/√2.
    assert ann[5:] == ("0.9950", "0.0071", "± 0.0635", "2", "0.480")
    assert snn[:5] == ("xor", "snn-transferred", "torch", "nest", "if_curr_exp")


def theirs(task: str, condition: str) -> Reported | None:
    known = {"ann": Reported(0.75), "snn-transferred": Reported(words="too slow")}
    return known.get(condition) if task == "xor" else None


STUDY = Study(
    others=Others(title="another", about="“Another” is made up", reported=theirs),
    apart=["ann"],
    sections=lambda tasks: [Section("more", f"More on {len(tasks)} tasks", ())],
)


def test_a_study_adds_numbers_of_others_and_sections(experiment: Path) -> None:
    page = page_of(experiment, study=STUDY)
    titles = [section.title for section in page.sections]
    # All that there is of MNIST stands in the study's own section.
    assert titles == ["Results", "xor", "More on 2 tasks", "Versions, seeds, commands"]
    assert "“Another” is made up; chance is always giving" in words(page)
    [accuracy] = [each for each in page.drawings if each.name.startswith("accuracy")]
    assert "diamonds the another's means" in accuracy.caption
    results, *_ = tables(page)
    assert [each.title for each in results.columns][-2:] == ["another", "chance"]
    assert [row[9] for row in shown(results)] == ["too slow"]


def test_numbers_of_others_beside_ours() -> None:
    groups = [group for each in by_task(all_runs().values()) for group in each.groups]
    rows = result_table(groups, STUDY.others).rows
    assert [(row[9].text, row[9].value) for row in rows] == [
        ("0.750", 0.75),
        ("too\u00a0slow", None),
        ("–", None),
    ]


def test_the_spikes_of_any_condition_are_looked_at(experiment: Path, tmp_path: Path) -> None:
    """Where there is nothing else whose spikes could be, of a study that is not at hand too."""
    folder = tmp_path / "other"
    shutil.copytree(experiment, folder)
    (run,) = (folder / "runs").glob("xor-0-snn-transferred*")
    content = json.loads(run.read_text(encoding="utf-8"))
    content["run"]["row"]["condition"] = content["spec"]["condition"] = "snn-of-1999"
    for each in (folder / "runs").glob("xor-*"):
        each.unlink()
    model = folder / "models" / f"{run.stem}.safetensors"
    model.rename(model.with_stem("xor-0-snn-of-1999-if_curr_exp"))
    write_json(
        sealed({key: content[key] for key in ("spec", "run")}),
        folder / "runs" / "xor-0-snn-of-1999-if_curr_exp.json",
    )
    page = page_of(folder)
    assert any("snn-of-1999" in each.title for each in page.drawings)


def test_the_plan_in_words() -> None:
    # Seeds and settings are the last command's; the runs have their own.
    content = {"seeds": [0, 1], "settings": [{"dt": 1}], "quick": True}
    plan = {"command": "volr", "versions": {"numpy": "2.3.5"}, **content, "odd": [None, 1]}
    assert shown(version_table(plan)) == [("versions: numpy", "2.3.5"), ("odd", "null, 1")]


def test_the_settings_of_runs_that_have_any() -> None:
    def entry(seed: int, condition: str, **settings: object) -> Entry:
        row = replace(SPIKING, task="xor", condition=condition, seed=seed)
        content = {"settings": {"neuron": row.neuron, **settings}}
        return Entry(f"xor-{seed}-{condition}", content, Run(row=row))

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


def test_a_reader_is_told_of_runs_made_with_other_versions(tmp_path: Path) -> None:
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


def test_an_experiment_that_was_cut_short(tmp_path: Path) -> None:
    run = replace(xor_runs()["xor-0-ann"], history=(), activity=None, confusion=())
    page = page_of(write_runs(tmp_path, {"xor-0-ann": run}, plan=None))
    said = words(page)
    for part in (
        "No training curves",
        "No accuracy against time",
        "No spikes to look at",
        "No synaptic operations",
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


def test_a_model_that_is_damaged_is_told(tmp_path: Path) -> None:
    name = "xor-0-snn-transferred-if_curr_exp"
    folder = write_runs(tmp_path, {name: xor_runs()[name]})
    (folder / "models").mkdir()
    (folder / "models" / f"{name}.safetensors").write_bytes(b"<b>no</b>")
    page = page_of(folder)
    assert "No spikes to look at: " in words(page)
    assert not [each for each in page.drawings if each.name.startswith("stimulus")]


def test_what_no_release_of_volr_calls_a_task(tmp_path: Path) -> None:
    run = replace(xor_runs()["xor-0-ann"], row=replace(SPIKING, task="$x_<i>\x1b", condition="$"))
    page = page_of(write_runs(tmp_path, {"a": run}))
    assert page.title == "Experiment: $x_<i>\\x1b"
    assert any("$, if_curr_exp" in each.svg for each in page.drawings)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished runs") as caught:
        page_of(tmp_path)
    assert caught.value.help is not None
