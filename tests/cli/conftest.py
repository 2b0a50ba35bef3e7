"""`volr` in this process, in a folder of its own, and a model that solves XOR."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import Result, made, solved_xor

from volr.cli import main
from volr.model_files.model_file import save_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.running import Volr
    from typer import Typer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the commands run in, with a program ``xor.volr``."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "VOLR_DATA"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "xor.volr").write_text("dense 2 4 ⦶ dense 4 2\n", encoding="utf-8")
    return tmp_path


COMPILING = "compiling the engine for this kind of model, once: up to a minute\n"


def volr_of(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    commands: Callable[[], Typer] | None = None,
) -> Volr:
    """Run the command line in this process; ``commands`` makes other ones than Volr's."""

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(each) for each in arguments], commands)
        code = caught.value.code
        written = capsys.readouterr()
        # The first test of a kind of model compiles the engine, whichever it is.
        err = written.err.replace(COMPILING, "")
        return Result(code if isinstance(code, int) else 0, written.out, err)

    return run


@pytest.fixture
def volr(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Volr:
    """Run the command line in this process."""
    del folder
    return volr_of(capsys, monkeypatch)


@pytest.fixture
def model(folder: Path) -> Path:
    """An artificial model that solves XOR, trained, as far as its file knows, with the seed 3."""
    path = folder / "ann.safetensors"
    save_model(solved_xor(), path, {"task": "xor", "seed": 3, "condition": "ann"})
    return path


@pytest.fixture
def spiking(folder: Path) -> Path:
    """A spiking model of the program xor.volr, trained, as its file says, with the seed 3."""
    model = made("dense 2 4 ⦶ dense 4 2")
    save_model(model, folder / "snn", {"task": "xor", "seed": 3, "condition": "snn-transferred"})
    return folder / "snn"
