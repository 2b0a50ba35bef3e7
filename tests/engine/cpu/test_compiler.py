"""Numba as the engine imports it: what it reads, and where it keeps what it has compiled."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Filled:
    """A cache that one process has filled, and what that process said."""

    kernels: Path
    result: Result


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Compiled once for all tests, by a process that lets everybody write what it makes, and that
    is told to look for its cache where there is none.
    """
    folder = tmp_path_factory.mktemp("filled")
    before = os.umask(0)
    try:
        result = evaluated(
            folder,
            NUMBA_CACHE_DIR=str(folder / "kernels"),
            NUMBA_CACHE_LOCATOR_CLASSES="none.such",
        )
    finally:
        os.umask(before)
    return Filled(folder / "kernels", result)


@pytest.fixture
def kernels(filled: Filled, tmp_path: Path) -> Path:
    """A copy of the filled cache."""
    assert filled.result.code == 0, filled.result.err
    shutil.copytree(filled.kernels, tmp_path / "kernels")
    return tmp_path / "kernels"


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


def written(kernels: Path) -> dict[Path, int]:
    """What Numba has written there, and when."""
    return {each: each.stat().st_mtime_ns for each in kernels.rglob("*.nb?")}


def damage(kernels: Path) -> tuple[Path, Path]:
    """Damage two small kernels: the code of one, and the list of what there is of the other."""
    code, other, *_ = sorted(kernels.rglob("*.nbc"), key=lambda each: each.stat().st_size)
    index = other.with_name(other.name.removesuffix(".1.nbc") + ".nbi")
    assert index.exists()
    for each in (code, index):
        each.write_bytes(b"\x80damaged")
    return code, index


def complaints(result: Result) -> list[str]:
    """What was said, but for the word that it takes long, as on a busy machine."""
    waiting = "compiling the engine"
    return [each for each in result.err.splitlines() if not each.startswith(waiting)]


def found_by(result: Result) -> list[str]:
    """What was found, but for the seconds."""
    return result.out.split()[:-1]


def test_kernels_are_kept_once_and_closed_to_others(
    filled: Filled, kernels: Path, tmp_path: Path
) -> None:
    assert foreign_hands(filled.kernels) is None
    before = written(kernels)
    assert before
    again = evaluated(tmp_path, NUMBA_CACHE_DIR=str(kernels))
    assert (again.code, complaints(again)) == (0, [])
    assert written(kernels) == before


def test_where_numba_looks_is_not_for_its_variable_to_say(filled: Filled) -> None:
    assert filled.result.code == 0, filled.result.err
    assert list(filled.kernels.rglob("*.nbi"))


def test_a_damaged_cache_is_made_anew(filled: Filled, kernels: Path, tmp_path: Path) -> None:
    damaged = damage(kernels)
    # The first one mends it for the second.
    mended, again = (evaluated(tmp_path, NUMBA_CACHE_DIR=str(kernels)) for _ in range(2))
    for each in (mended, again):
        assert each.code == 0, each.err
        assert found_by(each) == found_by(filled.result)
    assert complaints(again) == []
    assert all(each.stat().st_size > 100 for each in damaged)


@pytest.mark.parametrize("is_there", [True, False])
def test_without_room_or_sound_files_the_engine_does_without_its_cache(
    filled: Filled, kernels: Path, tmp_path: Path, is_there: bool
) -> None:
    damaged = damage(kernels)
    if not is_there:
        for each in damaged:
            each.unlink()
    save_model(made("dense 2 4 ⦶ dense 4 2"), tmp_path / "snn")
    # The size that a file may have stands for a full disk: what is written fails in the middle.
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); "
        "from volr.cli import main; main()"
    )
    limited = subprocess.run(
        [
            *(sys.executable, "-P", "-c", code),
            *("evaluate", tmp_path / "snn", "--task", "xor", "--samples", "3"),
        ],
        env=environment(NUMBA_CACHE_DIR=str(kernels)),
        capture_output=True,
        text=True,
        check=False,
    )
    result = Result(limited.returncode, limited.stdout, limited.stderr)
    assert result.code == 0, result.err
    assert found_by(result) == found_by(filled.result)
    assert result.err.count("compiled kernels cannot be kept in") == 1
    assert "Traceback" not in result.err
