"""`experiment`: its folder and table; and what becomes of them when it is cut short and goes on."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import statistics
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cli.running import VOLR, children, environment, snapshot, terminal, wait_until
from tests.experiments.execution.planted import plant

from volr.experiments.store.folder import open_journal
from volr.model_files.model_file import read_model_file
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cli.running import Volr

SMALL = ("--epochs", "2", "--duration", "10", "--dt", "1", "--on", "engine")
TWO = ("--conditions", "ann,snn-transferred")
QUICK = (*SMALL, *TWO, "--processes", "1")
CONDITIONS = [("ann", "torch"), ("snn-transferred", "engine")]


@pytest.fixture(autouse=True)
def _backends() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")


def results(folder: Path) -> Any:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def compared(folder: Path) -> Mapping[str, Any]:
    """All that an experiment leaves, but for times and what was typed."""
    files: dict[str, Any] = {
        name: json.loads(body) if name.endswith(".json") else body
        for name, body in snapshot(folder).items()
        if name not in ("plan.json", ".lock") and not name.startswith("earlier")
    }
    rows = files["results.json"]["rows"]
    rows = rows + [file["run"]["row"] for name, file in files.items() if name.startswith("runs/")]
    for row in rows:
        del row["seconds"]
    for name, file in files.items():
        if name.startswith("runs/"):
            del file["sha256"]  # of the time as well
    return files


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Which files runs and models are, and when they were written."""
    paths = [*folder.glob("runs/*.json"), *folder.glob("models/*.safetensors")]
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def test_rows_summary_table_and_models(volr: Volr, folder: Path) -> None:
    result = volr(
        "experiment", "nand", "xor", "--repeats", "2", "--seed", "7", "--out", "r", *QUICK
    )
    assert result.code == 0
    found = results(folder / "r")
    assert set(found) == {"rows", "summary"}
    rows = found["rows"]
    expected = [
        (task, *condition, seed)
        for seed in (7, 8)
        for task in ("nand", "xor")
        for condition in CONDITIONS
    ]
    assert [(r["task"], r["condition"], r["backend"], r["seed"]) for r in rows] == expected
    for row in rows:
        assert 0 <= row["accuracy"] <= 1
        assert 0 < row["chance"] < 1
        assert row["seconds"] > 0
        assert row["program"] == "dense 2 4 ⦶ dense 4 2"
        assert row["neuron"] == ("" if row["condition"] == "ann" else "if_curr_exp")
    groups = [(task, *condition) for task in ("nand", "xor") for condition in CONDITIONS]
    summary = found["summary"]
    assert [(each["task"], each["condition"], each["backend"]) for each in summary] == groups
    for each in summary:
        key = each["task"], each["condition"]
        values = [r["accuracy"] for r in rows if (r["task"], r["condition"]) == key]
        assert each["mean"] == pytest.approx(statistics.mean(values))
        assert each["std"] == pytest.approx(statistics.stdev(values))
        assert each["n"] == 2
    head, *lines = result.out.splitlines()
    assert head.split("  ")[0] == "task"
    for line, each in zip(lines, summary, strict=True):
        assert line.split()[:2] == [each["task"], each["condition"]]
        assert f"{each['mean']:.3f} ± {each['std']:.3f}" in line
    assert "8/8  xor, seed 8: snn-transferred on engine " in result.err
    assert result.err.endswith("wrote r/results.json\n")
    for task, condition, _, seed in expected:
        suffix = "" if condition == "ann" else "-if_curr_exp"
        name = f"{task}-{seed}-{condition}{suffix}.safetensors"
        loaded = read_model_file(folder / "r" / "models" / name)
        assert isinstance(loaded.model, ArtificialModel if condition == "ann" else SpikingModel)
        assert (loaded.origin["task"], loaded.origin["seed"]) == (task, seed)
        if isinstance(loaded.model, SpikingModel):
            assert (loaded.model.duration, loaded.model.dt) == (10.0, 1.0)
    plan = json.loads((folder / "r" / "plan.json").read_text(encoding="utf-8"))
    assert plan["seeds"] == [7, 8]
    assert plan["command"].startswith("volr")


def test_evaluate_finds_the_accuracies_of_the_table(volr: Volr, folder: Path) -> None:
    assert volr("experiment", "nand", "--seed", "2", *QUICK).code == 0
    for row in results(folder / "results")["rows"]:
        (model,) = (folder / "results" / "models").glob(f"nand-2-{row['condition']}*")
        on = ("--on", row["backend"])
        again = json.loads(volr("evaluate", model, "--task", "nand", *on, "--json").out)
        same = ("accuracy", "backend", "chance", "seed", "samples")
        assert {key: again[key] for key in same} == {key: row[key] for key in same}


