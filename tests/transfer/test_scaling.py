"""What a weight is worth in each neuron model, by the charge that it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.oracles import chain, random_parameters

from volr.errors import ModelError
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.transfer import TransferSettings
from volr.transfer.scaling import (
    Correction,
    Scale,
    scales,
    spiking_model,
    wanted_counts,
)

# θ is 20 mV and c_m 0.5 nF, so a spike costs 10 pC; the threshold is at −50 mV.
NEURONS: list[tuple[NeuronModel, float, float]] = [
    (IFCurrDelta(v_reset=-70.0, cm=0.5), 20.0, 20.0),
    # The charge of an exponential current is w τ_syn.
    (IFCurrExp(v_reset=-70.0, cm=0.5, tau_syn_E=4.0, tau_syn_I=8.0), 10.0 / 4.0, 10.0 / 8.0),
    # That of a conductance is w τ_syn times what drives it: 50 mV, and 35 mV to −85 mV.
    (
        IFCondExp(v_reset=-70.0, cm=0.5, tau_syn_E=4.0, tau_syn_I=8.0, e_rev_I=-85.0),
        10.0 / (4.0 * 50.0),
        10.0 / (8.0 * 35.0),
    ),
]


@pytest.mark.parametrize(
    ("neuron", "excitatory", "inhibitory"), NEURONS, ids=["delta", "exp", "cond"]
)
def test_excitation_and_inhibition_have_gains_of_their_own(
    neuron: NeuronModel, excitatory: float, inhibitory: float
) -> None:
    network = chain(3, 2)
    weights = np.array([[1.0, -2.0, 0.5], [-0.25, 0.0, 3.0]])
    model = ArtificialModel(
        network, {"input->dense_1.weight": weights, "dense_1.bias": np.zeros(2)}
    )
    # An activation of 4 stands for rate_max, as an input of 1 does.
    scale = {"input": Scale(1.0), "dense_1": Scale(4.0)}
    # Inputs and populations are at the same rate.
    settings = TransferSettings(neuron=neuron, coding=ConstantCurrent(500.0))
    correction = {"dense_1": Correction(excitation=1.5, inhibition=0.75)}
    made = spiking_model(model, network, scale, correction, settings)
    unit = np.where(weights < 0, 0.75 * inhibitory, 1.5 * excitatory)
    np.testing.assert_allclose(
        made.parameters["input->dense_1.weight"], unit * weights / 4.0, rtol=1e-12
    )
    assert neuron.synapse_units == pytest.approx((excitatory, inhibitory))


def test_a_conductance_based_neuron_fires_where_the_sum_exceeds_0() -> None:
    # The analytic mapping alone, of one neuron with constant conductances: V∞ is above the
    # threshold where the ANN's weighted sum is above 0, whatever makes up the sum.
    neuron = IFCondExp(v_reset=-70.0, v_rest=-68.0, cm=0.5, tau_syn_E=4.0, tau_syn_I=8.0)
    rng = np.random.default_rng(1)
    weights, bias = rng.normal(size=(1, 6)), rng.normal(size=1)
    network = chain(6, 1)
    values = {"input->dense_1.weight": weights, "dense_1.bias": bias}
    settings = TransferSettings(neuron=neuron, dt=0.01)
    made = spiking_model(
        ArtificialModel(network, values),
        network,
        {"input": Scale(1.0), "dense_1": Scale(2.0)},
        {"dense_1": Correction()},
        settings,
    )
    scaled = made.parameters["input->dense_1.weight"][0]
    current = made.parameters["dense_1.bias"][0]
    positive = 0
    for stimulus in rng.random((200, 6)):
        total = (weights @ stimulus + bias)[0]
        # A spike of weight w brings the conductance w for τ_syn.
        rates = stimulus * settings.input_coding.rate_max / 1000.0
        up = 4.0 * rates @ np.maximum(scaled, 0)
        down = 8.0 * rates @ np.maximum(-scaled, 0)
        leak = neuron.cm / neuron.tau_m
        drive = leak * neuron.v_rest + up * neuron.e_rev_E + down * neuron.e_rev_I + current
        steady = drive / (leak + up + down)
        if abs(total) > 0.01:
            assert (steady > neuron.v_thresh) == (total > 0)
            positive += total > 0
    assert 20 < positive < 180


def test_inhibition_that_only_shunts_has_a_finite_weight() -> None:
    assert 0 < IFCondExp(e_rev_I=-57.5).inhibitory_unit < 10.0
    _, inhibition = IFCondExp(e_rev_I=-50.5).synapse_units
    assert 0 < inhibition < 10.0


def test_populations_may_fire_faster_than_inputs() -> None:
    network = chain(3, 4, 2)
    shown = {
        "input": np.eye(3),
        "dense_1": np.linspace(0.0, 5.0, 12).reshape(3, 4),
        "dense_2": np.array([[1.0, -2.0], [0.5, 3.0], [0.2, 0.1]]),
    }
    settings = TransferSettings(
        coding=ConstantCurrent(200.0), population_rate=600.0, percentile=100.0, duration=50.0
    )
    scale = scales(network, shown, settings)
    # The value 1 of an input is 10 spikes, the largest activation of a population 30.
    assert wanted_counts(np.array([1.0]), scale["input"], settings) == pytest.approx([10.0])
    assert wanted_counts(np.array([5.0]), scale["dense_1"], settings) == pytest.approx([30.0])
    # And what a spike brings makes up for it.
    values = random_parameters(network, np.random.default_rng(2), weight=0.3, bias=0.1)
    made = spiking_model(
        ArtificialModel(network, values),
        network,
        scale,
        {"dense_1": Correction(), "dense_2": Correction()},
        settings,
    )
    weight = "input->dense_1.weight"
    ratio = made.parameters[weight] / values[weight]
    np.testing.assert_allclose(ratio, settings.neuron.unit_weight * 30.0 / 5.0 / 10.0, rtol=1e-12)
    assert made.coding == ConstantCurrent(200.0)


def test_rates_that_suit_the_neuron() -> None:
    slow = TransferSettings(neuron=IFCondExp())
    assert (slow.input_coding, slow.full_rate) == (ConstantCurrent(200.0), 1000.0)
    plain = TransferSettings()
    assert (plain.input_coding, plain.full_rate) == (ConstantCurrent(500.0), 500.0)
    # What is told is taken, and a population of conductances is not slowed down by its inputs.
    assert TransferSettings(coding=Poisson(80.0)).full_rate == 80.0
    assert replace(slow, coding=ConstantCurrent(80.0)).full_rate == 1000.0
    assert replace(slow, coding=ConstantCurrent(1500.0)).full_rate == 1500.0
    assert replace(slow, population_rate=90.0).full_rate == 90.0
    # No step has more than one spike.
    coarse = TransferSettings(neuron=IFCondExp(), dt=10.0)
    assert (coarse.input_coding, coarse.full_rate) == (ConstantCurrent(100.0), 100.0)


@pytest.mark.parametrize(
    ("rate", "said"), [(0.0, "not above 0"), (float("nan"), "not above 0"), (2001.0, "2000 Hz")]
)
def test_a_population_rate_that_cannot_be_is_refused(rate: float, said: str) -> None:
    with pytest.raises(ModelError, match="population_rate") as caught:
        TransferSettings(population_rate=rate)
    assert said in caught.value.message
