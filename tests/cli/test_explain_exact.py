"""`explain` of whole numbers: a proof instead of causes, and what quantisation cost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import solved_xor
from tests.needs import needs_numba

from volr.language import to_network
from volr.model_files.model_file import read_model_file, save_model
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

XOR = ("--task", "xor")


@pytest.fixture
def chain(volr: Volr, folder: Path, model: Path) -> Path:
    """A model of XOR with first spikes, whose file names the quantised one, whose names the ANN."""
    assert volr("quantise", model, *XOR, "--levels", 3, "--out", "whole").code == 0
    assert volr("transfer", "whole", "--coding", "first-spike", "--out", "snn").code == 0
    return folder / "snn"


@needs_numba
def test_the_proof_and_what_quantisation_cost(volr: Volr, chain: Path, model: Path) -> None:
    result = volr("explain", chain, *XOR)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0].startswith("Nothing was lost: for every stimulus")
    assert "Quantisation to 3 levels changes" in lines[0] or "of none of 102" in lines[0]
    proof = lines.index(next(line for line in lines if line.startswith("population ")))
    assert [line.split()[0] for line in lines[proof + 1 : proof + 3]] == ["dense_1", "dense_2"]
    assert any(line.startswith("proved: for every stimulus") for line in lines)
    assert any(line.startswith("ANN 1.0000, quantised ") for line in lines)
    assert [line.split()[0] for line in lines[-4:]] == ["quantised", "input", "dense_1", "dense_2"]
    # The ANN may be named too, or the quantised one.
    for ann in (model, "whole"):
        assert volr("explain", chain, *XOR, "--ann", ann).out == result.out
    quantised = volr("explain", "whole", *XOR)
    assert quantised.code == 0
    assert quantised.out.splitlines()[-5:] == lines[-5:]


@needs_numba
def test_json_has_all_of_it(volr: Volr, chain: Path) -> None:
    found = json.loads(volr("explain", chain, *XOR, "--samples", 40, "--json").out)
    assert (found["task"], found["samples"], found["differing"]) == ("xor", 40, 0)
    assert found["backend"] == "engine"
    assert [each["name"] for each in found["proof"]["populations"]] == ["dense_1", "dense_2"]
    assert all(each["margin"] > 0 for each in found["proof"]["populations"])
    loss = found["quantisation"]
    assert sum(part["points"] for part in loss["parts"]) == pytest.approx(loss["gap"])
    assert loss["gap"] == pytest.approx(loss["ann"] - loss["quantised"])
    alone = json.loads(volr("explain", "whole", *XOR, "--samples", 40, "--json").out)
    assert {key: alone[key] for key in loss} == loss


@needs_numba
def test_without_the_ann_there_is_the_proof(volr: Volr, folder: Path, chain: Path) -> None:
    origin = {"task": "xor", "seed": 3}
    save_model(read_model_file(chain).model, folder / "alone", origin)
    result = volr("explain", "alone", *XOR)
    assert result.code == 0
    assert "proved: for every stimulus" in result.out
    assert "quantised  points" not in result.out
    assert "--ann MODEL, the ANN before it was quantised, shows" in result.err
    # An ANN of other weights, as of a training that went on with levels.
    other = solved_xor()
    values = {name: -np.asarray(each) for name, each in other.parameters.items()}
    save_model(replace(other, parameters=values), folder / "other")
    save_model(read_model_file(chain).model, folder / "alone", {**origin, "ann": "other"})
    result = volr("explain", "alone", *XOR)
    assert result.code == 0
    assert "what quantisation cost is not known: the weights of dense_1 in the" in result.err
    assert "--ann MODEL" not in result.err
    result = volr("explain", "alone", *XOR, "--ann", "other")
    assert result.code == 1
    assert "the weights of dense_1 in the quantised network are not" in result.err


@needs_numba
def test_a_file_that_was_moved_leaves_the_proof(volr: Volr, folder: Path, chain: Path) -> None:
    (folder / "ann.safetensors").rename(folder / "elsewhere")
    result = volr("explain", chain, *XOR)
    assert result.code == 0
    assert "proved: for every stimulus" in result.out
    assert "whole comes from another model, " in result.err
    assert "name it with --ann MODEL" in result.err
    result = volr("explain", "whole", *XOR)
    assert (result.code, result.out) == (1, "")
    assert "whole comes from another model, " in result.err
    assert "if that file was moved, name it with --ann MODEL" in result.err
    assert "quantised  points" in volr("explain", chain, *XOR, "--ann", "elsewhere").out
    (folder / "whole").unlink()
    result = volr("explain", chain, *XOR)
    assert "proved: for every stimulus" in result.out
    assert "snn comes from another model, " in result.err
    assert "quantised  points" in volr("explain", chain, *XOR, "--ann", "elsewhere").out


@needs_numba
def test_refusals(volr: Volr, folder: Path, chain: Path, model: Path) -> None:
    wider = to_network("dense 2 5 ⦶ dense 5 2")
    values = {name: np.ones(shape) for name, shape in parameter_shapes(wider).items()}
    save_model(ArtificialModel(wider, values), folder / "wider")
    whole = read_model_file(folder / "whole").model
    save_model(whole, folder / "alone", {"task": "xor", "seed": 3})
    save_model(whole, folder / "itself", {"task": "xor", "seed": 3, "ann": "itself"})
    assert volr("quantise", model, *XOR, "--levels", 5, "--out", "finer").code == 0
    negative = {name: -each for name, each in whole.parameters.items()}
    another = replace(whole, parameters=negative)
    save_model(another, folder / "trained", {"task": "xor", "seed": 3, "ann": f"{model}"})
    for arguments, code, said in (
        ((chain, *XOR, "--dt", "0.2"), 2, "has whole numbers, which need none"),
        (("whole", *XOR, "--percentile", "99"), 2, "has whole numbers, which need none"),
        ((chain, *XOR, "--ann", "wider"), 1, "are not of the same network"),
        ((chain, *XOR, "--ann", chain), 1, "is a spiking model"),
        ((chain, *XOR, "--ann", "finer"), 1, "does not compute the whole numbers of finer"),
        (("alone", *XOR), 1, "does not say which ANN was quantised"),
        (("itself", *XOR), 1, "does not say which ANN was quantised"),
        (("trained", *XOR), 1, "one that was trained with levels has none"),
        ((chain, "--task", "digits"), 1, "name its own task: --task xor"),
    ):
        result = volr("explain", *arguments)
        assert (result.code, result.out) == (code, ""), arguments
        assert said in result.err
