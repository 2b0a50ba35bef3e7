"""The charge of the rate model arrives through every connector, as the reference adds it up."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracles import random_parameters

torch = pytest.importorskip("torch")

from volr.language import to_network
from volr.models.parameters import synapse_matrix, unit_biases
from volr.neurons import IFCurrExp
from volr.training.rate_model import charge

PROGRAM = (
    "conv [2 5 4] 4 [2 3] pad:[0 1] ⦶ (conv _ 4 3 stride:[2 1] pad:1 groups:2 ⊕ "
    "(avgpool _ [2 1] ⦶ id _)) ⦶ (dense _ 3 ⊕ (avgpool _ 2 ⦶ dense _ 3))"
)


def test_it_arrives_through_kernels_pools_and_identities() -> None:
    network, neuron, duration = to_network(PROGRAM), IFCurrExp(), 40.0
    values = random_parameters(network, np.random.default_rng(0), weight=0.2, bias=0.5)
    rng = np.random.default_rng(1)
    counts = {p.name: rng.integers(0, 20, (5, p.size)) for p in network.populations}
    tensors = {name: torch.tensor(each) for name, each in values.items()}
    floats = {name: torch.tensor(each, dtype=torch.float64) for name, each in counts.items()}
    leak = ((neuron.v_thresh + neuron.v_reset) / 2 - neuron.v_rest) / neuron.theta
    for population in network.layers:
        bias = unit_biases(population, values)
        wanted = np.tile((bias - leak) * duration / neuron.tau_m, (5, 1))
        for each in network.incoming[population.name]:
            wanted += counts[each.source] @ synapse_matrix(network, each, values).T
        found = charge(network, population, tensors, floats, neuron, duration)
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10)
