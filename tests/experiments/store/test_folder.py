"""The journal: what is in it stays, what is not whole is not in it, and one writes at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from tests.cli.running import snapshot
from tests.experiments.examples import ROW, RUN, plan_of

from volr.errors import DataError
from volr.experiments.plan import spec_json
from volr.experiments.store.folder import (
    Journal,
    open_journal,
    read_plan,
    read_runs,
    set_aside,
)
from volr.experiments.store.runs import run_json

PLAN = plan_of("snn-transferred", seeds=(0, 1))
SPECS = PLAN.specs()


def model(number: int) -> bytes:
    """A file of the format of models."""
    return safetensors.numpy.save({"bias": np.full(4, number, np.float32)})


def written(folder: Path, count: int = 3) -> Journal:
    """A journal with the first runs of the plan."""
    with open_journal(folder) as journal:
        journal.write_plan({"tasks": {}})
        for index, spec in enumerate(SPECS[:count]):
            journal.write(spec, replace(RUN, row=replace(ROW, seed=index)), model(index))
        journal.write_results([ROW])
    return journal


def test_what_was_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    journal = written(folder)
    found = journal.finished(SPECS)
    assert list(found) == [spec.key for spec in SPECS[:3]]
    assert found[SPECS[1].key] == replace(RUN, row=replace(ROW, seed=1))
    assert journal.model(SPECS[2].key) == model(2)
    assert journal.conflicts(SPECS) == []
    assert read_plan(folder) == {"tasks": {}}
    entries = read_runs(folder)
    assert sorted(each.run.row.seed for each in entries) == [0, 1, 2]
    by_key = {spec.key: spec for spec in SPECS}
    assert [each.spec for each in entries] == [spec_json(by_key[each.key]) for each in entries]
    with pytest.raises(DataError, match=r"cannot read .*nand-1-ann\.safetensors: No such file"):
        journal.model("nand-1-ann")
    with pytest.raises(DataError, match="no finished runs"):
        read_runs(tmp_path)
    assert read_plan(tmp_path) == {}


def test_a_run_of_other_settings_is_a_conflict_and_not_finished(tmp_path: Path) -> None:
    journal = written(tmp_path)
    other = plan_of("snn-transferred", seeds=(0, 1), percentile=98.0).specs()
    # The artificial networks do not depend on it.
    assert list(journal.finished(other)) == ["xor-0-ann", "nand-0-ann"]
    assert journal.conflicts(other) == ["xor-0-snn-transferred-if_curr_exp"]
    more = plan_of("snn-transferred", "ann:futhark", seeds=range(5)).specs()
    assert len(journal.finished(more)) == 3
    assert journal.conflicts(more) == []


def test_other_seeds_of_other_settings_are_a_conflict_too(tmp_path: Path) -> None:
    journal = written(tmp_path)
    # A table would count them together, as one experiment.
    later = plan_of("snn-transferred", seeds=(7, 8), percentile=98.0)
    assert journal.conflicts(later.specs()) == ["xor-0-snn-transferred-if_curr_exp"]
    program = dict.fromkeys(later.tasks, "dense 2 3 ⦶ dense 3 2")
    other = replace(plan_of("ann", seeds=(7,)), tasks=program)
    assert journal.conflicts(other.specs()) == ["nand-0-ann", "xor-0-ann"]
    # Other conditions and neurons have rows of their own.
    apart = plan_of("snn-transferred", seeds=(7,), neurons=["if_curr_delta"], percentile=98.0)
    assert journal.conflicts(apart.specs()) == []


def test_a_plan_knows_of_the_commands_before_it(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        for number in range(3):
            command = {"command": f"volr {number}", "started": f"{number} o'clock"}
            journal.write_plan({**command, "seeds": [number]})
    plan = read_plan(tmp_path)
    assert plan["seeds"] == [2]
    assert plan["earlier"] == [
        {"command": f"volr {number}", "started": f"{number} o'clock", "seeds": [number]}
        for number in range(2)
    ]


def test_a_run_whose_model_is_not_there_is_not_finished(tmp_path: Path) -> None:
    journal = written(tmp_path)
    journal.model_path("xor-0-ann").unlink()
    assert "xor-0-ann" not in journal.finished(SPECS)
    assert len(journal.finished(SPECS)) == 2


def test_a_run_whose_model_is_cut_short_is_not_finished(tmp_path: Path) -> None:
    journal = written(tmp_path)
    path = journal.model_path("xor-0-ann")
    whole = path.read_bytes()
    for length in (0, 5, 8, 40, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "xor-0-ann" not in journal.finished(SPECS)
        assert len(journal.finished(SPECS)) == 2
    path.write_bytes(whole)
    assert "xor-0-ann" in journal.finished(SPECS)


def test_a_model_is_written_before_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.replace
    order: list[str] = []

    def watch(path: Path, target: Path) -> Path:
        order.append(target.name)
        return real(path, target)

    monkeypatch.setattr(Path, "replace", watch)
    with open_journal(tmp_path) as journal:
        journal.write(SPECS[0], RUN, b"model")
    assert order == ["xor-0-ann.safetensors", "xor-0-ann.json"]


def test_one_at_a_time(tmp_path: Path) -> None:
    with open_journal(tmp_path):
        with pytest.raises(DataError, match="another process is writing to") as caught:
            open_journal(tmp_path).__enter__()
        assert caught.value.help is not None
        assert "--out" in caught.value.help
    written(tmp_path)


@pytest.mark.parametrize("name", [".lock", "runs", "models"])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str, *, there: bool) -> None:
    mine, folder = tmp_path / "mine", tmp_path / "results"
    folder.mkdir()
    (folder / name).symlink_to(mine)
    if there and name == ".lock":
        mine.write_text("years of work")
    elif there:
        mine.mkdir()
        (mine / ".notes.txt.7.part").write_text("years of work")
    before = snapshot(tmp_path)
    with pytest.raises(DataError, match="is a link, and nothing is written through it") as caught:
        open_journal(folder).__enter__()
    assert str(folder / name) in caught.value.message
    assert str(mine) in (caught.value.help or "")
    assert snapshot(tmp_path) == before
    assert mine.exists() == there
    # Without it, all is well; and the folder itself may be a link.
    (folder / name).unlink()
    (tmp_path / "link").symlink_to(folder)
    written(tmp_path / "link")
    assert (folder / "results.json").exists() or (folder / "runs").is_dir()


def test_files_that_are_links_are_replaced(tmp_path: Path) -> None:
    mine, folder = tmp_path / "mine", tmp_path / "results"
    mine.write_text("years of work")
    folder.mkdir()
    for name in ("results.json", f".results.json.{os.getpid()}.part"):
        (folder / name).symlink_to(mine)
    written(folder).write_results([ROW])
    assert mine.read_text() == "years of work"
    assert not (folder / "results.json").is_symlink()


def test_a_lock_that_is_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".lock")
    written(tmp_path)


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(DataError, match=r"cannot lock .*: No locks available"):
        open_journal(tmp_path).__enter__()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "in", Path("/proc/volr")):
        with pytest.raises(DataError, match="cannot write in"):
            open_journal(folder).__enter__()


def test_what_a_killed_process_did_not_finish_is_removed(tmp_path: Path) -> None:
    written(tmp_path)
    before = snapshot(tmp_path)
    for name in (".results.json.7.part", "runs/.a.json.7.part", "models/.a.safetensors.7.part"):
        (tmp_path / name).write_text("half")
    with open_journal(tmp_path):
        assert snapshot(tmp_path) == before


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = written(tmp_path)
    before = snapshot(tmp_path)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"cannot write .*nand-0-.*tensors: No space left"):
        journal.write(SPECS[3], RUN, b"model")
    with pytest.raises(DataError, match=r"cannot write .*results\.json: No space left"):
        journal.write_results([ROW])
    assert snapshot(tmp_path) == before


def test_earlier_results_get_the_first_number_that_is_free(tmp_path: Path) -> None:
    assert set_aside(tmp_path) is None
    assert set_aside(tmp_path / "missing") is None
    (tmp_path / "notes.txt").write_text("mine")
    for number in (1, 2):
        written(tmp_path, number)
        before = {k: v for k, v in snapshot(tmp_path).items() if "earlier" not in k}
        assert set_aside(tmp_path) == tmp_path / f"earlier-{number}"
        moved = snapshot(tmp_path / f"earlier-{number}")
        assert moved == {k: v for k, v in before.items() if k not in ("notes.txt", ".lock")}
        assert len(moved) == 2 + 2 * number
    assert (tmp_path / "notes.txt").exists()
    assert read_runs(tmp_path / "earlier-2")


def report(folder: Path) -> None:
    (folder / "report.html").write_text("page")
    (folder / "figures").mkdir()
    (folder / "figures" / "accuracy.svg").write_text("figure")


def test_the_report_goes_with_the_runs_that_it_is_of(tmp_path: Path) -> None:
    report(tmp_path)
    assert set_aside(tmp_path) is None
    # Of an older version, whose results no report was made of.
    (tmp_path / "results.json").write_text("an hour's work")
    assert set_aside(tmp_path) == tmp_path / "earlier-1"
    assert set(snapshot(tmp_path / "earlier-1")) == {"results.json"}
    written(tmp_path, 1)
    before = {k: v for k, v in snapshot(tmp_path).items() if "earlier" not in k and k != ".lock"}
    assert {"report.html", "figures/accuracy.svg"} < set(before)
    assert set_aside(tmp_path, ("plan.json",)) == tmp_path / "earlier-2"
    (tmp_path / "earlier-2" / "plan.json").rename(tmp_path / "plan.json")
    assert set_aside(tmp_path) == tmp_path / "earlier-3"
    assert snapshot(tmp_path / "earlier-3") == before


def test_to_be_killed_while_moving_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.rename
    other = plan_of("snn-transferred", seeds=(0, 1), percentile=98.0).specs()
    for moves in range(6):
        folder = tmp_path / f"{moves}"
        journal = written(folder)
        report(folder)
        bodies = sorted(snapshot(folder).values())
        left = [None] * moves

        def killed(path: Path, target: Path, left: list[None] = left) -> Path:
            if not left:
                raise KeyboardInterrupt
            left.pop()
            return real(path, target)

        monkeypatch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            set_aside(folder)
        monkeypatch.setattr(Path, "rename", real)
        # The same command sees that there is something to move still.
        assert journal.conflicts(other)
        assert set_aside(folder)
        assert not journal.conflicts(other)
        assert journal.finished(SPECS) == {}
        assert sorted(snapshot(folder).values()) == bodies


def test_results_of_an_older_version_are_known_by_what_they_lack(tmp_path: Path) -> None:
    assert not Journal(tmp_path).is_unplanned()
    (tmp_path / "results.json").write_text("an hour's work")
    assert Journal(tmp_path).is_unplanned()
    set_aside(tmp_path)
    assert not Journal(tmp_path).is_unplanned()
    assert not written(tmp_path).is_unplanned()


def test_a_file_that_is_cut_short_is_an_error_message(tmp_path: Path) -> None:
    journal = written(tmp_path)
    path = tmp_path / "runs" / "xor-0-ann.json"
    body = path.read_bytes()
    for length in range(0, len(body) - 2, 97):
        path.write_bytes(body[:length])
        with pytest.raises(DataError, match=r"xor-0-ann\.json is damaged") as caught:
            journal.finished(SPECS)
        assert caught.value.help is not None
        assert "remove it" in caught.value.help
    path.write_bytes(b"[" * 100_000)
    with pytest.raises(DataError, match="is damaged"):
        journal.conflicts(SPECS)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=r"cannot read .*xor-0-ann\.json"):
        read_runs(tmp_path)


@pytest.mark.parametrize(
    "spec",
    [
        *(None, [], {}, 3),
        {"task": "xor", "condition": "ann", "settings": 3, "part": "test"},
        {"task": "xor", "condition": "ann", "settings": {"neuron": []}, "part": "test"},
        {"task": [1], "condition": "ann", "settings": {}, "part": "test"},
        {"task": "xor", "settings": {}},
    ],
)
def test_a_run_without_a_spec_that_is_one(tmp_path: Path, spec: object) -> None:
    journal = written(tmp_path)
    path = tmp_path / "runs" / "xor-0-ann.json"
    path.write_text(json.dumps({"spec": spec, "run": run_json(RUN)}))
    said = r"xor-0-ann\.json is not what this version"
    for ask in (journal.conflicts, journal.finished):
        with pytest.raises(DataError, match=said):
            ask(SPECS)
    with pytest.raises(DataError, match=said):
        read_runs(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("over_time", each) for each in (3, ["a"], [None])),
        *(("confusion", each) for each in ("ab", [[1, 2], [3]], [["a"]])),
        *(("dt", "0.5"), ("activity", {"spikes": "many"}), ("history", [{"loss": "low"}])),
        *(("row", {**vars(ROW), "accuracy": each}) for each in (float("nan"), float("inf"), 2)),
    ],
)
def test_a_run_that_is_none(tmp_path: Path, name: str, value: object) -> None:
    written(tmp_path)
    path = tmp_path / "runs" / "xor-0-ann.json"
    content = json.loads(path.read_text())
    content["run"][name] = value
    # As Volr 0.1.0 wrote it, without a hash: the values are checked all the same.
    path.write_text(json.dumps({key: content[key] for key in ("spec", "run")}))
    with pytest.raises(DataError, match=r"xor-0-ann\.json is not what this version") as caught:
        read_runs(tmp_path)
    assert "remove it" in str(caught.value.help)


def test_a_damaged_plan_is_named_with_its_own_way_out(tmp_path: Path) -> None:
    journal = written(tmp_path)
    (tmp_path / "plan.json").write_text("x")
    for ask in (lambda: journal.write_plan({}), lambda: read_plan(tmp_path)):
        with pytest.raises(DataError, match=r"plan\.json is damaged") as caught:
            ask()
        assert caught.value.help == "remove it: the runs stay, and go on without it"


@pytest.mark.parametrize("body", ["{}", "[]", '"x"', '{"spec": 1, "run": {}}', '{"spec": {}}'])
def test_a_file_of_somebody_elses(tmp_path: Path, body: str) -> None:
    journal = written(tmp_path)
    (tmp_path / "runs" / "xor-0-ann.json").write_text(body)
    with pytest.raises(DataError, match=r"xor-0-ann\.json is"):
        journal.finished(SPECS)


def flipped(body: bytes, place: int) -> bytes:
    damaged = bytearray(body)
    damaged[place] ^= 1 << place % 8
    return bytes(damaged)


def test_no_damage_to_a_run_is_believed(tmp_path: Path) -> None:
    journal = written(tmp_path)
    whole = journal.finished(SPECS)
    path = tmp_path / "runs" / "xor-0-ann.json"
    body = path.read_bytes()
    said: list[str] = []
    for place in range(0, len(body), 7):
        path.write_bytes(flipped(body, place))
        try:
            # A space between two signs, say.
            assert journal.finished(SPECS) == whole
        except DataError as error:
            said.append(str(error))
    assert len(said) > len(body) / 7 / 2
    assert all("xor-0-ann.json is damaged" in each and "remove it" in each for each in said)


def test_a_model_that_is_damaged_or_another_runs_is_told_and_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = written(tmp_path)
    path, other = journal.model_path("xor-0-ann"), journal.model_path("nand-0-ann")
    whole = path.read_bytes()
    for body in (flipped(whole, len(whole) - 3), other.read_bytes(), whole[:-1], b""):
        caplog.clear()
        path.write_bytes(body)
        assert "xor-0-ann" not in journal.finished(SPECS)
        assert "xor-0-ann.safetensors" in caplog.text
        assert "its run is made again" in caplog.text
    path.write_bytes(whole)
    caplog.clear()
    assert "xor-0-ann" in journal.finished(SPECS)
    assert not caplog.records


def test_a_run_that_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    journal = written(tmp_path)
    path = tmp_path / "runs" / "xor-0-ann.json"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"cannot read .*xor-0-ann\.json: it is a pipe"):
        journal.finished(SPECS)
    model = journal.model_path("xor-0-ann")
    model.unlink()
    os.mkfifo(model)
    with pytest.raises(DataError, match="it is a pipe"):
        journal.model("xor-0-ann")


def test_runs_of_0_1_0_go_on(tmp_path: Path) -> None:
    journal = written(tmp_path)
    before = journal.finished(SPECS)
    for path in (tmp_path / "runs").glob("*.json"):
        content = json.loads(path.read_text())
        path.write_text(json.dumps({key: content[key] for key in ("spec", "run")}))
    (tmp_path / "plan.json").write_text('{"tasks": {}}')
    assert journal.finished(SPECS) == before
    assert read_plan(tmp_path) == {"tasks": {}}


def without_hash(path: Path, **row: object) -> None:
    """Make of a run what Volr 0.1.0 wrote of it, with other numbers in its row."""
    content = json.loads(path.read_text())
    content["run"]["row"].update(row)
    path.write_text(json.dumps({key: content[key] for key in ("spec", "run")}))


def test_a_run_without_a_hash_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = written(tmp_path, 4)
    journal.finished(SPECS)
    read_runs(tmp_path)
    assert not caplog.records
    without_hash(tmp_path / "runs" / "xor-0-ann.json", accuracy=0.125)
    for ask in (lambda: journal.finished(SPECS), lambda: read_runs(tmp_path)):
        caplog.clear()
        ask()
        (said,) = caplog.messages
        assert "xor-0-ann.json is of Volr 0.1.0, without a hash" in said
        assert "whether it was damaged cannot be seen" in said
        assert "nand" not in said
    for spec in SPECS[:4]:
        without_hash(tmp_path / "runs" / f"{spec.key}.json")
    caplog.clear()
    read_runs(tmp_path)
    (said,) = caplog.messages
    assert "and 1 more are of Volr 0.1.0" in said


@pytest.mark.parametrize("name", ["xor-0-ann (1)", "xor-0-ann copy", "nand-7-ann", "XOR-0-ANN"])
@pytest.mark.parametrize("has_hash", [True, False])
def test_a_copy_of_a_run_is_not_counted(tmp_path: Path, name: str, *, has_hash: bool) -> None:
    journal = written(tmp_path)
    whole = tmp_path / "runs" / "xor-0-ann.json"
    if not has_hash:
        without_hash(whole)
    copy = whole.with_name(f"{name}.json")
    copy.write_bytes(whole.read_bytes())
    for ask in (lambda: read_runs(tmp_path), lambda: journal.conflicts(SPECS)):
        with pytest.raises(DataError) as caught:
            ask()
        assert f"{name}.json is the run xor-0-ann" in caught.value.message
        assert "remove it" in (caught.value.help or "")
    # Where it was moved, its own name is the way out.
    whole.unlink()
    copy.rename(whole)
    assert len(read_runs(tmp_path)) == 3


def test_a_folder_in_place_of_a_file_is_found_before_the_work(tmp_path: Path) -> None:
    journal = written(tmp_path)
    for path in (journal.model_path("new"), tmp_path / "runs" / "new.json"):
        journal.check_place("new")
        path.mkdir()
        with pytest.raises(DataError, match=r"cannot write .*new\..*: it is a folder"):
            journal.check_place("new")
        path.rmdir()
    # Files are replaced.
    journal.check_place("xor-0-ann")


def test_a_damaged_plan_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    path = tmp_path / "plan.json"
    path.write_text(path.read_text().replace('"tasks"', '"tacks"'))
    with pytest.raises(DataError, match=r"plan\.json is damaged: it is not what was written"):
        read_plan(tmp_path)