def test_another_program_and_json(volr: Volr, folder: Path) -> None:
    arguments = ("experiment", "nand", "--program", "-", "--json", *QUICK)
    result = volr(*arguments, stdin=b"dense 2 3 >> dense 3 2\n")
    assert result.code == 0
    found = results(folder / "results")
    assert json.loads(result.out) == found
    assert {row["program"] for row in found["rows"]} == {"dense 2 3 >> dense 3 2"}


def test_the_same_again_makes_nothing_and_more_only_what_is_missing(
    volr: Volr, folder: Path
) -> None:
    kept = folder / "results"
    assert volr("experiment", "nand", *SMALL, "--conditions", "ann", "--processes", "1").code == 0
    first = stamps(kept)
    assert len(first) == 2
    plan = (kept / "plan.json").read_bytes()
    again = volr("experiment", "nand", *SMALL, "--conditions", "ann", "--json")
    assert "1 of 1 runs are in results already" in again.err
    assert (kept / "plan.json").read_bytes() == plan
    assert stamps(kept) == first
    more = volr("experiment", "nand", "--repeats", "2", *QUICK)
    assert "1 of 4 runs are in results already" in more.err
    assert "4/4  nand, seed 1" in more.err
    second = stamps(kept)
    assert len(second) == 8
    assert {name: second[name] for name in first} == first
    assert len(results(kept)["rows"]) == 4
    # Killed between the last run and the table.
    before = results(kept)
    (kept / "results.json").unlink()
    assert volr("experiment", "nand", "--repeats", "2", *QUICK).code == 0
    assert results(kept) == before
    assert stamps(kept) == second
    assert not list(kept.glob("earlier-*"))


def test_other_settings_and_older_results_are_moved_aside(volr: Volr, folder: Path) -> None:
    kept = folder / "results"
    (kept / "models").mkdir(parents=True)
    (kept / "results.json").write_text("an hour's work", encoding="utf-8")
    (kept / "models" / "m").write_text("a model", encoding="utf-8")
    result = volr("experiment", "nand", *QUICK)
    assert (result.code, result.err.splitlines()[0]) == (
        0,
        "the earlier results are now in results/earlier-1",
    )
    older = snapshot(kept / "earlier-1")
    assert older == {"results.json": b"an hour's work", "models/m": b"a model"}
    (kept / "report.html").write_text("of these results", encoding="utf-8")
    before = compared(kept)
    other = volr("experiment", "nand", *QUICK, "--duration", "12")
    assert "the earlier results are now in results/earlier-2" in other.err
    assert "already" not in other.err
    assert compared(kept / "earlier-2") == before
    assert not (kept / "report.html").exists()
    fresh = volr("experiment", "nand", *QUICK, "--duration", "12", "--fresh")
    assert "the earlier results are now in results/earlier-3" in fresh.err
    assert compared(kept / "earlier-3") == compared(kept)


def test_a_damaged_run_is_an_error_message_and_can_be_begun_anew(volr: Volr, folder: Path) -> None:
    arguments = ("experiment", "nand", *SMALL, "--conditions", "ann", "--processes", "1")
    assert volr(*arguments).code == 0
    path = folder / "results" / "runs" / "nand-0-ann.json"
    path.write_bytes(path.read_bytes()[:100])
    before = snapshot(folder)
    result = volr(*arguments)
    assert (result.code, result.out) == (1, "")
    assert "results/runs/nand-0-ann.json is damaged: it is not JSON" in result.err
    assert "remove it, and the run is made again" in result.err
    assert snapshot(folder) == before
    assert volr(*arguments, "--fresh").code == 0
    assert (folder / "results" / "earlier-1" / "runs" / "nand-0-ann.json").exists()
    path.unlink()
    assert volr(*arguments).code == 0
    assert path.exists()


def test_a_model_that_was_cut_short_is_made_again(volr: Volr, folder: Path) -> None:
    assert volr("experiment", "nand", *QUICK).code == 0
    before = compared(folder / "results")
    path = folder / "results" / "models" / "nand-0-ann.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    again = volr("experiment", "nand", *QUICK)
    assert again.code == 0
    assert "1 of 2 runs are in results already" in again.err
    assert compared(folder / "results") == before


