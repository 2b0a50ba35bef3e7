"""Programs of others, which end with whoever asked for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING

import pytest
from tests.cli.running import has_ended, wait_until

from volr.system.commands import NOT_RUN, find_command, run_command

if TYPE_CHECKING:
    from pathlib import Path

ASK = """
import sys, tempfile
from pathlib import Path
from volr.system.commands import run_command
with tempfile.TemporaryFile() as log:
    code = run_command(sys.argv[2:], Path(sys.argv[1]), log)
    log.seek(0)
    print(code, log.read())
"""
# One that starts another, as a compiler does, and both work on.
WORK = "sleep 600 & echo $$ $! > started; wait"


@pytest.fixture
def log() -> IO[bytes]:
    return tempfile.TemporaryFile()


def test_what_it_writes_and_how_it_ends(tmp_path: Path, log: IO[bytes]) -> None:
    script = "echo out; echo err >&2; pwd; echo $TMPDIR; read x || echo no input; exit 7"
    with log:
        assert run_command(["sh", "-c", script], tmp_path, log) == 7
        log.seek(0)
        assert log.read().decode() == f"out\nerr\n{tmp_path}\n{tmp_path}\nno input\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_what_killed_it(tmp_path: Path, log: IO[bytes], number: signal.Signals) -> None:
    with log:
        code = run_command(["sh", "-c", f"kill -{number.value} $$"], tmp_path, log)
    assert code == -number


def test_one_that_cannot_be_run(tmp_path: Path, log: IO[bytes]) -> None:
    (tmp_path / "text").write_text("no program")
    with log:
        assert run_command([str(tmp_path / "text")], tmp_path, log) == NOT_RUN
        log.seek(0)
        assert log.read().decode() == f"{tmp_path}/text cannot be run: Permission denied\n"


def test_what_it_leaves_running_is_ended(tmp_path: Path, log: IO[bytes]) -> None:
    with log:
        assert run_command(["sh", "-c", "sleep 600 & echo $! > left"], tmp_path, log) == 0
    wait_until(lambda: has_ended(int((tmp_path / "left").read_text())))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_whoever_asked(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", ASK, tmp_path, "sh", "-c", WORK]
    with subprocess.Popen(
        command,
        stderr=subprocess.DEVNULL,
        # Whoever runs the tests in the background may have set it to be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as asker:
        processes = started(tmp_path)
        asker.send_signal(number)
        asker.wait(60)
    wait_until(lambda: all(map(has_ended, processes)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_watcher(tmp_path: Path, number: signal.Signals) -> None:
    # It says how that ended, and nothing else.
    command = [sys.executable, "-c", ASK, tmp_path, "sh", "-c", WORK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asker:
        processes = started(tmp_path)
        os.kill(os.getpgid(processes[0]), number)
        assert asker.communicate(timeout=60)[0] == f"{-number} b''\n"
    wait_until(lambda: all(map(has_ended, processes)))


def test_the_current_folder_is_not_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "futhark").write_text("#!/bin/sh\n")
        (tmp_path / folder / "futhark").chmod(0o755)
    monkeypatch.chdir(tmp_path / "here")
    for said in ("", ".", f":{tmp_path}", "../here"):
        monkeypatch.setenv("PATH", said)
        assert find_command("futhark") is None
    monkeypatch.setenv("PATH", f".:{tmp_path}/there")
    assert find_command("futhark") == f"{tmp_path}/there/futhark"
    monkeypatch.delenv("PATH")
    assert find_command("sh") in {"/bin/sh", "/usr/bin/sh"}


def started(folder: Path) -> list[int]:
    """The command and what it has started."""
    file = folder / "started"
    wait_until(lambda: file.exists() and file.read_text().endswith("\n"))
    return [*map(int, file.read_text().split())]
