"""Staircase networks of random whole numbers, for tests."""

from __future__ import annotations

import numpy as np

from volr.exact.sums import window_size
from volr.language import to_network
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes, weight_name

SKIP = "dense 3 5 ⦶ ((dense 5 4 ⦶ dense 4 5) ⊕ id 5) ⦶ dense 5 2"
POOLS = (
    "conv [1 8 9] 3 3 ⦶ maxpool _ 2 ⦶ conv _ 4 2 pad:1 ⦶ avgpool _ 3 stride:1 ⦶ dense _ 4 "
    "⦶ (dense 4 3 ⊖ (dense 4 3 ⦶ dense 3 2))"
)


def staircase(program: str, levels: int, step: int = 201, seed: int = 0) -> ArtificialModel:
    """A network of the program with whole weights and biases, such that many units are neither
    silent nor full."""
    network, random = to_network(program), np.random.default_rng(seed)
    values = {
        name: random.integers(-50, 71, shape).astype(np.float64)
        for name, shape in parameter_shapes(network).items()
    }
    for each in network.projections:
        name = weight_name(each)
        if network[each.target].merge == "max":
            values[name] = np.ones(1)
        elif not each.connector.trained:
            values[name] = np.full_like(values[name], step * window_size(each))
        else:
            values[name] *= window_size(each)
    return ArtificialModel(network, values, Staircase(levels, step))
