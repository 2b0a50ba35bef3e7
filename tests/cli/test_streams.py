"""Streams of commands: read by nobody, full, or closed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import VOLR, environment, piped

from volr.model_files.model_file import read_model_file

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

HELP = [("--help",), ("check", "--help"), ("train", "--help")]


def volr(
    folder: Path, *arguments: str, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, with these streams."""
    return subprocess.run(
        [*VOLR, *arguments],
        cwd=folder,
        stdout=stdout,
        stderr=stderr,
        env=environment(),
        check=False,
    )


@contextmanager
def full_disk() -> Generator[int]:
    """A stream to a disk without room."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def pipe_without_reader() -> Generator[int]:
    """A stream to a program that has ended."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        yield theirs
    finally:
        os.close(theirs)


def test_a_reader_that_has_had_enough_is_no_error(folder: Path) -> None:
    layers = " ⦶ ".join(["dense 2 2"] * 1000)
    (folder / "long.volr").write_text(layers, encoding="utf-8")
    for arguments in (["show"], ["show", "--json"], ["show", "--svg", "-"], ["format"]):
        command = [*VOLR, *arguments, "long.volr"]
        ours, theirs = os.pipe()
        # Less than any of these would write.
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, 4096)
        process = subprocess.Popen(
            command, cwd=folder, stdout=theirs, stderr=subprocess.PIPE, env=environment()
        )
        os.close(theirs)
        assert os.read(ours, 10)
        os.close(ours)
        _, err = process.communicate()
        assert (process.returncode, err) == (141, b"")


@pytest.mark.parametrize("arguments", HELP)
def test_a_help_that_nobody_reads(folder: Path, arguments: tuple[str, ...]) -> None:
    with pipe_without_reader() as closed:
        ran = volr(folder, *arguments, stdout=closed)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("chek",), 2),
        (("check", "--nothing"), 2),
        (("check", "wrong.volr"), 1),
        (("lint", "nowhere.nir"), 1),
    ],
)
@pytest.mark.parametrize("unwritable", [full_disk, pipe_without_reader])
def test_errors_that_cannot_be_shown_end_as_they_do(
    folder: Path,
    arguments: tuple[str, ...],
    code: int,
    unwritable: Callable[[], AbstractContextManager[int]],
) -> None:
    (folder / "wrong.volr").write_text("dense 2\n")
    with unwritable() as stream:
        ran = volr(folder, *arguments, stderr=stream)
    assert (ran.returncode, ran.stdout) == (code, b"")


def test_no_work_is_given_up_because_a_note_cannot_be_shown(folder: Path) -> None:
    pytest.importorskip("torch")
    options = ("--task", "xor", "--epochs", "1", "--candidates", "1", "--out", "ann.safetensors")
    with pipe_without_reader() as closed:
        ran = volr(folder, "train", "xor.volr", *options, stderr=closed)
    assert ran.returncode == 0
    assert read_model_file(folder / "ann.safetensors").origin["task"] == "xor"


@pytest.mark.parametrize("arguments", [("check", "xor.volr"), ("--version",), *HELP])
def test_a_full_disk_is_an_error_message(folder: Path, arguments: tuple[str, ...]) -> None:
    with full_disk() as full:
        ran = volr(folder, *arguments, stdout=full)
    assert ran.returncode == 1
    assert ran.stderr == b"error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize(
    ("redirection", "arguments", "code"),
    [("<&-", "check -", 1), (">&-", "check xor.volr", 0), ("2>&-", "check nowhere.volr", 1)],
)
def test_closed_streams_are_no_traceback(
    folder: Path, redirection: str, arguments: str, code: int
) -> None:
    command = f'exec "$0" -P -c "from volr.cli import main; main()" {arguments} {redirection}'
    ran = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable],
        cwd=folder,
        capture_output=True,
        check=False,
        env=environment(),
    )
    assert ran.returncode == code
    assert b"Traceback" not in ran.stderr


def test_programs_are_utf_8_whatever_the_locale_says(folder: Path) -> None:
    result = piped("format", "xor.volr", cwd=folder, LC_ALL="C", PYTHONIOENCODING="ascii")
    assert result.out == "dense 2 4 ⦶ dense 4 2\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_in_the_middle_ends_a_long_output(
    folder: Path, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    """With ``PYTHONUNBUFFERED`` a write may be partial, which is no error by itself."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    (folder / "deep.volr").write_text(" >> ".join(["dense 2 2"] * 5_000))
    running = subprocess.Popen(
        [*VOLR, "show", "deep.volr"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert running.stdout is not None
    assert running.stderr is not None
    assert running.stdout.readline() == b"net 2 2\n"
    running.stdout.close()
    assert running.stderr.read() == b""
    running.stderr.close()
    assert running.wait() == 141


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_long_output_is_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    (folder / "deep.volr").write_text(" >> ".join(["dense 2 2"] * 5_000))
    ran = volr(folder, "show", "deep.volr")
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1].startswith(b"10,002 neurons, 20,000 synapses")
