"""Networks of kernels, pools and identities are explained as those of single synapses are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.needs import needs_numba
from tests.oracles import random_parameters

from volr.backends.reference import activations, forward
from volr.engine.reference import simulate
from volr.explanation import explain
from volr.explanation.synapses import with_each_synapse
from volr.language import to_network
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Samples
from volr.network import AllToAll
from volr.transfer import TransferSettings, transfer_ann

NETWORK = to_network(
    "conv [1 6 5] 4 [3 2] ⦶ (conv _ 4 3 pad:1 groups:2 ⊕ id _) ⦶ avgpool _ 2 stride:[2 1] ⦶ "
    "(dense _ 4 ⊕ dense _ 4)"
)
FIRST, SECOND = "input->conv_1.weight", "conv_1->conv_2.weight"


def model() -> ArtificialModel:
    rng = np.random.default_rng(3)
    values = random_parameters(NETWORK, rng, weight=0.15, bias=0.1)
    values["conv_1->conv_2#2.weight"] = np.ones(1)
    for name in values:
        if "dense_3" in name:
            values[name] = values[name] - values[name].mean()
    return ArtificialModel(NETWORK, values)


def samples(count: int) -> Samples:
    inputs = np.random.default_rng(count).random((count, NETWORK.input_size))
    return Samples(inputs, forward(model(), inputs).argmax(axis=1))


@pytest.fixture(scope="module")
def transferred() -> SpikingModel:
    return transfer_ann(model(), samples(60), "engine", TransferSettings(duration=100.0)).model


def test_a_weight_for_each_synapse_computes_the_same() -> None:
    ann = model()
    whole = with_each_synapse(ann)
    assert {type(each.connector) for each in whole.network.projections} == {AllToAll}
    stimuli = samples(7).inputs
    wanted, found = activations(ann, stimuli), activations(whole, stimuli)
    for name, each in wanted.items():
        np.testing.assert_allclose(found[name], each, rtol=1e-12, atol=1e-12)
    assert with_each_synapse(whole) is whole


def test_so_does_that_of_a_spiking_model(transferred: SpikingModel) -> None:
    stimuli = samples(3).inputs
    wanted, found = (
        simulate(each, stimuli) for each in (transferred, with_each_synapse(transferred))
    )
    for name, spikes in wanted.spikes.items():
        assert spikes.any()
        np.testing.assert_array_equal(found.spikes[name], spikes)


@needs_numba
def test_a_transferred_network_has_no_faults(transferred: SpikingModel) -> None:
    found = explain(model(), transferred, samples(90))
    assert found.ann == 1.0
    assert found.faults == found.foreign == ()
    assert sum(part.points for part in found.parts) == pytest.approx(found.gap)


@needs_numba
def test_kernels_that_are_exchanged_are_named(transferred: SpikingModel) -> None:
    values = dict(transferred.parameters)
    values[SECOND] = np.array(values[SECOND])[[1, 0, 2, 3]]
    found = explain(model(), replace(transferred, parameters=values), samples(90))
    [fault] = found.faults
    assert fault.startswith("conv_1->conv_2: "), fault
    assert sum(part.points for part in found.parts) == pytest.approx(found.gap)