def test_runs_that_others_were_made_with_are_told(volr: Volr, folder: Path) -> None:
    arguments = ("experiment", "nand", *SMALL, "--conditions", "ann")
    assert "made with" not in volr(*arguments).err
    path = folder / "results" / "runs" / "nand-0-ann.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["run"]["versions"]["numpy"] = "0.\x1b1"
    path.write_text(json.dumps({key: told[key] for key in ("spec", "run")}), encoding="utf-8")
    # Of a single run there is nothing to tell; of one more, what it is going to be made with.
    assert "made with" not in volr(*arguments).err
    more = volr(*arguments, "--repeats", "2")
    said = f"not all runs of this table are made with the same: numpy 0.\\x1b1, {np.__version__}"
    assert said in more.err
    assert "--fresh makes all of them again" in more.err
    assert said in volr(*arguments, "--repeats", "2").err


def test_a_full_disk_keeps_what_is_whole(
    volr: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("experiment", "nand", "--repeats", "2", *QUICK)
    real = os.fsync
    room = 12

    def full(descriptor: int) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = volr(*arguments)
    assert result.code == 1
    assert "cannot write" in result.err
    assert "No space left on device" in result.err
    before = stamps(folder / "results")
    assert 0 < len(before) < 8
    assert not list(folder.rglob("*.part"))
    assert volr(*arguments).code == 0
    after = stamps(folder / "results")
    assert len(after) == 8
    finished = {Path(name).stem for name in before if name.endswith(".json")}
    assert finished
    assert {n: s for n, s in after.items() if Path(n).stem in finished} == {
        n: s for n, s in before.items() if Path(n).stem in finished
    }


def test_one_experiment_at_a_time_writes_to_a_folder(volr: Volr, folder: Path) -> None:
    with open_journal(folder / "results"):
        before = snapshot(folder)
        result = volr("experiment", "nand", *QUICK)
        assert snapshot(folder) == before
    assert result.code == 1
    assert "another process is writing to results" in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nand", "xro"), "did you mean 'xor'?"),
        (("nand", "mnist", "--data", "nowhere"), "data folder nowhere is not"),
        (("digits", "--program", "max.volr"), "max.volr:3:3: error: engine lacks `maxpool`"),
        (("nand", "digits", "--program", "xor.volr"), "does not fit the task digits"),
        (("nand", "--program", "nowhere.volr"), "there is no such file"),
        (("nand", "--duration", "nan"), "duration is nan ms"),
        (("nand", "--dt", "0"), "dt is 0.0 ms"),
        (("nand", "--conditions", "ann,snn"), "there is no condition 'snn'"),
        (("nand", "--neuron", "if_cur_exp"), "did you mean 'if_curr_exp'?"),
        (("nand", "--settings", "nowhere.json"), "cannot read nowhere.json"),
        (("nand", "--settings", "xor.volr"), "xor.volr is not JSON"),
        (("nand", "--conditions", "snn-surrogate", "--on", "torch"), "simulates nothing"),
        (("nand", "--out", "xor.volr"), "cannot write in xor.volr: Not a directory"),
        (("nand", "--out", "/proc/volr"), "cannot write in /proc/volr: "),
        (("nand", "--out", "blocked"), "cannot write in blocked/models: Not a directory"),
        (("nand", "--dask", "nonsense"), "no Dask scheduler answers at nonsense"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained_or_changed(
    volr: Volr,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setattr("volr.experiments.conditions.train_ann", training)
    (folder / "results").mkdir()
    (folder / "results" / "results.json").write_text("an hour's work", encoding="utf-8")
    (folder / "results" / ".lock").touch()
    (folder / "blocked").mkdir()
    (folder / "blocked" / "models").touch()
    # The text of a plan begins without the empty line.
    (folder / "max.volr").write_text(
        "\nconv [1 8 8] 2 3\n⦶ maxpool _ 2 ⦶ dense _ 10", encoding="utf-8"
    )
    before = snapshot(folder)
    settings = () if "--conditions" in arguments else TWO
    on = () if "--on" in arguments else ("--on", "engine")
    result = volr("experiment", *arguments, *settings, *on)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert snapshot(folder) == before


def test_levels_are_those_of_whole_numbers(volr: Volr, folder: Path) -> None:
    arguments = ("nand", "--conditions", "ann-quantised", "--levels", "3", "--epochs", "2")
    assert volr("experiment", *arguments, "--on", "engine", "--processes", "1").code == 0
    model = read_model_file(folder / "results/models/nand-0-ann-quantised.safetensors").model
    assert isinstance(model, ArtificialModel)
    assert model.activation == Staircase(3, getattr(model.activation, "step", 0))


def test_by_default_conditions_of_whole_numbers_are_left_out_where_there_are_none(
    volr: Volr, folder: Path
) -> None:
    (folder / "flat.volr").write_text("conv [1 2] 2 1 ⦶ maxpool _ 2", encoding="utf-8")
    result = volr("experiment", "xor", "--program", "flat.volr", "--on", "engine")
    assert result.code == 1
    assert "without ann-quantised, snn-exact: this network cannot compute with" in result.err
    named = volr("experiment", "xor", "--program", "flat.volr", "--conditions", "snn-exact")
    assert named.code == 1
    assert "error: this network cannot compute with first spikes" in named.err


def test_more_seeds_than_anybody_waits_for(volr: Volr) -> None:
    result = volr("experiment", "nand", "--repeats", "3000000")
    assert result.code == 2
    assert "10000" in result.err


def training(*_: object, **__: object) -> None:
    pytest.fail("it trained")


def test_ctrl_c_keeps_what_is_finished_and_ends_all_processes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plants = plant(tmp_path / "plants", monkeypatch)
    plants.waits("nand-1-snn-transferred-if_curr_exp")
    options = (*SMALL, *TWO, "--repeats", "3", "--processes", "2", "--out", "r")
    with terminal("experiment", "nand", *options) as shown:
        shown.wait_for("5/6")
        workers = children(shown.process.pid)
        assert len(workers) == 2
        assert shown.interrupt() == 130
        assert not any(Path(f"/proc/{process}").exists() for process in workers)
    assert "interrupted" in shown.shown
    assert "Traceback" not in shown.shown
    assert len(results(folder / "r")["rows"]) == 5
    assert len(stamps(folder / "r")) == 10
    assert not list(folder.rglob("*.part"))


def test_killed_at_any_moment_it_goes_on_to_the_same_results(
    volr: Volr, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("experiment", "xor", "nand", "--repeats", "3", *SMALL, *TWO, "--out")
    assert volr(*options, "undisturbed", "--processes", "1").code == 0
    expected = compared(folder / "undisturbed")
    plants = plant(tmp_path / "plants", monkeypatch, real=True)
    killed, drawn = folder / "killed", random.Random(5)
    runs = killed / "runs"
    # However fast the machine is, it does not get to the end.
    last_key = "nand-2-snn-transferred-if_curr_exp"
    waiting = plants.waits(last_key)

    def finished() -> int:
        return len(list(runs.glob("*.json")))

    def start(stack: ExitStack, processes: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*VOLR, *options, "killed", "--processes", f"{processes}"],
            env=environment(),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # Whatever goes wrong here, nobody is to work on.
        stack.callback(process.wait)
        stack.callback(process.kill)
        return process

    with ExitStack() as stack:
        # The whole group, at once and when a few runs are finished; then the coordinator alone.
        for least in (0, 3):
            process = start(stack, 1)
            wait_until(lambda least=least: killed.exists() and finished() >= least)
            time.sleep(drawn.uniform(0.0, 0.1))
            os.killpg(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            before = stamps(killed)
            done = {path.stem for path in runs.glob("*.json")}
            assert least <= len(done) < 12
        begun = len(plants.begun(last_key))
        process = start(stack, 2)
        wait_until(lambda: len(plants.begun(last_key)) > begun and finished() == 11)
        workers = children(process.pid)
        assert workers
        process.kill()
        started = time.monotonic()
        process.wait()
        wait_until(lambda: not any(map(is_running, workers)))
        assert time.monotonic() - started < 10
        after = stamps(killed)
        assert {n: s for n, s in after.items() if Path(n).stem in done} == {
            n: s for n, s in before.items() if Path(n).stem in done
        }
    waiting.unlink()
    last = volr(*options, "killed", "--processes", "1")
    assert last.code == 0
    assert "11 of 12 runs are in killed already" in last.err
    assert {n: s for n, s in stamps(killed).items() if n in after} == after
    assert compared(killed) == expected


def is_running(process: int) -> bool:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] != "Z"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--on", "foo"), 1, "there is no back end 'foo'"),
        (("--on", "torch"), 1, "torch runs artificial models and simulates nothing"),
        (("--dask", "tcp://localhost:1", "--processes", "2"), 2, "--processes: the workers of"),
        (("--seed", f"{2**63}"), 2, "--seed"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    volr: Volr, folder: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    """Also where no condition of the experiment is a spiking one."""
    result = volr("experiment", "xor", "--conditions", "ann", "--epochs", "1", *options)
    assert (result.code, message in result.err) == (code, True), result.err
    assert not (folder / "results").exists()
