"""`theory`: figures as files, numbers beside the original's, rates of a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from volr.errors import DataError
from volr.experiments.datasets import archive

pytest.importorskip("matplotlib")
pytest.importorskip("numba")

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

NAMES = {"theory-membrane.svg", "theory-response.svg", "theory-chain.svg"}


def test_figures_and_a_table(study: Volr, folder: Path) -> None:
    result = study("theory", "--no-rates", "--out", "figures")
    assert result.code == 0
    assert {path.name for path in (folder / "figures").iterdir()} == NAMES
    assert (folder / "figures" / "theory-chain.svg").read_text().startswith("<svg ")
    rows = [line.split() for line in result.out.splitlines()]
    assert rows[0] == ["quantity", "here", "original"]
    assert rows[1] == ["spikes", "in", "50", "ms", "at", "2", "nA", "5", "5"]
    slope = next(row for row in rows if "slope," in row)
    assert slope[-1] == "3.225"
    assert float(slope[-2]) == pytest.approx(3.225, rel=0.03)


def test_json_with_the_rates_of_a_model(study: Volr, model: Path, folder: Path) -> None:
    result = study("theory", "--model", model, "--json")
    assert result.code == 0
    found = json.loads(result.out)
    assert {path.name for path in (folder / "theory").iterdir()} == {*NAMES, "theory-rates.svg"}
    assert found["on"] == "engine"
    assert found["task"] == "xor"
    assert [each["population"] for each in found["rates"]] == ["input", "dense_1", "dense_2"]
    assert len(found["theory"]["response"]["counts"]) == 121
    assert found["comparisons"][0]["ours"] == 5


def test_digits_are_learned_where_mnist_is_not_there(
    study: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")

    def refuse(*_: object) -> None:
        raise DataError("cannot download MNIST")

    monkeypatch.setattr(archive, "download", refuse)
    monkeypatch.setattr("studies.pedersen2019.theory.RATE_SAMPLES", 10)
    result = study("theory", "--epochs", "1", "--out", "t")
    assert result.code == 0
    assert "digits instead of MNIST: " in result.err
    table = result.out.partition("mean rates in Hz, digits")[2].splitlines()
    rates = {name: (float(a), float(b)) for name, a, b in (row.split() for row in table[1:])}
    assert list(rates) == ["input", "dense_1", "dense_2"]
    assert all(measured > 0 for _, measured in rates.values())
    assert (folder / "t" / "theory-rates.svg").exists()


def test_what_is_asked_for_is_not_replaced(
    study: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = study("theory", "--task", "mnist", "--data", "nowhere")
    assert result.code == 1
    assert "nowhere" in result.err
    monkeypatch.setenv("VOLR_DATA", "elsewhere")
    result = study("theory")
    assert result.code == 1
    assert "elsewhere" in result.err
    assert not (folder / "theory").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--no-rates", "--task", "xor", "--epochs", "3"), "--task, --epochs: for the rates"),
        (("--no-rates", "--model", "ann.safetensors"), "--model: for the rates"),
        (("--model", "ann.safetensors", "--epochs", "3"), "--epochs: the model of --model"),
    ],
)
def test_options_of_no_effect_are_refused(
    study: Volr, folder: Path, model: Path, arguments: tuple[str, ...], said: str
) -> None:
    del model
    result = study("theory", *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert not (folder / "theory").exists()


def test_a_spiking_model_is_refused(study: Volr, spiking: Path) -> None:
    result = study("theory", "--model", spiking)
    assert result.code == 1
    assert "what its rates should be is not known" in result.err
    assert "help:" in result.err
