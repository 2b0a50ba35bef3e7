"""The pool of processes, with kernels made for the purpose."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cli.running import has_ended, wait_until

from volr.backends.messages import Held
from volr.backends.processes import ProcessEnded, WorkerPool
from volr.errors import SimulatorError

if TYPE_CHECKING:
    from collections.abc import Iterator

KERNEL = """
import os, sys, time
import numpy as np

def handle(arrays, settings):
    print("chatter on stdout must not get into the pipe")
    do = settings["do"]
    if do == "double":
        return {name: 2 * array for name, array in arrays.items()}
    if do == "sleep":
        time.sleep(settings["seconds"])
        return {"pid": np.array([os.getpid()])}
    if do == "raise":
        raise RuntimeError("the kernel's own words")
    if do == "exit":
        sys.exit(3)
    if do == "abort":
        os.abort()
    if do == "environment":
        return {"said": np.frombuffer(os.environ[settings["name"]].encode(), dtype=np.uint8)}
    if do == "nest":
        from volr.backends.processes import WorkerPool
        with WorkerPool("kernel_for_tests", "the inner one", 1) as pool:
            pool.ask(({}, {"do": "report", "path": settings["path"]}))
    if do == "report":
        with open(settings["path"], "w") as file:
            print(os.getppid(), os.getpid(), file=file, flush=True)
        time.sleep(600)
    raise KeyError(do)
