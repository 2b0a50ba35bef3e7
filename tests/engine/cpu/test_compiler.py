"""Numba as the engine imports it: what it reads, and where it keeps what it has compiled."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

pytest.importorskip("numba")

from tests.cli.running import Result, environment, made, piped

from volr.engine.cpu.compiler import VARIABLE, _cache_folder
from volr.model_files.model_file import save_model
from volr.system.caches import cache_path, foreign_hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_kernels_are_kept_beside_their_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert _cache_folder() == ""


def test_kernels_are_kept_where_the_user_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "new"))
    assert _cache_folder() == str(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_where_the_source_cannot_be_written_they_are_in_volrs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "access", Mock(return_value=False))
    assert _cache_folder() == str(cache_path("numba"))


def relative(_: Path) -> str:
    return "nc"


def open_to_all(folder: Path) -> str:
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    return str(folder / "open")


def no_folder(folder: Path) -> str:
    (folder / "file").touch()
    return str(folder / "file")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (relative, "nc is a relative path"),
        (open_to_all, "open can be written by others"),
        (no_folder, "file: File exists"),
    ],
)
def test_a_cache_that_others_may_have_filled_is_not_used(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    said: Callable[[Path], str],
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(VARIABLE, said(tmp_path))
    with caplog.at_level(logging.WARNING, logger="volr"):
        assert _cache_folder() == str(cache_path("numba"))
    (told,) = caplog.messages
    assert told.startswith("NUMBA_CACHE_DIR is not used: ")
    assert why in told


def test_without_its_compiler_the_engine_says_so(tmp_path: Path) -> None:
    save_model(made("dense 2 4 ⦶ dense 4 2"), tmp_path / "snn")
    result = piped("evaluate", tmp_path / "snn", "--task", "xor", NUMBA_DISABLE_JIT="1")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: Numba's compiler is switched off (NUMBA_DISABLE_JIT)")
    assert "= help: unset NUMBA_DISABLE_JIT" in result.err


def test_who_imported_numba_before_is_told_the_same() -> None:
    code = (
        "import os; os.environ['NUMBA_DISABLE_JIT'] = '1'\n"
        "import numba\n"
        "from volr.errors import BackendError\n"
        "try:\n"
        "    import volr.engine.cpu.membranes\n"
        "except BackendError as error:\n"
        "    print(error.help)\n"
    )
    said = subprocess.check_output([sys.executable, "-c", code], env=environment(), text=True)
    assert said.startswith("unset NUMBA_DISABLE_JIT")


def evaluated(folder: Path, **variables: Any) -> Result:
    """A small model evaluated, with kernels kept where the variables say."""
    save_model(made("dense 2 4 ⦶ dense 4 2"), folder / "snn")
    return piped("evaluate", folder / "snn", "--task", "xor", "--samples", "3", **variables)


def test_a_part_that_another_user_has_made_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kernels"))
    assert _cache_folder() == str(tmp_path / "kernels")
    # Numba's own name for it: what another user could have made before the folder was closed.
    (part,) = (tmp_path / "kernels").iterdir()
    os.chown(part, 12345, 12345)
    with caplog.at_level(logging.WARNING, logger="volr"):
        assert _cache_folder() == str(cache_path("numba"))
    (told,) = caplog.messages
    assert f"{part} belongs to another user" in told
    assert f"move {part} away or remove it" in told


def test_kernels_are_kept_once_and_closed_to_others(tmp_path: Path) -> None:
    kernels = tmp_path / "kernels"
    before = os.umask(0)
    try:
        first = evaluated(tmp_path, NUMBA_CACHE_DIR=str(kernels))
    finally:
        os.umask(before)
    assert first.code == 0, first.err
    made_by_numba = {each: each.stat().st_mtime_ns for each in kernels.rglob("*.nb?")}
    assert made_by_numba
    assert foreign_hands(kernels) is None
    again = evaluated(tmp_path, NUMBA_CACHE_DIR=str(kernels))
    assert (again.code, again.err) == (0, "")
    assert {each: each.stat().st_mtime_ns for each in kernels.rglob("*.nb?")} == made_by_numba


def test_where_numba_looks_is_not_for_its_variable_to_say(tmp_path: Path) -> None:
    result = evaluated(
        tmp_path, NUMBA_CACHE_LOCATOR_CLASSES="none.such", NUMBA_CACHE_DIR=str(tmp_path / "kernels")
    )
    assert result.code == 0, result.err
    assert list((tmp_path / "kernels").rglob("*.nbi"))


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    kernels = tmp_path / "kernels"
    first = evaluated(tmp_path, NUMBA_CACHE_DIR=str(kernels))
    for each in kernels.rglob("*.nb?"):
        each.write_bytes(b"\x80damaged")
    # The first one mends it for the second.
    mended, again = (evaluated(tmp_path, NUMBA_CACHE_DIR=str(kernels)) for _ in range(2))
    for each in (mended, again):
        assert each.code == 0, each.err
        assert each.out.split()[:-1] == first.out.split()[:-1]  # but for the seconds
    assert again.err == ""


def test_without_room_or_sound_files_the_engine_does_without_its_cache(tmp_path: Path) -> None:
    kernels = tmp_path / "kernels"
    first = evaluated(tmp_path, NUMBA_CACHE_DIR=str(kernels))
    for each in kernels.rglob("*.nb?"):
        each.write_bytes(b"\x80damaged")
    # The size that a file may have stands for a full disk: what is written fails in the middle.
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); "
        "from volr.cli import main; main()"
    )
    for folder in (kernels, tmp_path / "empty"):
        limited = subprocess.run(
            [
                *(sys.executable, "-P", "-c", code),
                *("evaluate", tmp_path / "snn", "--task", "xor", "--samples", "3"),
            ],
            env=environment(NUMBA_CACHE_DIR=str(folder)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert limited.returncode == 0, limited.stderr
        assert limited.stdout.split()[:-1] == first.out.split()[:-1]  # but for the seconds
        assert limited.stderr.count("compiled kernels cannot be kept in") == 1
        assert "Traceback" not in limited.stderr
