"""`experiment`: Volr's own command with the study's conditions."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from volr.model_files.model_file import read_model_file
from volr.models.model import SpikingModel
from volr.neurons import IFCondExp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

SMALL = ("--epochs", "2", "--duration", "10", "--dt", "1", "--on", "engine")


@pytest.fixture(autouse=True)
def _backends() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")


def results(folder: Path) -> Any:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def settings_file(folder: Path, **told: object) -> Path:
    """Settings for next to no work."""
    samples = {"train_samples": 40, "test_samples": 20, "calibration_samples": 4, "rounds": 1}
    path = folder / "settings.json"
    path.write_text(json.dumps({"settings": {**samples, **told}}), encoding="utf-8")
    return path


def test_the_original_and_steps_from_it_on_its_own_neuron(study: Volr, folder: Path) -> None:
    steps = ("original", "+ signs", "ours − scaling")
    chosen = ("--conditions", ",".join(steps))
    alone = ("--settings", settings_file(folder), "--processes", "1")
    result = study("experiment", "nand", *chosen, *SMALL, *alone)
    assert result.code == 0
    # Each with the artificial network that it is made of before it.
    expected = [
        ("ann-original", "–"),
        ("original", "if_cond_exp"),
        ("ann", "–"),
        ("+ signs", "if_cond_exp"),
        ("ours − scaling", "if_cond_exp"),
    ]
    _, *lines = result.out.splitlines()
    cells = [re.split(r"  +", line) for line in lines]
    assert [(condition, neuron) for _, condition, _, _, neuron, *_ in cells] == expected
    rows = results(folder / "results")["rows"]
    assert [(r["condition"], r["neuron"] or "–") for r in rows] == expected
    for label, neuron in expected:
        on = "torch" if neuron == "–" else "engine"
        assert f"/5  nand, seed 0: {label} on {on} 0." in result.err
    models = folder / "results" / "models"
    lowest: dict[str, float] = {}
    for step, name in zip(steps, ("original", "with-signs", "ours-without-scaling"), strict=True):
        model = read_model_file(models / f"nand-0-ablation-{name}-if_cond_exp.safetensors").model
        assert isinstance(model, SpikingModel)
        assert model.neuron == IFCondExp()
        weights = [v for k, v in model.parameters.items() if k.endswith("weight")]
        lowest[step] = min(each.min() for each in weights)
    plan = json.loads((folder / "results" / "plan.json").read_text(encoding="utf-8"))
    assert plan["command"].startswith("python -m studies.pedersen2019")
    # The original's are all excitatory, which is the first thing that is mended.
    assert lowest.pop("original") == 0.0
    assert max(lowest.values()) < 0.0


@pytest.mark.parametrize(
    ("option", "told"),
    [(("--neuron", "if_curr_delta"), {}), ((), {"neuron": "if_curr_delta"})],
    ids=["option", "file"],
)
def test_the_original_on_another_neuron_that_was_told(
    study: Volr, folder: Path, option: tuple[str, ...], told: dict[str, str]
) -> None:
    chosen = ("--conditions", "original", *option)
    alone = ("--settings", settings_file(folder, **told), "--processes", "1")
    assert study("experiment", "nand", *chosen, *SMALL, *alone).code == 0
    found = [(r["condition"], r["neuron"]) for r in results(folder / "results")["rows"]]
    assert found == [("ann-original", ""), ("original", "if_curr_delta")]


def test_processes_of_their_own_know_the_study_and_its_runs_are_found_again(
    study: Volr, folder: Path
) -> None:
    chosen = ("--conditions", "original-transferred,original-random,ours")
    alone = ("--settings", settings_file(folder))
    first = study("experiment", "nand", *chosen, *SMALL, *alone, "--processes", "1", "--out", "a")
    apart = study("experiment", "nand", *chosen, *SMALL, *alone, "--processes", "2", "--out", "b")
    assert first.code == apart.code == 0
    assert first.out == apart.out
    again = study("experiment", "nand", *chosen, *SMALL, *alone, "--out", "b")
    assert "5 of 5 runs are in b already" in again.err


def test_volr_goes_on_in_a_folder_with_runs_of_the_study(
    study: Volr, volr: Volr, folder: Path
) -> None:
    options = (*SMALL, "--settings", settings_file(folder), "--processes", "1", "--out", "r")
    assert study("experiment", "nand", *options, "--conditions", "original,ann").code == 0
    result = volr("experiment", "nand", *options, "--conditions", "ann")
    assert "1 of 1 runs are in r already" in result.err
    assert len(list((folder / "r" / "runs").iterdir())) == 3
    refused = volr("experiment", "nand", *options, "--conditions", "original")
    assert refused.code == 1
    assert "there is no condition 'original'" in refused.err


def test_all_of_the_study_unless_told(study: Volr, folder: Path) -> None:
    options = (*SMALL, "--settings", settings_file(folder), "--processes", "1")
    assert study("experiment", "nand", *options).code == 0
    found = [row["condition"] for row in results(folder / "results")["rows"]]
    ladder = ("original", "+ initialisation", "+ signs", "+ biases", "+ scaling", "ours")
    left_out = (f"ours − {each}" for each in ("initialisation", "signs", "biases", "scaling"))
    assert found == [
        *("ann-original", "ann", "original-random", "original-transferred", *ladder, *left_out)
    ]
