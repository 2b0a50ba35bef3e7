"""Random models and stimuli, to compare back ends on a program that has no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.reference import activations
from volr.exact.first_spikes import to_first_spikes
from volr.exact.sums import window_size
from volr.models.activations import Activation, ReLU, Staircase
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes, weight_name
from volr.network import Connector
from volr.network.supported import check_connectors
from volr.system.memory import check_room
from volr.training.initialisation import initial_parameters
from volr.transfer.scaling import Correction, scales, spiking_model
from volr.transfer.settings import TransferSettings

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel
    from volr.network import Network

# How many stimuli the initialisation of weights looks at.
_LOOKED_AT = 256
# The largest of random whole numbers, which is odd.
_LARGEST = 99


def random_stimuli(network: Network, count: int, seed: int = 0) -> Floats:
    """``[count, unit]``, uniform in [0, 1]. The first ones of a seed are the same for any count."""
    needed = {"stimuli": 8 * count * network.input_size}
    check_room(needed, "to compare", help="take fewer samples")
    random = np.random.default_rng((1, seed))
    return random.random((count, network.input_size))


def random_ann(network: Network, activation: Activation = ReLU(), seed: int = 0) -> ArtificialModel:
    """``network`` as at the start of training: weights of both signs, all different.

    Raises ``UnsupportedError`` for a network with loops.
    """
    check_connectors(network, (Connector,), "verify", merges=("sum", "max"), several=True)
    random = np.random.default_rng((0, seed))
    inputs = random_stimuli(network, _LOOKED_AT, seed)
    values = initial_parameters(network, activation, inputs, random)
    return ArtificialModel(network, values, activation)


def random_snn(
    network: Network, settings: TransferSettings = TransferSettings(), seed: int = 0
) -> SpikingModel:
    """``random_ann`` as a spiking model, scaled so that most neurons spike, not calibrated."""
    model = random_ann(network, ReLU(), seed)
    shown = activations(model, random_stimuli(network, _LOOKED_AT, seed))
    none = {population.name: Correction() for population in network.populations}
    return spiking_model(model, network, scales(network, shown, settings), none, settings)


def random_first_spikes(network: Network, levels: int = 6, seed: int = 0) -> SpikingModel:
    """``network`` with random whole numbers as weights, and with one spike for each neuron.

    Raises ``ModelError`` for a network that cannot compute with first spikes.
    """
    random = np.random.default_rng((2, seed))
    values = {
        name: random.integers(-_LARGEST, _LARGEST + 1, shape).astype(np.float64)
        for name, shape in parameter_shapes(network).items()
    }
    for each in network.projections:
        weights = values[weight_name(each)] * window_size(each)
        values[weight_name(each)] = (
            np.ones_like(weights) if network[each.target].merge == "max" else weights
        )
    return to_first_spikes(ArtificialModel(network, values, Staircase(levels, _LARGEST)))
