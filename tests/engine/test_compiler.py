"""Numba as the engine imports it: what it reads, and where it keeps what it has compiled."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

pytest.importorskip("numba")

from tests.cli.running import environment, made, piped

from volr.caches import cache_path
from volr.engine.compiler import VARIABLE, _cache_folder
from volr.models.files import save_model

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
        "    import volr.engine.membranes\n"
        "except BackendError as error:\n"
        "    print(error.help)\n"
    )
    said = subprocess.check_output([sys.executable, "-c", code], env=environment(), text=True)
    assert said.startswith("unset NUMBA_DISABLE_JIT")
