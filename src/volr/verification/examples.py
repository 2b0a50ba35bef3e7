"""Random models and stimuli, to compare back ends on a program that has no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.reference import activations
from volr.models.activations import Activation, ReLU
from volr.models.model import ArtificialModel
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
