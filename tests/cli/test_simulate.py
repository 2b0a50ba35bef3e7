"""`simulate`: what a spiking model does with stimuli from a file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cli.running import made

from volr.engine.reference import simulate
from volr.model_files.model_file import save_model
from volr.models.coding import Poisson
from volr.models.spike_trains import SpikeTrains

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

    from volr.models.model import SpikingModel

TRAINS = np.random.default_rng(3).random((30, 4, 2)) < 0.4


@pytest.fixture
def model(folder: Path) -> SpikingModel:
    found = made("dense 2 5 ⦶ dense 5 3", coding=Poisson(500.0), duration=10.0)
    save_model(found, folder / "snn")
    return found


@pytest.mark.parametrize("name", ["trains.npy", "trains.npz", "named.npz"])
def test_spike_trains_are_shown_for_as_long_as_they_last(
    volr: Volr, folder: Path, model: SpikingModel, name: str
) -> None:
    np.save(folder / "trains.npy", TRAINS)
    np.savez(folder / "trains.npz", TRAINS)
    np.savez(folder / "named.npz", labels=np.zeros(4), spikes=TRAINS.astype(np.uint8))
    result = volr("simulate", "snn", name, "--out", "found.npz")
    assert result.code == 0
    assert "as long as the spike trains: 15 ms" in result.err
    wanted = simulate(replace(model, duration=15.0), SpikeTrains(TRAINS)).spikes
    with np.load(folder / "found.npz") as found:
        assert found["dt"] == model.dt
        for population, spikes in wanted.items():
            np.testing.assert_array_equal(found[f"{population}.spikes"], spikes)
    rows = [line.split() for line in result.out.splitlines()]
    assert rows[0] == ["population", "neurons", "spikes", "Hz"]
    fired = int(wanted["dense_2"].sum())
    assert rows[3][:3] == ["dense_2", "3", f"{fired:,}"]
    assert float(rows[3][3]) == pytest.approx(fired / (3 * 4 * 0.015), abs=0.05)


def test_values_are_coded_as_the_model_does(volr: Volr, folder: Path, model: SpikingModel) -> None:
    values = np.random.default_rng(0).random((6, 2))
    np.save(folder / "values.npy", values)
    result = volr("simulate", "snn", "values.npy", "--seed", "4", "--json")
    found = json.loads(result.out)
    wanted = simulate(model, values, seed=4).spikes
    assert found["outputs"] == {"dense_2": wanted["dense_2"].sum(axis=0).tolist()}
    assert found["spikes"] == {name: int(each.sum()) for name, each in wanted.items()}


def test_verify_compares_spikes_on_trains_of_ones_own(
    volr: Volr, folder: Path, model: SpikingModel
) -> None:
    assert model.steps == 20
    np.save(folder / "trains.npy", TRAINS[:20])
    assert volr("verify", "snn", "--on", "engine", "--stimuli", "trains.npy").code == 0
    for other in (("--task", "xor"), ("--samples", "3"), ("--data", ".")):
        both = volr("verify", "snn", "--stimuli", "trains.npy", *other)
        assert (both.code, f"{other[0]}: the stimuli are those of" in both.err) == (2, True)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": TRAINS, "b": TRAINS}, "it is not clear which are the stimuli"),
        ({"stimuli": np.array([None, 1], dtype=object)}, "has objects of Python"),
        ({"stimuli": TRAINS * 0.3}, "a spike train has 1 where there is a spike"),
        ({"stimuli": TRAINS[:, :, :1]}, "the network takes [batch, 2]"),
        ({"stimuli": np.full((3, 2), np.nan)}, "value 0 of stimulus 0 is nan"),
        ({"stimuli": np.array(["a", "b"])}, "not real numbers"),
    ],
)
@pytest.mark.usefixtures("model")
def test_files_of_something_else_are_refused(
    volr: Volr, folder: Path, arrays: Any, said: str
) -> None:
    np.savez(folder / "odd.npz", allow_pickle=True, **arrays)
    result = volr("simulate", "snn", "odd.npz", "--out", "found.npz")
    assert result.code == 1
    assert said in result.err
    assert not (folder / "found.npz").exists()


@pytest.mark.usefixtures("model")
def test_a_file_that_is_none_and_a_damaged_one(volr: Volr, folder: Path) -> None:
    np.save(folder / "trains.npy", TRAINS)
    missing = volr("simulate", "snn", "train.npy")
    assert (missing.code, "did you mean 'trains.npy'?" in missing.err) == (1, True)
    (folder / "half.npy").write_bytes((folder / "trains.npy").read_bytes()[:150])
    assert "is damaged" in volr("simulate", "snn", "half.npy").err
    (folder / "text.npy").write_text("0 1 1 0")
    assert "is damaged" in volr("simulate", "snn", "text.npy").err


def test_an_artificial_network_has_no_spikes(volr: Volr, folder: Path) -> None:
    from tests.cli.conftest import solved_xor

    save_model(solved_xor(), folder / "ann")
    np.save(folder / "values.npy", np.zeros((2, 2)))
    result = volr("simulate", "ann", "values.npy")
    assert (result.code, "which has no spikes" in result.err) == (1, True)
    assert "simulates nothing" in volr("simulate", "ann", "values.npy", "--on", "torch").err
