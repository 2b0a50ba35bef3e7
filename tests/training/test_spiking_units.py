"""Parameters in units of the neurons, there and back."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.oracles import fork, random_parameters

from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.training import SpikingSettings
from volr.training.spiking_units import SpikingForm

NETWORK = fork(5, 4, 3, 2)
NEURONS: list[tuple[NeuronModel, float, float]] = [
    # (v_thresh − v_reset) c_m / τ_syn; conductances are driven by the reversal less the middle,
    # 60 mV of excitation and 10 of inhibition.
    (IFCurrDelta(v_reset=-70.0, cm=0.5), 20.0, 20.0),
    (IFCurrExp(v_reset=-70.0, cm=0.5, tau_syn_E=4.0, tau_syn_I=8.0), 2.5, 1.25),
    (IFCondExp(v_reset=-70.0, cm=0.5, tau_syn_E=4.0), 2.5 / 60.0, 2.0 / 10.0),
]


@pytest.mark.parametrize(
    ("neuron", "excitation", "inhibition"), NEURONS, ids=["delta", "exp", "cond"]
)
def test_a_weight_of_one_brings_the_charge_of_a_spike_and_a_bias_of_one_is_the_rheobase(
    neuron: NeuronModel, excitation: float, inhibition: float
) -> None:
    form = SpikingForm(NETWORK, SpikingSettings(neuron=neuron))
    drawn = random_parameters(NETWORK, np.random.default_rng(4), weight=0.3, bias=-0.4)
    assert drawn["input->dense_1.weight"].min() < 0 < drawn["input->dense_1.weight"].max()
    model = form.model({name: torch.tensor(value) for name, value in drawn.items()})
    for name, value in drawn.items():
        if name.endswith("weight"):
            expected = np.where(value < 0, inhibition * value, excitation * value)
        else:
            # 20 mV, τ_m of 20 ms and 0.5 nF: 40 MΩ.
            expected = value * 20.0 / 40.0
        np.testing.assert_allclose(model.parameters[name], expected, rtol=1e-12)
        np.testing.assert_allclose(form.to_training(model)[name], value, rtol=1e-12)
        assert form.least_units[name] <= np.abs(expected / value).min() * (1 + 1e-9)


def test_parameters_are_differentiable_through_their_units() -> None:
    form = SpikingForm(NETWORK, SpikingSettings(neuron=IFCondExp()))
    name = "dense_1->dense_3.weight"
    value = torch.tensor([[0.5, -0.5]], requires_grad=True)
    form.to_model({name: value})[name].sum().backward()
    unit = form.units[name]
    assert unit.negative > 4 * unit.positive
    assert value.grad is not None
    np.testing.assert_allclose(value.grad.numpy(), [[unit.positive, unit.negative]], rtol=1e-6)