"""


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerPool]:
    (tmp_path / "kernel_for_tests.py").write_text(KERNEL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with WorkerPool("kernel_for_tests", "the simulator", 2) as started:
        yield started


def ask(pool: WorkerPool, **settings: Any) -> list[tuple[int, dict[str, Any]]]:
    return list(pool.run([({}, settings)]))


def test_arrays_come_back_as_they_went(pool: WorkerPool) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "matrix": rng.normal(size=(3, 5)),
        "transposed": rng.normal(size=(3, 5)).T,
        "whole": np.arange(7),
        "empty": np.empty((4, 0)),
        "α→β": np.array([1.5]),
    }
    ((index, answer),) = pool.run([(arrays, {"do": "double"})])
    assert index == 0
    assert set(answer) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(answer[name], 2 * array)
        assert answer[name].dtype == array.dtype


def test_a_read_only_array_goes_through_the_pipe_once() -> None:
    near, far = Held(), Held()
    lasting, other = np.arange(5), np.arange(6)
    for each in (lasting, other):
        each.setflags(write=False)

    def through(**arrays: Any) -> tuple[set[str], dict[str, Any]]:
        sent, settings = near.left_out((arrays, {"do": "double"}))
        # What goes through a pipe is a copy.
        copied = {name: each.copy() for name, each in sent.items()}
        found, told = far.put_back((copied, settings))
        assert told == {"do": "double"}
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
        return set(sent), found

    sent, first = through(lasting=lasting, changing=np.arange(3))
    assert sent == {"lasting", "changing"}
    sent, second = through(lasting=lasting, changing=np.arange(4))
    assert sent == {"changing"}
    # The same object, so a kernel sees that nothing about it has changed.
    assert second["lasting"] is first["lasting"]
    sent, third = through(lasting=other)
    assert sent == {"lasting"}
    # What the last request did not have is not kept.
    assert through(changing=np.arange(3))[0] == {"changing"}
    assert through(lasting=other)[0] == {"lasting"}
    assert third["lasting"] is not first["lasting"]


def test_every_answer_finds_its_request(pool: WorkerPool) -> None:
    requests = [({"x": np.array([i])}, {"do": "double"}) for i in range(40)]
    answers = dict(pool.run(requests))
    assert {i: int(answer["x"][0]) for i, answer in answers.items()} == {
        i: 2 * i for i in range(40)
    }


def test_requests_are_drawn_as_processes_become_free(pool: WorkerPool) -> None:
    drawn: list[int] = []

    def requests() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for i in range(20):
            drawn.append(i)
            yield {}, {"do": "sleep", "seconds": 0.0}

    answers = pool.run(requests())
    next(answers)
    assert len(drawn) <= 4
    assert len(list(answers)) == 19


def test_the_processes_work_side_by_side_and_are_used_again(pool: WorkerPool) -> None:
    requests: list[Any] = [({}, {"do": "sleep", "seconds": 0.2}) for _ in range(6)]
    processes = {int(answer["pid"][0]) for _, answer in pool.run(requests)}
    assert len(processes) == 2
    assert processes == set(pool.identifiers())
    assert os.getpid() not in processes


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ("raise", "the kernel's own words"),
        ("exit", "exit code 3"),
        ("abort", "SIGABRT"),
        ("nothing known", "KeyError"),
    ],
)
def test_a_death_is_an_error_message(pool: WorkerPool, do: str, message: str) -> None:
    with pytest.raises(SimulatorError, match="the simulator process was ended") as caught:
        ask(pool, do=do)
    assert message in caught.value.message


def test_a_death_does_not_wait_for_the_rest(pool: WorkerPool) -> None:
    started = time.monotonic()
    requests: list[Any] = [({}, {"do": "sleep", "seconds": 60.0}), ({}, {"do": "exit"})]
    with pytest.raises(SimulatorError):
        list(pool.run(requests))
    # A ratio would have nothing to be a ratio of: a minute's sleep was cut short.
    assert time.monotonic() - started < 30
    assert pool.identifiers() == ()


def test_an_interrupted_run_ends_its_processes(pool: WorkerPool) -> None:
    requests: list[Any] = [({}, {"do": "sleep", "seconds": 0.0})] * 3
    requests.append(({}, {"do": "sleep", "seconds": 60.0}))
    started = time.monotonic()

    def run() -> None:
        for _ in pool.run(requests):
            processes.extend(pool.identifiers())
            raise KeyboardInterrupt

    processes: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run()
    pool.close()
    assert time.monotonic() - started < 30
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_a_request_that_cannot_be_made_stops_no_other_run(pool: WorkerPool) -> None:
    def requests() -> Iterator[Any]:
        yield {}, {"do": "sleep", "seconds": 0.0}
        raise ValueError("no such request")

    with pytest.raises(ValueError, match="no such request"):
        list(pool.run(requests()))
    with pytest.raises(SimulatorError):
        ask(pool, do="raise")
    assert ask(pool, do="double") == [(0, {})]


def test_a_closed_pool_says_so(pool: WorkerPool) -> None:
    pool.close()
    with pytest.raises(SimulatorError, match="has been stopped"):
        ask(pool, do="double")


def test_the_kernels_are_those_of_this_interpreter(pool: WorkerPool) -> None:
    # `python -m` in the worker is the interpreter that asks, so that a virtual environment holds.
    ((_, answer),) = pool.run([({}, {"do": "sleep", "seconds": 0.0})])
    executable = Path(f"/proc/{int(answer['pid'][0])}/exe").readlink()
    assert Path(sys.executable).resolve() == executable


def test_what_lies_in_the_current_folder_is_not_imported(
    pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "random.py").write_text("raise ImportError('the wrong one')")
    monkeypatch.chdir(tmp_path / "here")
    assert ask(pool, do="double") == [(0, {})]


def test_single_questions_from_several_threads(pool: WorkerPool) -> None:
    with ThreadPoolExecutor(2) as threads:
        requests: list[Any] = [({"x": np.array([i])}, {"do": "double"}) for i in range(20)]
        answers = list(threads.map(pool.ask, requests))
        assert [int(answer["x"][0]) for answer in answers] == [2 * i for i in range(20)]
        assert 1 <= len(pool.identifiers()) <= 2
        # A death is that of one of them; the other works on, and somebody else takes its place.
        sleep = threads.submit(pool.ask, ({}, {"do": "sleep", "seconds": 1.0}))
        with pytest.raises(ProcessEnded, match="SIGABRT") as caught:
            pool.ask(({}, {"do": "abort"}))
        assert caught.value.code == -signal.SIGABRT
        assert int(sleep.result()["pid"][0]) in pool.identifiers()
        with pytest.raises(ProcessEnded, match="exit code 3") as caught:
            pool.ask(({}, {"do": "exit"}))
        assert caught.value.code == 3
        assert pool.ask(({}, {"do": "double"})) == {}


def test_to_close_ends_what_is_asked(pool: WorkerPool) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(pool.ask, ({}, {"do": "sleep", "seconds": 60.0}))
        wait_until(pool.identifiers)
        (process,) = pool.identifiers()
        pool.close()
        assert asked.exception() is not None
    assert time.monotonic() - started < 30
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_an_environment_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kernel_for_tests.py").write_text(KERNEL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with WorkerPool("kernel_for_tests", "it", 1, {"VOLR_SAID": "α"}) as pool:
        said = pool.ask(({}, {"do": "environment", "name": "VOLR_SAID"}))["said"]
    assert said.tobytes().decode() == "α"
    assert "VOLR_SAID" not in os.environ


def test_nobody_outlives_whoever_asked(tmp_path: Path) -> None:
    # A process asks one that asks another, which works for minutes; and the first is killed.
    (tmp_path / "kernel_for_tests.py").write_text(KERNEL)
    path = tmp_path / "processes"
    program = (
        "import sys; from volr.backends.processes import WorkerPool\n"
        "pool = WorkerPool('kernel_for_tests', 'the outer one', 1)\n"
        "pool.ask(({}, {'do': 'nest', 'path': sys.argv[1]}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program, path], env=environment) as first:
        wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
        processes = [*map(int, path.read_text().split())]
        assert len(processes) == 2
        first.kill()
        killed = time.monotonic()
    wait_until(lambda: all(map(has_ended, processes)))
    # Two looks of half a second, on a machine that may be busy.
    assert time.monotonic() - killed < 10


def test_a_parent_that_is_gone_before_it_can_be_looked_for(tmp_path: Path) -> None:
    (tmp_path / "kernel_for_tests.py").write_text(KERNEL)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program = "from volr.backends.processes import serve; serve('kernel_for_tests', -1)"
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdin=subprocess.PIPE
    ) as orphan:
        # No process has that number; and its pipe is open still.
        assert orphan.wait(60) == 1
