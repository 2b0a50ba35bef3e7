"""Models whose simulators need delays by projection and last membranes, most of them with first
spikes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from tests.oracles import random_parameters

from volr.exact.first_spikes import to_first_spikes
from volr.exact.sums import window_size
from volr.language import to_network
from volr.models.activations import Staircase
from volr.models.coding import Poisson
from volr.models.first_spike import FirstSpike
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import parameter_shapes, weight_name
from volr.neurons import IFCurrExp

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.network import Network

# Strides and axes that differ, windows that overlap, a residual block, and outputs of two depths.
PROGRAM = """
(conv [2 5 6] 3 2 stride:[1 2] pad:1 ⦶ ((conv _ 3 3 pad:1 ⦶ conv _ 3 3 pad:1) ⊕ id [3 6 4])
 ⦶ maxpool _ 2 ⦶ avgpool _ 2 stride:1 ⦶ dense _ 3) ⊖ dense [2 5 6] 2
"""
LEVELS, STEP = 6, 201


@cache
def staircase() -> ArtificialModel:
    """A network of whole numbers, with values of all sizes in all populations."""
    network = to_network(PROGRAM)
    random = np.random.default_rng(5)
    values = {
        name: random.integers(-130, 151, shape).astype(np.float64)
        for name, shape in parameter_shapes(network).items()
    }
    for each in network.projections:
        weights = values[weight_name(each)]
        if network[each.target].merge == "max":
            weights = np.ones_like(weights)
        elif not each.connector.trained:
            weights = np.full_like(weights, float(STEP))
        values[weight_name(each)] = weights * window_size(each)
    return ArtificialModel(network, values, Staircase(LEVELS, STEP))


@cache
def first_spikes() -> SpikingModel:
    return to_first_spikes(staircase(), dt=0.5)


def unit() -> float:
    """mV that make one unit of the whole numbers."""
    return FirstSpike(LEVELS, STEP).unit


def stimuli(count: int) -> Floats:
    """From dark to bright."""
    network = staircase().network
    shown = np.random.default_rng(8).random((count, network.input_size))
    shown = shown ** np.linspace(4.0, 0.2, count)[:, None]
    shown[0], shown[-1] = 0.0, 1.0
    return shown


def leaking(network: Network) -> SpikingModel:
    """Neurons with leak, delays by projection, and outputs that are read at the end."""
    names = [each.name for each in network.projections]
    return SpikingModel(
        network=network,
        parameters=random_parameters(network, np.random.default_rng(7), weight=1.2, bias=0.4),
        neuron=IFCurrExp(v_rest=-64.0, v_reset=-66.0, tau_m=15.0, cm=0.8, tau_syn_I=3.0),
        coding=Poisson(400.0),
        dt=0.5,
        duration=20.0,
        delay=1.0,
        delays=dict(zip(names[::2], (3.5, 0.5, 2.0), strict=False)),
        readout="final",
    )
