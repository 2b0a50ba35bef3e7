"""`evaluate`: what it measures where, on which data, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import solved_xor
from tests.needs import needs_nest

from volr.experiments.tasks import task
from volr.model_files.model_file import save_model
from volr.models.coding import Poisson
from volr.models.model import SpikingModel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr


@pytest.fixture
def spiking(folder: Path) -> Path:
    """A spiking model of no use: it tells which of its inputs spiked more, and both are random."""
    network = solved_xor().network
    same = np.diag([20.0, 20.0])
    values = {
        name: same if name.endswith("weight") else np.zeros(2) for name in solved_xor().parameters
    }
    model = SpikingModel(network=network, parameters=values, coding=Poisson(300.0), duration=20.0)
    save_model(model, folder / "snn", {"task": "xor", "seed": 3})
    return folder / "snn"


@pytest.mark.parametrize("on", ["reference", "torch"])
def test_an_artificial_model(volr: Volr, model: Path, on: str) -> None:
    if on == "torch":
        pytest.importorskip("torch")
    result = volr("evaluate", model, "--task", "xor", "--on", on)
    assert (result.code, result.err) == (0, "")
    head, row = result.out.splitlines()
    found = dict(zip(head.split(), row.split(), strict=True))
    data = task("xor").load(seed=3)
    chance = np.mean(data.test.labels == np.bincount(data.train.labels).argmax())
    assert float(found.pop("seconds")) >= 0
    assert found == {
        "task": "xor",
        "backend": on,
        "seed": "3",
        "accuracy": "1.0000",
        "samples": f"{len(data.test)}",
        "ties": "0",
        "chance": f"{chance:.3f}",
    }


def test_json(volr: Volr, model: Path) -> None:
    arguments = ("evaluate", model, "--task", "xor", "--on", "reference", "--json")
    found = json.loads(volr(*arguments, "--samples", "7").out)
    assert found.pop("seconds") >= 0
    assert 0 < found.pop("chance") < 1
    assert found == {
        "task": "xor",
        "seed": 3,
        "accuracy": 1.0,
        "backend": "reference",
        "samples": 7,
        "correct": 7,
        "ties": 0,
    }


def test_the_data_are_those_the_model_was_not_trained_on(volr: Volr, model: Path) -> None:
    def seed(*arguments: object) -> int:
        result = volr("evaluate", *arguments, "--on", "reference", "--json")
        return json.loads(result.out)["seed"]

    assert seed(model, "--task", "xor") == 3
    # Whatever the seed of the input spikes: another split would show it what it has learned from.
    assert seed(model, "--task", "xor", "--seed", "5") == 3
    assert seed(model, "--task", "nand") == 0
    assert seed(model, "--task", "nand", "--seed", "5") == 5


@pytest.mark.parametrize("on", ["engine", pytest.param("nest", marks=needs_nest)])
def test_a_spiking_model_runs_on_the_engine_or_nest_and_the_seed_draws_its_input(
    volr: Volr, spiking: Path, on: str
) -> None:
    pytest.importorskip("numba")
    chosen = () if on == "engine" else ("--on", on)
    arguments = ("evaluate", spiking, "--task", "xor", "--json", *chosen)
    found = [json.loads(volr(*arguments, *seed).out) for seed in ((), ("--seed", "3"))]
    others = [json.loads(volr(*arguments, "--seed", str(seed)).out) for seed in (4, 5, 6)]
    assert {each["backend"] for each in found + others} == {on}
    assert found[0]["ties"] == found[1]["ties"] > 0
    assert found[0]["correct"] == found[1]["correct"]
    assert len({(each["ties"], each["correct"]) for each in others}) > 1


@needs_nest
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ann.safetensors", "--task", "xor", "--on", "nest"), "simulates spiking models"),
        (("snn", "--task", "xor", "--on", "torch"), "no spiking neurons"),
        (("snn", "--task", "xor", "--on", "reference"), "no spiking neurons"),
        (("snn", "--task", "xor", "--on", "nset"), "did you mean 'nest'?"),
        (("ann.safetensors", "--task", "xor", "--on", "engine"), "simulates spiking models"),
        (("snn", "--task", "digits"), "trained on xor, and does not fit the task digits"),
        (("snn", "--task", "xro"), "did you mean 'xor'?"),
    ],
)
def test_what_is_wrong_is_said(
    volr: Volr, model: Path, spiking: Path, arguments: tuple[str, ...], said: str
) -> None:
    pytest.importorskip("torch")
    del model, spiking
    result = volr("evaluate", *arguments)
    assert (result.code, result.out) == (1, "")
    assert said in result.err


def nowhere(package: str) -> None:
    """No package is installed."""


def test_a_missing_package_names_what_to_install(
    volr: Volr, model: Path, spiking: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("volr.backends.refusals.importlib.util.find_spec", nowhere)
    for path, extra in ((model, "torch"), (spiking, "engine")):
        result = volr("evaluate", path, "--task", "xor")
        assert result.code == 1
        assert f"pip install 'volr[{extra}]'" in result.err


def test_where_there_is_no_gpu_auto_says_what_it_took_and_cuda_what_is_missing(
    volr: Volr, spiking: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr("volr.engine.devices.cuda_problem", lambda: "there is none")
    told = ("evaluate", spiking, "--task", "xor", "--samples", "20")
    result = volr(*told, "--device", "auto")
    assert result.code == 0
    assert result.err.endswith("run on the processor\n")
    row, expected = (each.out.splitlines()[1].split() for each in (result, volr(*told)))
    assert row[:-1] == expected[:-1]  # the last is how long it took
    refused = volr(*told, "--device", "cuda")
    assert refused.code == 1
    assert "no GPU can be used: there is none" in refused.err
    assert "--device cpu" in refused.err


def test_a_gpu_is_for_the_engine_alone(
    volr: Volr, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("volr.engine.devices.cuda_problem", lambda: None)
    result = volr("evaluate", model, "--task", "xor", "--on", "reference", "--device", "cuda")
    assert result.code == 1
    assert "reference runs on the processor alone" in result.err
