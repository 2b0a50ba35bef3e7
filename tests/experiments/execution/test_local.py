"""Runs in processes of their own, some of which die."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from tests.cli.running import wait_until
from tests.experiments.examples import kept, made_by, plan_of
from tests.experiments.execution.planted import perform, plant

from volr.errors import VolrError
from volr.experiments.execution import job
from volr.experiments.execution.here import Here
from volr.experiments.execution.job import TRIES
from volr.experiments.execution.local import Local

if TYPE_CHECKING:
    from pathlib import Path

    from tests.experiments.execution.planted import Plants

    from volr.experiments.results import Run

PLAN = plan_of("snn-finetuned", "ann:futhark", neurons=("if_curr_exp", "if_curr_delta"))


@pytest.fixture
def plants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plants:
    return plant(tmp_path / "plants", monkeypatch)


@pytest.fixture
def expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Run, bytes]]:
    """What the plan gives in this process."""
    monkeypatch.setattr(job, "perform", perform)
    return made_by(Here(), PLAN, tmp_path / "here")


def test_results_do_not_depend_on_the_number_of_processes(
    expected: dict[str, tuple[Run, bytes]],
    plants: Plants,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", Mock(return_value=range(8)))
    monkeypatch.setenv("VOLR_CORES", "6")
    assert len(expected) == len(PLAN.specs()) == 24
    for processes in (1, 3):
        found = made_by(Local(processes), PLAN, tmp_path / f"{processes}")
        assert found == expected
        # They share the cores.
        assert plants.begun("xor-0-ann")[-1] == 6 // processes


def test_a_process_that_dies_in_a_run_is_replaced(
    expected: dict[str, tuple[Run, bytes]], plants: Plants, tmp_path: Path
) -> None:
    plants.deaths("xor-0-ann", 1)
    plants.deaths("nand-1-snn-transferred-if_curr_delta", TRIES - 1)
    assert made_by(Local(2), PLAN, tmp_path / "local") == expected
    assert len(plants.begun("xor-0-ann")) == 2
    assert len(plants.begun("nand-1-snn-transferred-if_curr_delta")) == TRIES
    assert len(plants.begun("nand-0-ann")) == 1


def test_a_process_that_is_killed_from_outside_is_replaced(
    expected: dict[str, tuple[Run, bytes]], plants: Plants, tmp_path: Path
) -> None:
    waits = plants.waits("xor-0-ann")
    local = Local(1)

    def kill() -> None:
        wait_until(lambda: plants.begun("xor-0-ann"))
        (process,) = local.processes()
        os.kill(process, signal.SIGKILL)
        waits.unlink()

    killer = threading.Thread(target=kill)
    killer.start()
    assert made_by(local, PLAN, tmp_path / "local") == expected
    killer.join()
    assert len(plants.begun("xor-0-ann")) == 2


def test_a_run_that_fails_leaves_the_others(
    expected: dict[str, tuple[Run, bytes]], plants: Plants, tmp_path: Path
) -> None:
    plants.fails("xor-0-ann", "volr")
    plants.fails("xor-1-ann", "python")
    plants.fails("nand-0-ann", "exit")
    plants.deaths("nand-1-snn-transferred-if_curr_exp", 100)
    with pytest.raises(VolrError, match="17 of the runs failed; the others are kept") as caught:
        made_by(Local(2), PLAN, tmp_path / "local")
    said = dict(each.split(": ", 1) for each in caught.value.message.split("\n") if ": " in each)
    assert said["xor-0-ann"] == "it diverged"
    assert said["xor-1-ann"].startswith("the worker process was ended with exit code 1")
    assert 'KeyError: "the run\'s own words"' in caught.value.message
    assert said["nand-0-ann"].startswith("the worker process was ended with exit code 7")
    assert "by SIGKILL" in said["nand-1-snn-transferred-if_curr_exp"]
    for neuron in ("if_curr_exp", "if_curr_delta"):
        name = f"xor-0-snn-transferred-{neuron}"
        assert said[name] == "it needs xor-0-ann, which failed"
        assert said[f"xor-0-snn-finetuned-{neuron}"] == f"it needs xor-0-ann, {name}, which failed"
    assert caught.value.help is not None
    assert caught.value.help.startswith("take a lower rate; ")
    # Only what something else may have killed is tried again.
    assert [len(plants.begun(f"{name}-ann")) for name in ("xor-0", "xor-1", "nand-0")] == [1, 1, 1]
    assert len(plants.begun("nand-1-snn-transferred-if_curr_exp")) == TRIES
    found = kept(tmp_path / "local", PLAN)
    assert len(found) == 7
    assert found == {key: expected[key] for key in found}
    # The same again makes those that are missing, and only those.
    for path in (*plants.folder.glob("*.fails"), *plants.folder.glob("*.deaths")):
        path.unlink()
    assert made_by(Local(2), PLAN, tmp_path / "local") == expected
    assert len(plants.begun("nand-1-ann")) == 1


def test_what_ends_an_experiment_ends_its_processes(plants: Plants, tmp_path: Path) -> None:
    # Both, so that nothing is read or written when the signal comes, in whatever order they begin.
    waits = [plants.waits(key) for key in ("xor-0-ann", "nand-0-ann")]
    local = Local(2)
    processes: list[int] = []

    def stop(number: int, frame: object) -> None:
        del number, frame
        raise KeyboardInterrupt

    def interrupt() -> None:
        wait_until(lambda: plants.begun("xor-0-ann") and plants.begun("nand-0-ann"))
        processes.extend(local.processes())
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, stop)
    other = threading.Thread(target=interrupt)
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            made_by(local, PLAN, tmp_path / "local")
    finally:
        signal.signal(signal.SIGUSR1, before)
        other.join()
    assert all(each.exists() for each in waits)
    assert len(processes) == 2
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert local.processes() == ()


def test_data_are_where_they_were_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The processes are in another folder than this one.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOLR_DATA", "data/mnist")
    with Local(1) as local:
        assert local._pool._environment["VOLR_DATA"] == str(tmp_path / "data" / "mnist")
