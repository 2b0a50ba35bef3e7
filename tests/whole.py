"""Staircase networks of random whole numbers, for tests."""

from __future__ import annotations

import numpy as np

from volr.backends.reference import activations
from volr.exact.sums import window_size
from volr.language import to_network
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel
from volr.models.parameters import bias_name, parameter_shapes, weight_name
from volr.network.subgraph import upto

SKIP = "dense 3 5 ⦶ ((dense 5 4 ⦶ dense 4 5) ⊕ id 5) ⦶ dense 5 2"
POOLS = (
    "conv [1 8 9] 3 3 ⦶ maxpool _ 2 ⦶ conv _ 4 2 pad:1 ⦶ avgpool _ 3 stride:1 ⦶ dense _ 4 "
    "⦶ (dense 4 3 ⊖ (dense 4 3 ⦶ dense 3 2))"
)


def staircase(program: str, levels: int, step: int = 201, seed: int = 0) -> ArtificialModel:
    """A network of the program with whole weights, and biases that put the mean of each unit's
    sums, over some stimuli, at a quarter of its levels.
    """
    network, random = to_network(program), np.random.default_rng(seed)
    shapes, stairs = parameter_shapes(network), Staircase(levels, step)
    values = {
        name: random.integers(-50, 71, shape).astype(np.float64) for name, shape in shapes.items()
    }
    for each in network.projections:
        name = weight_name(each)
        if network[each.target].merge == "max":
            values[name] = np.ones(1)
        elif not each.connector.trained:
            values[name] = np.full_like(values[name], step * window_size(each))
        else:
            values[name] *= window_size(each)
    stimuli = random.random((20, network.input_size))
    for each in filter(network.biases, network.layers):
        name = bias_name(each)
        values[name] = np.zeros_like(values[name])
        part = upto(network, [each.name])
        known = {key: values[key] for key in parameter_shapes(part)}
        sums = activations(ArtificialModel(part, known, stairs), stimuli)[each.name]
        by_bias = sums.reshape(20, len(values[name]), -1).mean(axis=(0, 2))
        values[name] = np.rint(levels * step / 4 - by_bias)
    return ArtificialModel(network, values, stairs)
