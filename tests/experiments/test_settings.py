"""Settings: there and back through JSON, and what no setting can be."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from tests.experiments.examples import settings

from volr.engine.surrogates import Surrogate
from volr.errors import DataError, VolrError
from volr.experiments.settings import (
    FOR_ARTIFICIAL,
    Settings,
    settings_from,
    settings_json,
)
from volr.models.coding import ConstantCurrent, Poisson
from volr.neurons import IFCondExp
from volr.quantisation import QuantisationSettings
from volr.training import TrainingSettings
from volr.transfer import TransferSettings


@examples(max_examples=40)
@given(settings())
def test_there_and_back(told: Settings) -> None:
    text = json.dumps(settings_json(told), allow_nan=False)
    assert settings_from(json.loads(text), "a file") == told


def test_only_what_was_told_is_written() -> None:
    assert settings_json(Settings()) == {}
    assert settings_json(Settings(dt=0.5, loop_samples=8192)) == {"dt": 0.5, "loop_samples": 8192}
    assert Settings().step == 0.5
    assert Settings().in_loop_samples == 8192


def test_equal_settings_are_equal_json() -> None:
    whole = Settings(dt=1, rate_max=100, epochs=3, neuron_parameters={"tau_m": 10})
    said = json.dumps(settings_json(whole))
    assert said == json.dumps(settings_json(replace(whole, dt=1.0, rate_max=100.0)))
    assert json.loads(said)["epochs"] == 3
    assert said == json.dumps(settings_json(replace(whole, neuron_parameters={"tau_m": 10.0})))


def test_each_stage_is_told_its_own() -> None:
    told = Settings(
        neuron="if_cond_exp",
        neuron_parameters={"tau_m": 12.0},
        coding="poisson",
        rate_max=300.0,
        duration=20.0,
        dt=0.25,
        delay=1.5,
        percentile=98.0,
        rounds=2,
        calibration_samples=77,
        levels=6,
        quantisation_percentile=97.0,
        quantisation_samples=33,
        epochs=3,
        batch_size=5,
        learning_rate=0.125,
        weight_decay=0.25,
        warm_up_epochs=6,
        warm_up_learning_rate=0.75,
        warm_up_weight_decay=0.875,
        surrogate_epochs=7,
        surrogate_learning_rate=0.5,
        surrogate_weight_decay=0.75,
        surrogate_width=0.4,
        loop_epochs=11,
        loop_batch_size=17,
        loop_learning_rate=0.0625,
        fine_epochs=13,
        fine_batch_size=15,
        fine_learning_rate=0.03125,
    )
    ann = TrainingSettings(seed=9, epochs=3, batch_size=5, learning_rate=0.125, weight_decay=0.25)
    assert told.training(9) == ann
    assert told.warm_up(9) == TrainingSettings(
        seed=9, epochs=6, learning_rate=0.75, weight_decay=0.875
    )
    assert told.surrogate(9) == TrainingSettings(
        seed=9, epochs=7, learning_rate=0.5, weight_decay=0.75
    )
    assert told.spiking().surrogate == Surrogate(width=0.4)
    assert told.in_loop(9) == TrainingSettings(
        seed=9, epochs=11, batch_size=17, learning_rate=0.0625
    )
    assert told.fine(9) == TrainingSettings(seed=9, epochs=13, batch_size=15, learning_rate=0.03125)
    for each in (told.spiking(), told.transfer(9)):
        assert isinstance(each.neuron, IFCondExp)
        assert each.neuron.tau_m == 12.0
        assert each.coding == Poisson(300.0)
        assert (each.duration, each.dt, each.delay) == (20.0, 0.25, 1.5)
    transfer = told.transfer(9)
    assert (transfer.percentile, transfer.rounds, transfer.samples) == (98.0, 2, 77)
    assert transfer.seed == 9
    assert told.quantisation(9) == QuantisationSettings(
        levels=6, percentile=97.0, samples=33, seed=9
    )
    # What is not told is what the stage does of itself.
    assert Settings().training(4) == TrainingSettings(seed=4)
    assert Settings().transfer(4).rounds == TransferSettings().rounds
    assert Settings().quantisation(4) == QuantisationSettings(seed=4)


def test_a_warm_up_of_no_epochs_is_none() -> None:
    assert not Settings().warms_up
    assert not Settings(warm_up_epochs=0).warms_up
    assert Settings(warm_up_epochs=1).warms_up


def test_spiking_networks_are_trained_with_the_inputs_that_a_transfer_would_have() -> None:
    for neuron in ("if_curr_delta", "if_curr_exp", "if_cond_exp"):
        told = Settings(neuron=neuron)
        assert told.spiking().coding == told.transfer(0).input_coding
    assert Settings(neuron="if_cond_exp").spiking().coding == ConstantCurrent(200.0)
    assert Settings(neuron="if_cond_exp", coding="poisson").spiking().coding == Poisson(200.0)


def test_a_step_longer_than_the_usual_rate_allows_has_a_lower_one() -> None:
    told = Settings(dt=2.5)
    assert told.spiking().coding == told.transfer(0).input_coding == ConstantCurrent(400.0)


def test_an_artificial_network_knows_nothing_of_spikes() -> None:
    told = Settings(neuron="if_cond_exp", dt=0.25, rounds=3, fine_epochs=4, test_samples=50)
    assert told.only(FOR_ARTIFICIAL) == Settings(test_samples=50)
    kept = Settings(epochs=2, batch_size=3, learning_rate=0.5, weight_decay=0.1, train_samples=9)
    assert kept.only(FOR_ARTIFICIAL) == kept


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"durations": 5}, "did you mean 'duration'?"),
        ({"duration": "50"}, "the setting 'duration' cannot be '50'"),
        ({"duration": None}, "the setting 'duration' cannot be None"),
        ({"duration": True}, "cannot be True"),
        ({"duration": [50]}, "cannot be [50]"),
        ({"duration": -1}, "duration is -1"),
        ({"duration": float("nan")}, "duration is nan"),
        ({"duration": 10**400}, "the setting 'duration' cannot be 1000"),
        ({"epochs": 1.5}, "the setting 'epochs' cannot be 1.5"),
        ({"epochs": 0}, "epochs"),
        ({"neuron": 5}, "the setting 'neuron' cannot be 5"),
        ({"neuron": "if_cur_exp"}, "did you mean 'if_curr_exp'"),
        ({"neuron_parameters": 5}, "the setting 'neuron_parameters' cannot be 5"),
        ({"neuron_parameters": 5.5}, "the setting 'neuron_parameters' cannot be 5.5"),
        ({"neuron_parameters": "tau_m"}, "the setting 'neuron_parameters' cannot be 'tau_m'"),
        ({"neuron_parameters": None}, "the setting 'neuron_parameters' cannot be None"),
        ({"neuron_parameters": {"tau_m": "5"}}, "the setting 'neuron_parameters' cannot be"),
        ({"neuron_parameters": {"tau": 5}}, "tau"),
        ({"reset": "soft"}, "soft"),
        ({"coding": "rate"}, "rate"),
        ({"rate_max": 0}, "rate"),
        ({"test_samples": 1}, "test_samples is 1, below 2"),
        ({"loop_samples": -5}, "loop_samples is -5, below 2"),
        ({"surrogate_width": 0}, "surrogate_width is 0.0, not above 0"),
        ({"surrogate_learning_rate": -1}, "start: surrogate_learning_rate is -1.0, not above 0"),
        (
            {"loop_epochs": 0, "loop_batch_size": -3},
            "training cannot start: loop_epochs is 0, below 1; loop_batch_size is -3, below 1",
        ),
        ({"fine_batch_size": 0}, "start: fine_batch_size is 0, below 1"),
        ({"warm_up_epochs": 1, "warm_up_weight_decay": -1}, "start: warm_up_weight_decay is -1"),
        ({"weight_decay": -1}, "start: weight_decay is -1"),
        ({"calibration_samples": 0}, "cannot be made: calibration_samples is 0, below 1"),
        # No stage is named where all have it.
        ({"dt": float("nan")}, "spiking networks cannot run like this: dt is nan ms"),
        ({"warm_up_learning_rate": math.nan}, "warm_up_learning_rate is nan, which is no finite"),
        ({"warm_up_learning_rate": -1}, "warm_up_learning_rate is -1.0, not above 0"),
        ({"warm_up_weight_decay": math.inf}, "warm_up_weight_decay is inf"),
        ({"neuron_parameters": {"tau_m": math.nan}}, "tau_m is nan"),
        ({"population_rate": 1e-320}, "population_rate is 1e-320 Hz, below 1e-06 Hz"),
        ({"rate_max": 1e-320}, "rate_max is 1e-320 Hz, below 1e-06 Hz"),
        ({"delay": 0.7}, "spiking networks cannot run like this: delay 0.7 ms is not a whole"),
        ({"dt": 1, "rate_max": 2000}, "spiking networks cannot run like this: rate_max is 2000"),
    ],
)
def test_refusals(told: dict[str, Any], said: str) -> None:
    with pytest.raises(VolrError) as caught:
        settings_from(told, "best.json")
    assert said in str(caught.value)
    if "the setting" in said:
        assert caught.value.message.startswith("best.json: ")


NUMBERS = [
    each.name for each in fields(Settings) if "float" in str(each.type) or "int" in str(each.type)
]


@pytest.mark.parametrize("name", NUMBERS)
def test_no_setting_is_a_number_that_is_none_or_of_another_type(name: str) -> None:
    for value in (math.nan, math.inf, -math.inf, -1, "1", True, [], {}, 10**400, 1e-320, 1e300):
        try:
            made = settings_from({name: value}, "settings.json")
        except VolrError:
            continue
        # What is taken can be written down, and is read as the same.
        text = json.dumps(settings_json(made), allow_nan=False)
        assert settings_from(json.loads(text), "again") == made
    if name != "neuron_parameters":
        with pytest.raises(DataError, match=f"{name} is '1', not a"):
            Settings(**{name: "1"})  # type: ignore[arg-type]


def test_parameters_that_are_none_by_name() -> None:
    for told in ([1], 5, {3: 4.0}):
        with pytest.raises(DataError, match=r"neuron_parameters is .*, not numbers by name"):
            Settings(neuron_parameters=told)  # type: ignore[arg-type]
