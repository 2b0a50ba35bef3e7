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
from volr.errors import ModelError, UnsupportedError
from volr.language import to_network
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


def test_recordings_of_maps_have_their_axes() -> None:
    network = to_network("conv [2 5 4] 3 [2 3] ⦶ dense _ 4")
    rng = np.random.default_rng(0)
    spikes = rng.random((7, 6, 24)) < 0.5
    counts = {"conv_1": spikes.sum(axis=0), "dense_2": rng.integers(0, 9, (6, 4))}
    flat = Recordings(counts, {"conv_1": spikes}, {"input": rng.random((7, 6, 40))})
    found = flat.shaped(network)
    assert found.spikes["conv_1"].shape == (7, 6, 3, 4, 2)
    assert found.counts["conv_1"].shape == (6, 3, 4, 2)
    assert found.membranes["input"].shape == (7, 6, 2, 5, 4)
    # The last axis is the fastest.
    np.testing.assert_array_equal(
        found.spikes["conv_1"][..., 2, 1, 0], spikes[..., 2 * 8 + 1 * 2 + 0]
    )
    assert np.shares_memory(found.spikes["conv_1"], spikes)
    np.testing.assert_array_equal(found.counts["dense_2"], counts["dense_2"])
    nothing = Recordings({"conv_1": np.empty((0, 24), np.int64)}).shaped(network)
    assert nothing.counts["conv_1"].shape == (0, 3, 4, 2)
    for other in ("dense 2 3", "conv [1 5 4] 3 [2 2] ⦶ dense _ 4"):
        with pytest.raises(ModelError, match=r"no recordings of this network.*'conv_1'") as caught:
            flat.shaped(to_network(other))
        assert caught.value.help


def test_outputs_that_are_maps_say_the_same_in_either_form() -> None:
    network = to_network("conv [1 4 4] 2 3 pad:1 ⊖ conv [1 4 4] 3 3 pad:1")
    counts = {"conv_1": np.arange(64).reshape(2, 32), "conv_2": np.arange(96).reshape(2, 48)}
    flat = Recordings(counts)
    values = random_parameters(network, np.random.default_rng(0), weight=1.0, bias=0.1)
    model = SpikingModel(network=network, parameters=values)
    wanted = np.concatenate(list(counts.values()), axis=1)
    for each in (flat, flat.shaped(network)):
        np.testing.assert_array_equal(each.output_values(model), wanted)


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
            "run it on engine, which keeps the network; plain has the neuron model if_curr_delta",
        ),
        (
            IFCurrDelta(reset="subtract"),
            "lacks the reset 'subtract'",
            "run it on engine, which keeps the network; plain has the reset hard",
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
    assert caught.value.help == f"{way}; that makes another network"


def test_help_does_not_name_what_refuses() -> None:
    way = "has the neuron model if_cond_exp; that makes another network"
    engine = replace(backend("engine"), neurons=("if_cond_exp",))
    script = replace(document("brian2"), neurons=("if_cond_exp",))
    for refuses in (engine, script):
        with pytest.raises(UnsupportedError) as caught:
            check_supported(refuses, COUNTING)
        assert caught.value.help == f"{refuses.name} {way}"
