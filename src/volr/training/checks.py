"""What is checked before the first update."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.errors import TrainingError
from volr.models.activations import Staircase
from volr.models.parameters import parameter_shapes
from volr.models.samples import label_problem
from volr.system.memory import check_room
from volr.training.initialisation import most_samples
from volr.training.settings import validation_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.models.activations import Activation
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Samples
    from volr.network import Network
    from volr.training.settings import TrainingSettings

# A parameter, its gradient, two moments of the optimizer, the best so far, in float32; and the
# initialisation and the model, in float64.
_BYTES = 5 * 4 + 2 * 8
# The bytes of a neuron and a sample in the initialisation: weighted sums, a sum, activations.
_BYTES_SHOWN = 3 * 8


def check_samples(network: Network, samples: Samples, settings: TrainingSettings) -> None:
    """Raise ``TrainingError`` where samples and network do not fit, ``ModelError`` where there is
    not the memory for the parameters."""
    if not network.layers:
        raise TrainingError(
            "training cannot start: every population is an input, so there is nothing to train",
            help="add a population with a projection that leads to it, such as `dense 2 2` makes",
        )
    if not any(projection.connector.trained for projection in network.projections):
        raise TrainingError(
            "training cannot start: all weights are fixed, so there is nothing to train",
            help="add a layer with weights, such as `dense _ 10`",
        )
    wrong = _problems(network, samples, settings)
    if wrong:
        raise TrainingError("training cannot start: " + "; ".join(wrong))
    shapes = parameter_shapes(network)
    needed = {name: _BYTES * math.prod(shape) for name, shape in shapes.items()}
    shown = _BYTES_SHOWN * min(most_samples(network), len(samples))
    needed |= {population.name: shown * population.size for population in network.layers}
    check_room(needed, "to train this network", help="smaller populations make another network")


def check_slope(activation: Activation) -> None:
    """Raise ``TrainingError`` for an activation that has no slope to descend."""
    if isinstance(activation, Staircase):
        raise TrainingError(
            "training cannot start: the slope of a staircase is 0 everywhere, so no weight changes",
            help="train with relu and `levels`, or make a staircase network with `volr quantise`",
        )


def check_initial(network: Network, initial: ArtificialModel, settings: TrainingSettings) -> None:
    """Raise ``TrainingError`` for initial parameters of another network or activation."""
    if initial.network != network:
        raise TrainingError("the initial parameters are those of another network")
    if initial.activation != settings.activation:
        raise TrainingError(
            f"the initial parameters are for {initial.activation.name}, and the network is to be "
            f"trained with {settings.activation.name}"
        )


def check_start(start: SpikingModel, units: Mapping[str, float]) -> None:
    """Raise ``TrainingError`` for parameters that overflow float32, the type of training.

    ``units`` says how many of the model's units make one of the training's, by parameter.
    """
    most = float(np.finfo(np.float32).max)
    wrong: list[str] = []
    for name, values in start.parameters.items():
        largest = float(np.abs(values).max())
        if largest * max(1.0, 1.0 / units[name]) > most:
            wrong.append(f"{name} reaches {largest:g}")
    if wrong:
        raise TrainingError(
            f"training cannot start from this model: {'; '.join(wrong)}, and float32, which it is "
            f"done in, ends at {most:g}"
        )


def _problems(network: Network, samples: Samples, settings: TrainingSettings) -> list[str]:
    wrong: list[str] = []
    if samples.units != network.input_size:
        wrong.append(
            f"a stimulus has {samples.units} values, and the network takes {network.input_size}"
        )
    if (label := label_problem(samples, network.output_size)) is not None:
        wrong.append(label)
    aside = validation_count(len(samples), settings.validation)
    if len(samples) <= aside:
        wrong.append(
            f"{len(samples)} samples leave none to train on, {aside} being set aside for validation"
        )
    return wrong
