"""`explain`: from either model, with the ANN named or found, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import solved_xor
from tests.needs import needs_numba

from volr.model_files.model_file import read_model_file, save_model
from volr.models.model import SpikingModel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

XOR = ("--task", "xor")


def positive(folder: Path, volr: Volr, model: Path) -> Path:
    """A transferred model whose negative weights were lost."""
    assert volr("transfer", model, *XOR, "--out", "snn", "--samples", "60").code == 0
    loaded = read_model_file(folder / "snn")
    assert isinstance(loaded.model, SpikingModel)
    values = {
        name: np.maximum(value, 0.0) if name.endswith("weight") else value
        for name, value in loaded.model.parameters.items()
    }
    origin = {"task": "xor", "seed": 3}
    save_model(replace(loaded.model, parameters=values), folder / "positive", origin)
    return folder / "positive"


@needs_numba
def test_a_lost_sign_is_named_with_its_remedy(volr: Volr, folder: Path, model: Path) -> None:
    spiking = positive(folder, volr, model)
    result = volr("explain", spiking, *XOR, "--ann", model)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith("The largest cause is sign of weights, ")
    assert "What helps: volr transfer again" in lines[0]
    assert "ANN 1.0000, SNN 0." in lines[2]
    table = lines.index(next(line for line in lines if line.startswith("cause ")))
    first = lines[table + 1]
    assert first.startswith("sign of weights")
    assert first.endswith("volr transfer again")
    assert any(line.endswith("negative weights are missing") for line in lines)
    assert any(line.startswith("volr transfer again  ") for line in lines)


@needs_numba
def test_json_has_all_of_it(volr: Volr, folder: Path, model: Path) -> None:
    spiking = positive(folder, volr, model)
    result = volr("explain", spiking, *XOR, "--ann", model, "--json", "--no-remedies")
    found = json.loads(result.out, parse_constant=pytest.fail)
    assert found["task"] == "xor"
    assert found["parts"][0]["cause"] == "sign"
    assert sum(part["points"] for part in found["parts"]) == pytest.approx(found["gap"])
    assert found["gap"] == pytest.approx(found["ann"] - found["snn"])
    assert found["trials"] == []
    assert found["remedy"] is None
    assert found["summary"].startswith("The largest cause is sign of weights")
    assert found["samples"] == 102


@needs_numba
def test_an_ann_is_transferred_first(volr: Volr, model: Path) -> None:
    result = volr("explain", model, *XOR, "--duration", "1.5", "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["ann"] == 1.0
    assert found["gap"] > 0.1
    # What it was transferred with is known, so that it is not tried again as it is.
    assert found["trials"]
    assert all(trial["change"] != "volr transfer again" for trial in found["trials"])
    result = volr("explain", model, *XOR, "--samples", "50")
    assert result.code == 0, result.err
    assert "within its sampling error" in result.out
    assert "50 stimuli" in result.out


@needs_numba
def test_the_ann_that_a_file_names_lies_beside_it(volr: Volr, folder: Path, model: Path) -> None:
    spiking = read_model_file(positive(folder, volr, model)).model
    origin = {"task": "xor", "seed": 3, "ann": "../ann.safetensors"}
    (folder / "deeper").mkdir()
    save_model(spiking, folder / "deeper" / "snn", origin)
    result = volr("explain", "deeper/snn", *XOR, "--no-remedies")
    assert result.code == 0, result.err
    assert "sign of weights" in result.out


def test_refusals(volr: Volr, folder: Path, model: Path, spiking: Path) -> None:
    save_model(solved_xor(), folder / "other")
    for arguments, code, said in (
        ((spiking, *XOR), 1, "name it with --ann MODEL"),
        ((spiking, *XOR, "--ann", spiking), 1, "is a spiking model"),
        ((spiking, *XOR, "--ann", "other"), 1, "not of the same network"),
        ((model, *XOR, "--ann", "other"), 1, "is an ANN itself"),
        (
            (spiking, *XOR, "--ann", model, "--dt", "0.2"),
            2,
            "leave them out, or name the ANN as MODEL",
        ),
        ((model, *XOR, "--on", "torch"), 1, "simulates nothing"),
        ((model, "--task", "digits"), 1, "name its own task: --task xor"),
    ):
        result = volr("explain", *arguments)
        assert (result.code, result.out) == (code, "")
        assert said in result.err
