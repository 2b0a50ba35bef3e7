"""`search`: what it finds, finds again after it was killed, and hands to the other commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.running import VOLR, environment, snapshot, wait_until

from volr.model_files.model_file import read_model_file
from volr.models.coding import ConstantCurrent
from volr.models.model import SpikingModel
from volr.neurons import IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

SEARCH = (
    *("search", "digits", "--condition", "ann", "--over", "learning_rate=1e-4..3e-2:log"),
    *("--over", "width=4..40", "--trials", "6", "--batch", "3", "--settings", "two.json"),
)


@pytest.fixture(autouse=True)
def _packages(folder: Path) -> None:
    for name in ("optuna", "sklearn", "torch"):
        pytest.importorskip(name)
    told = '{"settings": {"epochs": 2, "learning_rate": 0.0001}}'
    (folder / "two.json").write_text(told, encoding="utf-8")


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def result_of(folder: Path) -> tuple[Any, Any]:
    return read(folder / "best.json"), read(folder / "trials.json")


def test_killed_it_goes_on_with_another_number_of_processes_and_finds_the_same(
    volr: Volr, folder: Path
) -> None:
    done = volr(*SEARCH, "--processes", "1", "--out", "one")
    assert done.code == 0
    one = folder / "one"
    best, trials = result_of(one)
    # A third of the samples for all, the whole for the best of each batch.
    assert [each["seeds"] for each in trials["rungs"]] == [1, 1]
    states = [each["state"] for each in trials["trials"]]
    assert len(states) == 6
    assert {"pruned", "finished"} == set(states)
    assert best["validation accuracy"] > best["unless told"]
    assert best["settings"] == {"epochs": 2, "learning_rate": best["values"]["learning_rate"]}
    assert best["program"] == "dense 64 {0} ⦶ dense {0} 10".format(best["values"]["width"])
    assert f"best so far {best['validation accuracy']:.4f}, trial {best['trial']}" in done.err
    head, *rows = done.out.splitlines()
    assert head.split() == ["trial", "learning_rate", "width", "rung", "1", "validation"]
    assert rows[1].split()[0] == f"{best['trial']}"
    runs = snapshot(one / "runs")

    command = [*VOLR, *SEARCH, "--processes", "1", "--out", "two"]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len([*folder.glob("two/runs/*.json")]) >= 3)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    kept = snapshot(folder / "two" / "runs")
    assert 3 <= len(kept) < len(runs)
    assert volr(*SEARCH, "--processes", "2", "--out", "two").code == 0
    assert result_of(folder / "two") == (best, trials)
    again = snapshot(folder / "two" / "runs")
    assert again.keys() == runs.keys()
    assert {name: again[name] for name in kept if name.endswith("json")} == {
        name: body for name, body in kept.items() if name.endswith("json")
    }


FOUND = {
    "settings": {"epochs": 1, "dt": 1.0, "duration": 20.0, "neuron_parameters": {"tau_m": 10.0}},
    "task": "xor",
    "program": "dense 2 5 ⦶ dense 5 2",
}


def test_an_experiment_takes_what_was_found(volr: Volr, folder: Path) -> None:
    (folder / "best.json").write_text(json.dumps(FOUND), encoding="utf-8")
    options = ("--conditions", "ann", "--settings", "best.json", "--out", "r", "--processes", "1")
    assert volr("experiment", "nand", "xor", *options).code == 0
    rows = read(folder / "r" / "results.json")["rows"]
    # The program is that of its own task only.
    assert [(each["task"], each["program"]) for each in rows] == [
        ("nand", "dense 2 4 ⦶ dense 4 2"),
        ("xor", "dense 2 5 ⦶ dense 5 2"),
    ]
    (folder / "own.volr").write_text("dense 2 3 ⦶ dense 3 2", encoding="utf-8")
    assert volr("experiment", "xor", "--program", "own.volr", *options, "--fresh").code == 0
    rows = read(folder / "r" / "results.json")["rows"]
    assert [each["program"] for each in rows] == ["dense 2 3 ⦶ dense 3 2"]


def test_a_transfer_takes_the_rate_of_the_populations_from_the_file(
    volr: Volr, folder: Path, model: Path
) -> None:
    pytest.importorskip("numba")
    (folder / "s.json").write_text('{"settings": {"population_rate": 250.0}}', encoding="utf-8")
    plain = ("transfer", model, "--task", "xor", "--out", "s", "--rounds", "0", "--json")
    neuron = ("--neuron", "if_curr_exp")
    told = json.loads(volr(*plain, *neuron, "--population-rate", "250").out)
    read = json.loads(volr(*plain, "--settings", "s.json").out)
    assert read == told
    first = ("--settings", "s.json", "--population-rate", "500")
    assert json.loads(volr(*plain, *first).out) == json.loads(volr(*plain, *neuron).out) != told


def test_a_transfer_takes_what_was_found_and_is_told_otherwise(
    volr: Volr, folder: Path, model: Path
) -> None:
    pytest.importorskip("numba")
    (folder / "best.json").write_text(json.dumps(FOUND), encoding="utf-8")
    command = ("transfer", model, "--task", "xor", "--out", "s", "--settings", "best.json")

    def made(*options: str) -> SpikingModel:
        assert volr(*command, "--rounds", "0", *options).code == 0
        found = read_model_file(folder / "s").model
        assert isinstance(found, SpikingModel)
        return found

    found = made()
    assert (found.dt, found.duration, found.neuron) == (1.0, 20.0, IFCurrExp(tau_m=10.0))
    told = made("--dt", "0.5", "--neuron", "if_curr_delta", "-p", "cm=2", "--rate-max", "300")
    assert (told.dt, told.duration, told.neuron) == (0.5, 20.0, IFCurrDelta(cm=2.0, tau_m=10.0))
    assert made("-p", "tau_m=15").neuron == IFCurrExp(tau_m=15.0)
    assert told.coding == ConstantCurrent(300.0)
    (folder / "best.json").write_text('{"settings": {"dt": 0.3}}', encoding="utf-8")
    wrong = volr(*command)
    assert (wrong.code, "is not a whole number of steps" in wrong.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("xro",), "did you mean 'xor'?"),
        (("xor", "--condition", "snn-tranferred"), "did you mean 'snn-transferred'?"),
        (("xor", "--condition", "ours"), "choose one of ann, ann:futhark, ann-quantised"),
        (("xor", "--over", "percentil=90..99"), "did you mean 'percentile'?"),
        (("xor", "--over", "dt=0.1..0.1"), "the range 0.1..0.1 is empty"),
        (("xor", "--program", "nowhere.volr"), "there is no such file"),
        (("digits", "--program", "xor.volr"), "does not fit the task digits"),
        (("mnist", "--data", "nowhere"), "data folder nowhere is not"),
        (("digits", "--program", "max.volr"), "max.volr:3:3: error: engine lacks `maxpool`"),
        (("xor", "--on", "torch"), "torch runs artificial models and simulates nothing"),
        (("xor", "--on", "nset"), "did you mean 'nest'?"),
        (("xor", "--neuron", "if_curr_xep"), "did you mean 'if_curr_exp'?"),
        (("xor", "--dt", "0"), "dt is 0.0 ms"),
        (("xor", "--minutes", "nan"), "--minutes is nan"),
        (("xor", "--minutes", "-1"), "--minutes is -1.0"),
        (("xor", "--settings", "xor.volr"), "xor.volr is not JSON"),
        (("xor", "--settings", "bad.json"), "did you mean 'epochs'?"),
        (("xor", "--out", "xor.volr"), "cannot write in xor.volr: Not a directory"),
        (("xor", "--out", "/proc/volr"), "cannot write in /proc/volr: "),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(
    volr: Volr, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    pytest.importorskip("numba")
    (folder / "bad.json").write_text('{"settings": {"epoch": 2}}', encoding="utf-8")
    (folder / "max.volr").write_text(
        "\nconv [1 8 8] 2 3\n⦶ maxpool _ 2 ⦶ dense _ 10", encoding="utf-8"
    )
    before = snapshot(folder)
    result = volr("search", *arguments)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert snapshot(folder) == before


@pytest.mark.parametrize("option", ["--trials", "--repeats", "--batch"])
def test_more_than_can_ever_be_made_is_a_matter_of_usage(volr: Volr, option: str) -> None:
    result = volr("search", "xor", option, "100000000")
    assert (result.code, result.out) == (2, "")
    assert option in result.err
    assert "should be less than or equal to 1" in result.err


def test_what_is_found_is_not_what_its_task_has_unless_told(volr: Volr, folder: Path) -> None:
    pytest.importorskip("numba")
    options = ("--condition", "snn-random", "--on", "engine", "--minutes", "0", "--out", "s")
    (folder / "short.json").write_text(
        '{"settings": {"duration": 5, "dt": 1, "loop_samples": 100}}', encoding="utf-8"
    )
    result = volr("search", "nand", *options, "--settings", "short.json", "--processes", "1")
    assert result.code == 0, result.err
    # The experiment adds that for each task.
    assert read(folder / "s" / "best.json")["settings"] == {
        "neuron": "if_curr_exp",
        "duration": 5.0,
        "dt": 1.0,
        "loop_samples": 100,
    }


def test_no_time_leaves_the_settings_as_they_are(volr: Volr, folder: Path) -> None:
    options = ("--processes", "1", "--minutes", "0", "--json")
    result = volr(*SEARCH, *options)
    assert result.code == 0
    found = json.loads(result.out)
    assert found["trials"] == []
    assert found["best"]["settings"] == {"epochs": 2, "learning_rate": 0.0001}
    assert found["best"] == read(folder / "search" / "best.json")
    assert "no trial was better than the settings as they are" in result.err


def test_the_file_that_it_begins_with_is_not_moved_away(volr: Volr, folder: Path) -> None:
    options = ("--processes", "1", "--minutes", "0")
    assert volr(*SEARCH, *options).code == 0
    before = snapshot(folder)
    again = volr(*SEARCH, *options, "--settings", "search/best.json")
    assert again.code == 1
    assert "search/best.json: that is the file to read from, which would be lost" in again.err
    assert snapshot(folder) == before


def test_one_that_is_damaged_can_be_begun_anew(volr: Volr, folder: Path) -> None:
    options = ("--processes", "1", "--minutes", "0")
    assert volr(*SEARCH, *options).code == 0
    (folder / "search" / "search.json").write_text("x", encoding="utf-8")
    damaged = volr(*SEARCH, *options)
    assert damaged.code == 1
    assert "search.json is damaged" in damaged.err
    assert "remove it: the runs stay" in damaged.err
    assert volr(*SEARCH, *options, "--fresh").code == 0
    assert (folder / "search" / "earlier-1" / "search.json").read_text(encoding="utf-8") == "x"


def test_a_run_that_is_damaged_is_named(volr: Volr, folder: Path) -> None:
    options = ("--processes", "1", "--minutes", "0")
    assert volr(*SEARCH, *options).code == 0
    (run,) = (folder / "search" / "runs").glob("*.json")
    run.write_text('{"spec": {', encoding="utf-8")
    result = volr(*SEARCH, *options)
    assert result.code == 1
    assert f"search/runs/{run.name} is damaged" in result.err
    assert volr(*SEARCH, *options, "--fresh").code == 0
