"""``new``: the project that it writes trains, transfers and verifies."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import PATIENCE, VOLR
from tests.needs import needs, needs_numba

from volr.cli.new import FILES
from volr.language import check
from volr.model_files.model_file import load_model
from volr.models.model import SpikingModel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

SHORT = {
    "TRAIN": "--epochs 2 --candidates 1 --train-samples 300",
    "TRANSFER": "--calibration-samples 20 --rounds 0 --duration 10",
    "VERIFY": "--on engine --samples 2",
    "TASK": "digits",
}


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=5 * PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def project(volr: Volr, folder: Path) -> Path:
    result = volr("new", "my-net")
    assert (result.code, result.err) == (0, "")
    assert result.out == "".join(f"my-net/{each}\n" for each in FILES) + "\ncd my-net\nmake\n"
    return folder / "my-net"


def test_it_has_what_it_says(project: Path) -> None:
    assert {each.name for each in project.iterdir()} == set(FILES)
    assert str(check(project / "network.volr").type) == "net [1 8 8] 10"
    for each in project.iterdir():
        text = each.read_text(encoding="utf-8")
        assert "{name}" not in text
        assert ("my-net" in text) == (each.name in {"README.md", "Makefile", "run.py"})
    # Nothing unfinished stays beside it.
    assert {each.name for each in project.parent.iterdir()} == {"my-net", "xor.volr"}


@needs("make", "numba")
def test_make_trains_transfers_and_verifies(project: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    settings = [f"{name}={value}" for name, value in SHORT.items()]
    printed = run(project, "make", f"VOLR={shlex.join(VOLR)}", *settings)
    assert "wrote ann.safetensors" in printed
    assert "wrote spiking.safetensors" in printed
    assert "engine    SNN         equal     equal" in printed
    assert isinstance(load_model(project / "spiking.safetensors"), SpikingModel)
    again = run(project, "make", f"VOLR={shlex.join(VOLR)}", *settings)
    assert "volr train" not in again
    assert "wrote" not in again


STAND_IN = """
import pathlib, sys
print("did", sys.argv[1])
if "--out" in sys.argv:
    pathlib.Path(sys.argv[sys.argv.index("--out") + 1]).write_text("made")
"""


@needs("make")
def test_make_makes_anew_what_was_made_with_other_settings_or_data(project: Path) -> None:
    (project / "volr.py").write_text(STAND_IN, encoding="utf-8")

    def made(*settings: str) -> list[str]:
        printed = run(project, "make", f"VOLR={shlex.quote(sys.executable)} volr.py", *settings)
        done = [line[4:] for line in printed.splitlines() if line.startswith("did ")]
        assert done[-3:] == ["evaluate", "evaluate", "verify"]
        return done[:-3]

    assert made() == ["train", "transfer"]
    assert made() == []
    assert made("TASK=my_data.npz") == ["train", "transfer"]
    (project / "my_data.npz").touch()
    assert made("TASK=my_data.npz") == ["train", "transfer"]
    assert made("TASK=my_data.npz") == []
    assert made("TASK=my_data.npz", "TRANSFER=--rounds 1") == ["transfer"]
    assert made("TASK=my_data.npz", "TRANSFER=--rounds 1", "ON=nest") == []
    assert made("TRAIN=--epochs 2") == ["train", "transfer"]
    run(project, "make", "clean")
    assert {each.name for each in project.iterdir()} == {*FILES, "volr.py", "my_data.npz"}


@needs_numba
def test_the_script_does_the_same(project: Path) -> None:
    pytest.importorskip("torch")
    (project / "network.volr").write_text("dense 2 4 ⦶ dense 4 2\n", encoding="utf-8")
    printed = run(project, sys.executable, "-P", "run.py", "--task", "xor", "--epochs", "2")
    assert "artificial: 0." in printed
    assert "spiking, on engine: 0." in printed
    assert printed.endswith("the same network on engine: True\n")
    assert (project / "spiking.safetensors").exists()


@pytest.mark.parametrize("name", [".", "..", "-x", ".hidden", "a b", "a\nb", "x/../..", "$HOME"])
def test_a_name_that_is_none_is_refused(name: str, volr: Volr, folder: Path) -> None:
    before = [*folder.iterdir()]
    result = volr("new", "--", name)
    assert result.code == 1
    assert "is no name of a project\n  = help: take letters" in result.err
    assert [*folder.iterdir()] == before


def test_nothing_is_overwritten(volr: Volr, folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "link").symlink_to(folder / "nowhere")
    for name in ("empty", "link", "xor.volr"):
        result = volr("new", name)
        assert result.code == 1
        assert f"error: {name} is there already, and nothing in it was changed" in result.err
    assert [*(folder / "empty").iterdir()] == []
    assert not (folder / "nowhere").exists()


def test_it_can_be_made_elsewhere(volr: Volr, folder: Path) -> None:
    assert volr("new", "a/b/net.1").code == 0
    assert (folder / "a" / "b" / "net.1" / "run.py").is_file()
    result = volr("new", "xor.volr/net")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: cannot make xor.volr/net: ")
