"""What a spiking model is shown: values, or spike trains that are given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.oracles import chain, random_parameters

from volr.engine.reference import simulate
from volr.errors import DataError
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import SpikingModel
from volr.models.spike_trains import SpikeTrains
from volr.models.stimuli import given_stimuli
from volr.neurons import IFCurrDelta

NETWORK = chain(3, 4, 2)
MODEL = SpikingModel(
    network=NETWORK,
    parameters=random_parameters(NETWORK, np.random.default_rng(0), weight=12.0, bias=0.1),
    neuron=IFCurrDelta(),
    coding=Poisson(100.0),
    duration=10.0,
)
TRAINS = np.random.default_rng(1).random((12, 5, 3)) < 0.3


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.float32, list])
def test_arrays_with_three_axes_are_spike_trains(kind: Any) -> None:
    given: Any = TRAINS.tolist() if kind is list else TRAINS.astype(kind)
    found = given_stimuli(MODEL, given)
    assert found == SpikeTrains(TRAINS)
    assert found == given_stimuli(MODEL, found)
    assert len(found) == 5
    assert isinstance(found, SpikeTrains)
    np.testing.assert_array_equal(found[1:3].spikes, TRAINS[:, 1:3])


def test_values_stay_values() -> None:
    values = np.random.default_rng(0).random((5, 3))
    np.testing.assert_array_equal(given_stimuli(MODEL, values), values)


def test_inputs_spike_as_they_are_told_and_are_silent_after() -> None:
    trace = simulate(MODEL, SpikeTrains(TRAINS))
    np.testing.assert_array_equal(trace.spikes["input"][:12], TRAINS)
    assert trace.spikes["input"].shape == (20, 5, 3)
    assert not trace.spikes["input"][12:].any()
    assert trace.spikes["dense_2"].any()


@pytest.mark.parametrize(
    ("stimuli", "change", "said"),
    [
        (TRAINS.astype(float) * 0.5, {}, " has 0.5 in step "),
        (np.zeros((21, 5, 3)), {}, "have 21 steps, and the model shows a stimulus for 20 steps"),
        (TRAINS, {"coding": ConstantCurrent(100.0)}, "the coding 'current', and spike trains need"),
        (
            SpikeTrains(np.zeros((2, 5, 4), np.bool_)),
            {},
            r"shape [2, 5, 4], the network",
        ),
        # An image alone is no train.
        (np.zeros((5, 2, 2)), {}, "the network takes [batch, 3]"),
    ],
)
def test_trains_that_do_not_fit_are_refused(stimuli: Any, change: Any, said: str) -> None:
    with pytest.raises(DataError) as caught:
        given_stimuli(replace(MODEL, **change), stimuli)
    assert said in caught.value.message


@pytest.mark.parametrize("given", [TRAINS[:, 0], "spikes", np.zeros((2, 3), object)])
def test_what_has_other_axes_is_no_train(given: Any) -> None:
    with pytest.raises(DataError, match="the spike trains "):
        SpikeTrains(given)
