"""Weights and biases in the units of the ANN, of models whose scales are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import chain, random_parameters

from volr.explanation.unit_scales import read_units
from volr.explanation.wiring import Wiring, wirings
from volr.models.model import ArtificialModel, SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.transfer import TransferSettings
from volr.transfer.balance import balanced
from volr.transfer.scaling import Correction, Scale, spiking_model

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

WEIGHT, BIAS = "input->dense_1.weight", "dense_1.bias"
NETWORK = chain(7, 5)
ANN = ArtificialModel(
    NETWORK, random_parameters(NETWORK, np.random.default_rng(5), weight=0.4, bias=0.2)
)
SETTINGS = TransferSettings(dt=0.5, duration=40.0)
# θ = 15 mV; over 80 steps a current of 1 nA lifts an unleaking membrane by 80 · rise.
LIFT = 7.5 / 20.0
ONE_SPIKE = 15.0 / (20.0 * (1.0 - np.exp(-0.5 / 20.0)) * 80.0)


def wiring(weights: Floats, bias: Floats) -> Wiring:
    """Of an IFCurrDelta with weights ``[post, pre]`` in mV and biases in nA."""
    model = SpikingModel(
        network=NETWORK,
        parameters={WEIGHT: weights, BIAS: bias},
        neuron=IFCurrDelta(),
        dt=0.5,
        duration=40.0,
    )
    return wirings(read_units(balanced(ANN), model), model)["dense_1"]


def faultless(found: Wiring) -> bool:
    block = found.blocks[0]
    return not (block.sign_changed or block.weights_changed or found.biases_changed)


@given(st.floats(0.01, 100.0), st.floats(0.01, 100.0), st.floats(-3.0, 3.0))
def test_scales_are_found_without_being_told(charge: float, slope: float, intercept: float) -> None:
    # In a delta neuron a spike of 15 mV, θ, is worth one spike.
    found = wiring(
        15.0 * charge * ANN.parameters[WEIGHT],
        LIFT + ONE_SPIKE * (slope * ANN.parameters[BIAS] + intercept),
    )
    block = found.blocks[0]
    assert block.charge == pytest.approx(charge)
    assert block.balance == pytest.approx(1.0)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=1e-9)
    assert faultless(found)
    np.testing.assert_allclose(block.found, ANN.parameters[WEIGHT])


@pytest.mark.parametrize("neuron", [IFCurrDelta(), IFCurrExp(tau_syn_I=8.0), IFCondExp()])
def test_no_transfer_is_taken_for_a_mistake(neuron: NeuronModel) -> None:
    settings = TransferSettings(neuron=neuron)
    scale = {"input": Scale(1.0), "dense_1": Scale(3.0)}
    correction = {"dense_1": Correction(excitation=1.2, inhibition=0.8, offset=0.05)}
    made = spiking_model(ANN, NETWORK, scale, correction, settings)
    found = wirings(read_units(balanced(ANN), made), made)["dense_1"]
    block = found.blocks[0]
    assert block.balance == pytest.approx(0.8 / 1.2)
    assert faultless(found)


def test_signs_that_are_lost_or_turned() -> None:
    weights = 15.0 * ANN.parameters[WEIGHT]
    bias = ONE_SPIKE * ANN.parameters[BIAS]
    for planted, balance in (
        (np.maximum(weights, 0.0), 0.0),
        (np.abs(weights), -1.0),
        (np.where(weights < 0, 0.2 * weights, weights), 0.2),
    ):
        block = wiring(planted, bias).blocks[0]
        assert block.balance == pytest.approx(balance)
        assert block.sign_changed
        assert not block.weights_changed
        assert not block.unrelated


def test_weights_of_another_network() -> None:
    weights, bias = 15.0 * ANN.parameters[WEIGHT], ONE_SPIKE * ANN.parameters[BIAS]
    others = np.random.default_rng(1).permutation(weights.ravel()).reshape(weights.shape)
    assert wiring(others, bias).blocks[0].unrelated
    exchanged = weights.copy()
    exchanged[[0, 1], 2] = exchanged[[1, 0], 2]
    one = wiring(exchanged, bias).blocks[0]
    assert one.weights_changed
    assert not one.unrelated


def test_biases_that_are_missing_or_another_neurons() -> None:
    weights = 15.0 * ANN.parameters[WEIGHT]
    assert wiring(weights, np.zeros(5)).biases_changed
    assert wiring(weights, ANN.parameters[BIAS][::-1]).biases_changed
    assert not wiring(weights, 3.0 + 0.1 * ANN.parameters[BIAS]).biases_changed
