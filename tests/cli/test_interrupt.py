"""Ctrl-C, wherever it comes: one line, exit code 130, nothing broken and nobody left running."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import (
    VOLR,
    children,
    environment,
    snapshot,
    solved_xor,
    terminal,
    wait_until,
)
from tests.needs import needs_nest

from volr.language import to_network
from volr.model_files.model_file import read_model_file, save_model
from volr.models.coding import Poisson
from volr.models.model import SpikingModel
from volr.models.parameters import parameter_shapes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Terminal

# Seconds: a slice of stimuli is finished first, and the machine may be busy.
PROMPT = 10.0


def last_words(shown: Terminal) -> str:
    """What stays on the screen after the bar is gone."""
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.shown.rpartition("\x1b[2K")[2])


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("kind", ["ann", "snn"])
def test_during_training(folder: Path, kind: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    before = snapshot(folder)
    options = ("--task", "xor", "--out", "m", "--epochs", "1000000", "--as", kind)
    with terminal("train", "xor.volr", *options) as shown:
        shown.wait_for("/1000000")
        assert shown.interrupt() == 130
    assert last_words(shown).split() == ["interrupted"]
    assert "Traceback" not in shown.shown
    assert snapshot(folder) == before


def test_while_the_engine_is_compiled(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    before = snapshot(folder)
    empty = str(tmp_path_factory.mktemp("cache"))
    options = ("--task", "xor", "--out", "m", "--as", "snn")
    with terminal("train", "xor.volr", *options, NUMBA_CACHE_DIR=empty) as shown:
        shown.wait_for("compiling the engine for this kind of model, once")
        assert shown.interrupt() == 130
    assert last_words(shown).split() == ["interrupted"]
    # LLVM calls Python from C, where an exception is lost, and something else goes wrong later.
    assert "Traceback" not in shown.shown
    assert "ignored" not in shown.shown
    assert snapshot(folder) == before


@needs_nest
def test_during_calibration(folder: Path, model: Path) -> None:
    before = snapshot(folder)
    options = ("--task", "xor", "--out", "snn", "--rounds", "100000", "--on", "nest")
    with terminal("transfer", model, *options) as shown:
        shown.wait_for("calibrating")
        wait_until(lambda: children(shown.process.pid))
        # In the middle of the simulations, not before the first.
        shown.wait_for("3/")
        workers = children(shown.process.pid)
        assert shown.interrupt() == 130
        assert workers
        assert all(map(gone, workers))
    assert last_words(shown).split() == ["interrupted"]
    assert snapshot(folder) == before


@needs_nest
def test_during_a_simulation(folder: Path) -> None:
    solved = solved_xor()
    endless = SpikingModel(
        network=solved.network, parameters=solved.parameters, duration=1e5, dt=0.1, delay=0.1
    )
    save_model(endless, folder / "snn")
    before = snapshot(folder)
    with terminal("evaluate", "snn", "--task", "xor", "--on", "nest", stdout=None) as shown:
        shown.wait_for("simulating")
        wait_until(lambda: children(shown.process.pid))
        workers = children(shown.process.pid)
        assert shown.interrupt() == 130
        assert all(map(gone, workers))
    assert last_words(shown).split() == ["interrupted"]
    assert snapshot(folder) == before


def test_during_a_simulation_on_the_engine(folder: Path) -> None:
    pytest.importorskip("numba")
    network = to_network("dense 2 2000 >> dense 2000 2")
    values = {name: np.full(shape, 0.1) for name, shape in parameter_shapes(network).items()}
    long = SpikingModel(
        network=network, parameters=values, duration=4000.0, coding=Poisson(1000.0), delay=0.5
    )
    save_model(long, folder / "snn")
    before = snapshot(folder)
    with terminal("evaluate", "snn", "--task", "xor", stdout=None) as shown:
        shown.wait_for("simulating")
        started = time.monotonic()
        assert shown.interrupt() == 130
        assert time.monotonic() - started < PROMPT
    assert last_words(shown).split() == ["interrupted"]
    assert snapshot(folder) == before


@needs_nest
def test_an_experiment_keeps_what_it_has_found(folder: Path) -> None:
    pytest.importorskip("torch")
    options = ("--repeats", "1000", "--epochs", "2", "--out", "r")
    conditions = ("--conditions", "ann,snn-transferred", "--processes", "1")
    with terminal("experiment", "nand", *options, *conditions) as shown:
        shown.wait_for("2/2000  nand, seed 0: snn-transferred on nest")
        workers = children(shown.process.pid)
        assert shown.interrupt() == 130
        assert all(map(gone, workers))
    assert last_words(shown).split() == ["interrupted"]
    found = json.loads((folder / "r" / "results.json").read_text(encoding="utf-8"))
    assert len(found["rows"]) >= 2
    assert sum(each["n"] for each in found["summary"]) == len(found["rows"])
    files = snapshot(folder / "r")
    assert not [name for name in files if name.endswith(".part")]
    for name in files:
        if name.endswith(".safetensors"):
            read_model_file(folder / "r" / name)


def test_while_it_waits_for_standard_input(folder: Path) -> None:
    process = subprocess.Popen(
        [*VOLR, "check", "-"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stdin is not None
    # More than a pipe holds: once this is written, the program is being read.
    process.stdin.write(b" " * 200_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"interrupted\n")


def test_while_python_still_imports() -> None:
    program = (
        "import builtins, volr.cli; real = builtins.__import__\n"
        "def stop(name, *rest):\n"
        "    if name == 'typer': raise KeyboardInterrupt\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = stop; volr.cli.main(['--version'])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, b"", b"interrupted\n")


DROPPED = """
import signal, sys, time, weakref
from volr.cli.interrupt import interruptions

class Resource:
    def __del__(self):
        if sys.argv[1] == "del":
            signal.raise_signal(signal.SIGINT)

class Slow:
    # The one that comes again is dropped in here as well.
    def __del__(self):
        time.sleep(0.1)

def callback(_):
    if sys.argv[1] != "del":
        signal.raise_signal(signal.SIGINT)

with interruptions() as pressed:
    try:
        resource, slow = Resource(), Slow()
        kept = weakref.ref(resource, callback)
        del resource
        if sys.argv[1] == "again":
            del slow
        time.sleep(600)
    except KeyboardInterrupt:
        print(pressed())
print("over")
"""


@pytest.mark.parametrize("where", ["del", "weakref", "again"])
def test_where_python_drops_it(where: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", DROPPED, where],
        capture_output=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"True\nover\n", b"")


UNHEARD = """
import signal, threading
from volr.cli.interrupt import interruptions

try:
    with interruptions():
        # Another thread takes the signal, as when it comes just before a wait: that wait goes on.
        threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
        threading.Event().wait()
except KeyboardInterrupt:
    print("over")
"""


def test_a_wait_without_end_that_does_not_hear_it_ends() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", UNHEARD],
        capture_output=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"over\n", b"")


def test_what_else_is_dropped_is_told_as_before() -> None:
    code = DROPPED.replace("signal.raise_signal(signal.SIGINT)", "raise ValueError").replace(
        "time.sleep(600)", "pass"
    )
    ran = subprocess.run([sys.executable, "-c", code, "del"], capture_output=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, b"over\n")
    assert b"Exception ignored in: <function Resource.__del__" in ran.stderr
    assert b"ValueError" in ran.stderr
