"""`import` and `lint`: NIR files of others as models, and what others make of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.model_files.model_file import read_model_file
from volr.models.model import SpikingModel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

nir = pytest.importorskip("nir")


@pytest.fixture
def foreign(folder: Path) -> Path:
    """Two layers as snnTorch's users have them: time constants in s, thresholds of 1."""
    rng = np.random.default_rng(0)

    def layer(size: int) -> object:
        ones = np.ones(size)
        return nir.LIF(0.02 * ones, ones, 0 * ones, ones, v_reset=0 * ones)

    graph = nir.NIRGraph.from_list(
        nir.Input(np.array([3])),
        nir.Affine(rng.normal(size=(5, 3)), rng.normal(size=5)),
        layer(5),
        nir.Affine(rng.normal(size=(2, 5)), rng.normal(size=2)),
        layer(2),
        nir.Output(np.array([2])),
    )
    nir.write(folder / "foreign.nir", graph)
    return folder / "foreign.nir"


def test_a_foreign_file_becomes_a_model(volr: Volr, folder: Path, foreign: Path) -> None:
    result = volr("import", foreign, "--out", "model", "--dt", "0.5")
    assert result.code == 0
    assert result.out.startswith("dense 3 5 ⦶ dense 5 2\nan SNN of if_curr_delta neurons, ")
    assert "seconds" in result.err or " s" in result.err
    model = read_model_file(folder / "model").model
    assert isinstance(model, SpikingModel)
    assert model.dt == 0.5
    assert volr("verify", "model", "--on", "engine").code == 0


def test_a_model_of_ours_comes_back_as_it_was(volr: Volr, folder: Path, spiking: Path) -> None:
    assert volr("compile", spiking, "--to", "nir", "--out", "net.nir").code == 0
    assert volr("import", "net.nir", "--out", "back").code == 0
    before, after = read_model_file(spiking).model, read_model_file(folder / "back").model
    assert before.network == after.network
    assert repr(before).replace(repr(before.parameters), "") == repr(after).replace(
        repr(after.parameters), ""
    )
    for name, value in before.parameters.items():
        np.testing.assert_array_equal(after.parameters[name], value)


def test_lint_says_what_others_make_of_it(volr: Volr, foreign: Path) -> None:
    result = volr("lint", foreign, "--json")
    findings = json.loads(result.out)["findings"]
    assert {"importer", "node", "severity", "message"} == set(findings[0])
    importers = {each["importer"] for each in findings}
    assert importers & {"norse", "snntorch", "spikingjelly", "sinabs"}
    grave = [each for each in findings if each["severity"] != "note"]
    assert result.code == (1 if grave else 0)
    shown = volr("lint", foreign).out.splitlines()
    assert len(shown) == len(findings) + 1


@pytest.mark.parametrize("command", ["import", "lint"])
def test_garbage_is_an_error(volr: Volr, folder: Path, command: str) -> None:
    (folder / "bad.nir").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    arguments = ("--out", "model") if command == "import" else ()
    result = volr(command, "bad.nir", *arguments)
    assert result.code == 1
    assert result.err.startswith("error: ")
    assert "bad.nir" in result.err
    assert not (folder / "model").exists()


@pytest.mark.parametrize(
    "options",
    [
        *(("--dt", "1"), ("--dt", "-3"), ("--duration", "200"), ("--as", "ann")),
        *(("--signal", "euler"), ("--reset", "hard"), ("--time-unit", "ms")),
        ("--reset", "subtract", "--as", "ann", "--dt", "2"),
    ],
)
def test_a_file_of_ours_takes_no_options(
    volr: Volr, folder: Path, spiking: Path, options: tuple[str, ...]
) -> None:
    assert volr("compile", spiking, "--to", "nir", "--out", "net.nir").code == 0
    result = volr("import", "net.nir", "--out", "back", *options)
    assert (result.code, result.out) == (2, "")
    assert "net.nir was written by Volr, and says all of its model itself" in result.err
    told = result.err.partition("leave out ")[2].strip().split(", ")
    assert sorted(told) == sorted(options[::2])
    assert not (folder / "back").exists()


def test_a_wrong_step_of_a_foreign_file_is_told_once(volr: Volr, foreign: Path) -> None:
    result = volr("import", foreign, "--out", "model", "--dt", "-3")
    assert result.code == 1
    assert result.err.count("not above 0") == 1
