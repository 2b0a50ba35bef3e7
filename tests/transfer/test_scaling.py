"""What a weight is worth in each neuron model, by the charge that it moves."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracles import chain

from volr.models.model import ArtificialModel
from volr.models.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.transfer import TransferSettings
from volr.transfer.scaling import Correction, Scale, inhibitory_unit, spiking_model

# θ is 20 mV and c_m 0.5 nF, so a spike costs 10 pC; halfway there V is −60 mV.
NEURONS: list[tuple[NeuronModel, float, float]] = [
    (IFCurrDelta(v_reset=-70.0, cm=0.5), 20.0, 20.0),
    # The charge of an exponential current is w τ_syn.
    (IFCurrExp(v_reset=-70.0, cm=0.5, tau_syn_E=4.0, tau_syn_I=8.0), 10.0 / 4.0, 10.0 / 8.0),
    # That of a conductance is w τ_syn times what drives it: 60 mV, and 25 mV to −85 mV.
    (
        IFCondExp(v_reset=-70.0, cm=0.5, tau_syn_E=4.0, tau_syn_I=8.0, e_rev_I=-85.0),
        10.0 / (4.0 * 60.0),
        10.0 / (8.0 * 25.0),
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
    settings = TransferSettings(neuron=neuron)
    made = spiking_model(model, network, scale, {"dense_1": Correction(gain=1.5)}, settings)
    expected = np.where(weights < 0, inhibitory, excitatory) * weights * 1.5 / 4.0
    np.testing.assert_allclose(made.parameters["input->dense_1.weight"], expected, rtol=1e-12)
    assert inhibitory_unit(neuron) == pytest.approx(inhibitory)


def test_inhibition_that_only_shunts_has_a_finite_weight() -> None:
    assert 0 < inhibitory_unit(IFCondExp(e_rev_I=-57.5)) < 10.0
