"""What back ends share: what they may be asked for, and what the answer says."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from tests.oracles import PlainSimulator, fork, random_parameters

from volr.backends import backend, document
from volr.backends.base import Recordings, SpikingBackend
from volr.backends.refusals import check_supported
from volr.errors import UnsupportedError
from volr.models.model import SpikingModel
from volr.neurons import IFCurrDelta, IFCurrExp

NETWORK = fork(3, 2, 4, 5)
VALUES = random_parameters(NETWORK, np.random.default_rng(0), weight=5.0, bias=0.5)
COUNTING = SpikingModel(network=NETWORK, parameters=VALUES, neuron=IFCurrDelta())


def test_the_outputs_say_counts_or_mean_membranes() -> None:
    means, counts = np.array([[0.5, -1.0]]), np.array([[3, 0]])
    found = Recordings(counts={"dense_3": counts}, means={"dense_3": means})
    np.testing.assert_array_equal(found.output_values(COUNTING), counts)
    assert found.output_values(COUNTING).dtype == np.float64
    reading = replace(COUNTING, readout="membrane")
    np.testing.assert_array_equal(found.output_values(reading), means)


def test_recordings_compare_by_value() -> None:
    counts, spikes = np.array([[1, 2]]), np.array([[[True, False]]])
    made = Recordings({"a": counts}, {"a": spikes})
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again == made
        assert hash(again) == hash(made)
    for other in (
        Recordings({"a": counts + 1}, {"a": spikes}),
        Recordings({"a": counts}, {"a": ~spikes}),
        Recordings({"b": counts}, {"a": spikes}),
        Recordings({"a": counts}),
        Recordings({"a": counts[:, :1]}, {"a": spikes}),
        None,
    ):
        assert other != made


def test_a_simulator_hands_out_what_its_model_is_read_by() -> None:
    stimuli = np.random.default_rng(1).random((6, 3))
    found = PlainSimulator().run(COUNTING, stimuli)
    assert not found.means
    assert found.output_values(COUNTING).any()
    reading = replace(COUNTING, readout="membrane")
    found = PlainSimulator().run(reading, stimuli)
    assert found.output_values(reading).shape == (6, 5)
    assert not found.counts["dense_3"].any()


@pytest.mark.parametrize(
    ("neuron", "message", "way"),
    [
        (
            IFCurrExp(),
            "lacks the neuron model 'if_curr_exp'",
            "run it on engine, which keeps the network; plain has if_curr_delta",
        ),
        (
            IFCurrDelta(reset="subtract"),
            "lacks the reset 'subtract'",
            "run it on engine, which keeps the network; plain has hard",
        ),
    ],
)
def test_neurons_and_resets_are_refused_by_name(
    neuron: IFCurrDelta | IFCurrExp, message: str, way: str
) -> None:
    backend = SpikingBackend(
        name="plain",
        summary="the equations",
        neurons=("if_curr_delta",),
        codings=("current",),
        start=lambda: pytest.fail("started"),
    )
    check_supported(backend, COUNTING)
    with pytest.raises(UnsupportedError, match=message) as caught:
        check_supported(backend, replace(COUNTING, neuron=neuron))
    assert caught.value.help == f"{way}, and another one makes another network"


def test_help_does_not_name_what_refuses() -> None:
    way = "has if_cond_exp, and another one makes another network"
    engine = replace(backend("engine"), neurons=("if_cond_exp",))
    script = replace(document("brian2"), neurons=("if_cond_exp",))
    for refuses in (engine, script):
        with pytest.raises(UnsupportedError) as caught:
            check_supported(refuses, COUNTING)
        assert caught.value.help == f"{refuses.name} {way}"
