"""`quantise`, `transfer --coding first-spike` and `verify --against`, from a model to its proof."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.needs import needs_numba

from volr.exact.first_spikes import from_first_spikes
from volr.model_files.model_file import load_model, read_model_file, save_model
from volr.models.activations import Staircase, Tanh
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr


@pytest.fixture
def whole(volr: Volr, folder: Path, model: Path) -> Path:
    """The model of XOR, quantised to 8 levels."""
    assert volr("quantise", model, "--task", "xor", "--levels", 8, "--out", "whole").code == 0
    return folder / "whole"


@pytest.fixture
def spiking(volr: Volr, folder: Path, whole: Path) -> Path:
    """The same with first spikes."""
    assert volr("transfer", whole, "--coding", "first-spike", "--out", "snn").code == 0
    return folder / "snn"


def test_a_model_becomes_one_of_whole_numbers_with_a_report(
    volr: Volr, folder: Path, model: Path
) -> None:
    result = volr("quantise", model, "--task", "xor", "--levels", 8, "--out", "whole")
    assert (result.code, result.err) == (0, "wrote whole\n")
    lines = result.out.splitlines()
    assert lines[0].split() == ["population", "size", "level", "clipped", "error", "largest", "sum"]
    assert [line.split()[0] for line in lines[1:3]] == ["dense_1", "dense_2"]
    assert lines[-2].startswith("8 levels of ")
    assert lines[-1].startswith("accuracy on 410 training stimuli: 1.0000 before")
    read = read_model_file(folder / "whole")
    assert isinstance(read.model, ArtificialModel)
    assert isinstance(read.model.activation, Staircase)
    assert read.model.activation.levels == 8
    assert read.origin == {
        **read_model_file(model).origin,
        "task": "xor",
        "condition": "ann-quantised",
        "ann": "ann.safetensors",
    }
    as_json = volr("quantise", model, "--task", "xor", "--levels", 8, "--out", "w", "--json")
    assert json.loads(as_json.out)["levels"] == 8
    assert load_model(folder / "w") == read.model


def test_a_quantised_model_becomes_a_spiking_one_with_its_proof(
    volr: Volr, folder: Path, whole: Path
) -> None:
    result = volr("transfer", whole, "--coding", "first-spike", "--dt", 0.5, "--out", "snn")
    assert (result.code, result.err) == (0, "wrote snn\n")
    lines = result.out.splitlines()
    assert lines[0].split() == ["population", "size", "largest", "sum", "error", "below", "margin"]
    assert "a stimulus takes 19 time steps" in result.out
    assert lines[-1].startswith("proved: for every stimulus")
    read = read_model_file(folder / "snn")
    assert isinstance(read.model, SpikingModel)
    assert read.model.dt == 0.5
    assert from_first_spikes(read.model) == load_model(whole)
    assert read.origin["condition"] == "snn-exact"
    assert read.origin["ann"] == "whole"
    shown = volr("show", "snn")
    assert "clock" in shown.out
    told = json.loads(volr("verify", "snn", "--proof", "--json").out)["proof"]
    assert told["levels"] == 8
    assert [each["name"] for each in told["populations"]] == ["dense_1", "dense_2"]


def test_a_float_model_is_quantised_on_the_way(
    volr: Volr, folder: Path, model: Path, whole: Path
) -> None:
    command = ("transfer", model, "--coding", "first-spike", "--task", "xor", "--levels", 8)
    result = volr(*command, "--out", "snn", "--json")
    assert result.code == 0
    assert set(json.loads(result.out)) == {"quantisation", "proof"}
    made = load_model(folder / "snn")
    assert isinstance(made, SpikingModel)
    assert from_first_spikes(made) == load_model(whole)


@needs_numba
def test_whole_numbers_are_compared_neuron_by_neuron(
    volr: Volr, folder: Path, whole: Path, spiking: Path
) -> None:
    result = volr("verify", spiking, "--against", whole, "--task", "xor", "--samples", 30)
    assert (result.code, result.err) == (0, "")
    assert "engine: 0 of 180 whole numbers differ on 30 stimuli" in result.out
    assert "accuracy 1.0000" in result.out
    assert "numbers: all weights, delays and times are those of the artificial model" in result.out
    # One number of the artificial model is another one.
    ann = load_model(whole)
    assert isinstance(ann, ArtificialModel)
    values = {name: each.copy() for name, each in ann.parameters.items()}
    values["dense_2.bias"][1] += 7
    save_model(ArtificialModel(ann.network, values, ann.activation), folder / "other")
    result = volr("verify", spiking, "--against", "other", "--on", "engine", "--json")
    assert result.code == 1
    told = json.loads(result.out)
    assert "clock->dense_2.weight [1, 0]" in told["numbers"]
    assert told["backends"][0]["different"] == 20
    assert told["backends"][0]["accuracy"] is None
    assert told["backends"][0]["first"]["population"] == "dense_2"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("quantise ann.safetensors --task xor --out w --levels 1", 2, "--levels"),
        ("quantise ann.safetensors --task xor --out w --levels 900000", 1, "has more than 599,185"),
        ("quantise ann.safetensors --task xor --out ann.safetensors", 1, "would be lost"),
        ("quantise ann.safetensors --task xor --out w --percentile 0", 1, "percentile is 0.0"),
        ("quantise ann.safetensors --task digits --out w", 1, "digits"),
        ("quantise tanh --task xor --out w", 1, "staircase cannot stand for"),
        ("quantise whole --task xor --out w", 1, "is quantised already, to 8 levels"),
        ("quantise snn --task xor --out w", 1, "is a spiking model"),
        ("transfer snn --coding first-spike --out w", 1, "is a spiking model already"),
        ("transfer whole --coding first-spike --out w --task xor", 2, "--task: whole is quantised"),
        ("transfer whole --coding first-spike --out w --levels 4", 2, "--levels: whole is"),
        ("transfer whole --coding first-spike --out w --duration 50", 2, "--duration: with"),
        ("transfer whole --coding first-spike --out w --on nest", 2, "--on: with --coding"),
        ("transfer whole --coding first-spike --out w -p v_thresh=2", 2, "--neuron-parameter: "),
        ("transfer whole --coding first-spike --out w --dt 0", 1, "dt is 0.0 ms"),
        ("transfer whole --coding first-spike --out w --dt inf", 1, "dt is inf ms, not finite"),
        (
            "transfer whole --coding first-spikes --task xor --out w",
            1,
            "did you mean 'first-spike'",
        ),
        ("transfer whole --coding first-spike --out w --delay 1.5", 1, "not a whole number of"),
        ("transfer ann.safetensors --coding first-spike --out w", 1, "name their --task"),
        ("transfer ann.safetensors --out w", 2, "Missing option '--task'"),
        ("transfer ann.safetensors --task xor --levels 8 --out w", 2, "only --coding first-spike"),
        ("transfer whole --task xor --out w", 1, "--coding first-spike"),
        ("verify ann.safetensors --proof", 1, "tells no whole numbers"),
        ("verify xor.volr --proof", 2, "a program has no numbers"),
        ("verify snn --against ann.safetensors", 1, "activation relu"),
        ("verify snn --against snn", 1, "is a spiking model"),
        ("verify snn --against nowhere", 1, "nowhere"),
        ("verify snn --against whole --on nowhere", 1, "nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused(
    volr: Volr, folder: Path, model: Path, spiking: Path, command: str, code: int, said: str
) -> None:
    del spiking
    ann = load_model(model)
    assert isinstance(ann, ArtificialModel)
    save_model(ArtificialModel(ann.network, ann.parameters, Tanh()), folder / "tanh")
    result = volr(*command.split())
    assert result.code == code, result
    assert said in result.err
    assert not (folder / "w").exists()
