"""The whole numbers of a staircase network: whether they are whole, and how large sums can become.

For values of 0 … L, the weighted sum of a neuron and all its partial sums, in any order, are at
most

    Σ |m| L + |β|

in size. Where that is below 2^24, single precision adds them up exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.errors import ModelError
from volr.models.activations import SINGLE_WHOLE, Staircase
from volr.models.parameters import bias_name, unit_biases, weight_name

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.models.parameters import Parameters
    from volr.network import Network, Population, Projection

_AGAIN = "`volr quantise` makes a staircase network of a network with relu"


def staircase_of(model: ArtificialModel) -> Staircase:
    """The staircase of a network all of whose numbers are whole and small enough.

    Raises ``ModelError`` for another activation, and for the first population whose numbers do not
    fit.
    """
    if not isinstance(model.activation, Staircase):
        raise ModelError(
            f"this network has the activation {model.activation.name}, and first spikes need a "
            "staircase",
            help=_AGAIN,
        )
    for population in model.network.layers:
        for projection in model.network.incoming[population.name]:
            _check_whole(model, population, projection)
        biases = model.parameters.get(bias_name(population), np.zeros(1))
        if (wrong := _first_not_whole(biases)) is not None:
            raise ModelError(
                f"a bias of {population.name} is {wrong:.17g}, and in a staircase network all are "
                "whole numbers",
                help=_AGAIN,
            )
        if (largest := _too_large(model, population, model.activation.levels)) is not None:
            raise ModelError(
                f"a weighted sum of {population.name} can become {largest:,.0f}, and from 2^24 = "
                f"{SINGLE_WHOLE:,} on sums are not exact in single precision",
                help="`volr quantise` takes a smaller step, or fewer --levels",
            )
    return model.activation


def are_exact(model: ArtificialModel, levels: int) -> bool:
    """Whether single precision adds up all weighted sums of whole numbers exactly."""
    return all(_too_large(model, each, levels) is None for each in model.network.layers)


def _too_large(model: ArtificialModel, population: Population, levels: int) -> float | None:
    """The largest weighted sum of a population, if it can be 2^24 or more."""
    if population.merge == "max":
        return None
    largest = float(largest_sums(model.network, model.parameters, population, levels).max())
    return None if largest < SINGLE_WHOLE else largest


def window_size(projection: Projection) -> int:
    """The neurons behind each value that a projection reads: those of all its pools' windows."""
    return projection.connector.divisor


def largest_sums(
    network: Network, values: Parameters, population: Population, levels: int
) -> Floats:
    """Σ |m| L + |β| of each neuron ``[unit]``; of one that takes the largest, its L."""
    if population.merge == "max":
        return np.full(population.size, float(levels))
    found = np.abs(unit_biases(population, values))
    for each in network.incoming[population.name]:
        found = found + levels * summed_weights(network, each, np.abs(values[weight_name(each)]))
    return found


def fan_in(network: Network, population: Population) -> int:
    """The most synapses onto a neuron of a population."""
    found = np.zeros(population.size)
    for each in network.incoming[population.name]:
        ones = np.ones(each.connector.weight_shape(*network.ends(each)))
        found = found + window_size(each) * summed_weights(network, each, ones)
    return int(found.max())


def summed_weights(network: Network, projection: Projection, weights: Floats) -> Floats:
    """The sum of the weights of each neuron's synapses in a projection, ``[post]``."""
    source, target = network.ends(projection)
    ones = np.ones((1, network[projection.source].size))
    return projection.connector.apply(weights, ones, source, target)[0]


def _check_whole(model: ArtificialModel, population: Population, projection: Projection) -> None:
    weights = model.parameters[weight_name(projection)]
    if population.merge == "max":
        if (weights != 1.0).any():
            raise ModelError(
                f"{population.name} takes the largest of what arrives, and a weight of "
                f"{projection.name} is {float(weights[weights != 1.0][0]):.17g}, not 1",
                help="set it to 1: the largest of whole numbers is one of them",
            )
        if window_size(projection) > 1:
            raise ModelError(
                f"{population.name} takes the largest of means, in {projection.name}, and a mean "
                "of whole numbers need not be one",
                help="give the means a population of their own",
            )
        return
    per = window_size(projection)
    if (wrong := _first_not_whole(weights / per)) is not None:
        what = "whole numbers" if per == 1 else f"multiples of {per}, the neurons of a window"
        raise ModelError(
            f"a weight of {projection.name} is {wrong * per:.17g}, and in a staircase network all "
            f"are {what}",
            help=_AGAIN,
        )


def _first_not_whole(values: Floats) -> float | None:
    wrong = values[values != np.rint(values)]
    return float(wrong.flat[0]) if wrong.size else None
