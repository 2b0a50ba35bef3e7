"""Delays by projection: what fits, and how they compare."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from tests.oracles import chain, random_parameters

from volr.errors import ModelError
from volr.models.model import SpikingModel
from volr.models.simulation_settings import SimulationSettings

NETWORK = chain(3, 4, 2)
MODEL = SpikingModel(
    network=NETWORK,
    parameters=random_parameters(NETWORK, np.random.default_rng(0), weight=0.5, bias=0.1),
)


def test_what_equals_the_usual_delay_is_left_out() -> None:
    model = replace(MODEL, delays={"input->dense_1": 0.5, "dense_1->dense_2": 1.5})
    assert dict(model.delays) == {"dense_1->dense_2": 1.5}
    first, second = NETWORK.projections
    assert (model.delay_steps_of(first), model.delay_steps_of(second)) == (1, 3)
    assert model == replace(MODEL, delays={"dense_1->dense_2": 1.5})
    assert model != MODEL
    assert hash(model) == hash(replace(MODEL, delays={"dense_1->dense_2": 1.5}))
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin == model


@pytest.mark.parametrize(
    ("delays", "said"),
    [
        ({"input->dense_2": 1.0}, "'input->dense_2', which is no projection"),
        ({"input->dense_1": 0.0}, "is 0.0, not a time above 0 ms"),
        ({"input->dense_1": float("nan")}, "is nan, not a time"),
        ({"input->dense_1": "soon"}, "is 'soon', not a time"),
        ({"input->dense_1": 0.7}, "0.7 ms, is not a whole number of steps of 0.5 ms"),
        ({"input->dense_1": 1e9}, "is more than 1,000,000 steps"),
        (1.0, "delays is 1.0, not delays in ms"),
    ],
)
def test_delays_that_do_not_fit_are_named(delays: object, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        replace(MODEL, delays=delays)
    assert said in caught.value.message


def test_settings_have_one_delay_for_all() -> None:
    model = replace(MODEL, delays={"dense_1->dense_2": 1.5})
    with pytest.raises(ModelError, match=r"dense_1->dense_2 has one of 1.5 ms"):
        SimulationSettings.of(model)
