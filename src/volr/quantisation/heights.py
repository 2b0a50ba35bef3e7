"""The heights of stairs: how much of a unit's activation one level is.

In a ReLU network each hidden unit has a scale of its own, so each can have a height of its own. It
is a percentile of the unit's activations on training samples, divided by the number of levels: what
lies above it is clipped. Where a kernel leads to a population, or reads it, its channels have one
height each. Identities and pools that take the largest pass values on: a unit has the height of its
source there, up to one factor for the population, and exactly its height where the largest counts.

A unit that is almost never active might have stairs so fine that its sums, in units of them, are
huge; the grid of the whole network would have to be coarse for it. So full activation, all levels
together, is at least 1/1024 of the largest weighted sum that the unit can have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.models.parameters import by_unit, unit_biases, weight_name
from volr.network.connectors import by_channel
from volr.network.scaling import has_channels, tied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.network import Network, Population

# The largest weighted sum of a unit, as a multiple of its full activation.
_MOST = 1024.0


def heights(
    model: ArtificialModel, shown: Mapping[str, Floats], levels: int, percentile: float
) -> dict[str, Floats]:
    """The height ``[unit]`` of every population that spikes, from activations ``[batch, unit]``.

    Inputs have 1/levels. Outputs, which do not spike, are left out.
    """
    network = model.network
    hidden = [each for each in network.layers if each.name not in network.outputs]
    wanted = {
        each.name: _wanted(network, each, shown[each.name], percentile) / levels
        for each in hidden
        if each.merge == "sum"
    }
    found: dict[str, Floats] = {}
    for each in hidden:
        if each.name not in found and each.merge == "sum":
            found |= _of_group(network, each, wanted)
    return raised(model, passed_on(network, found, levels), levels)


def passed_on(network: Network, own: Mapping[str, Floats], levels: int) -> dict[str, Floats]:
    """The heights of populations that add up, with those of the inputs, and of populations where
    the largest counts: they have the heights of their sources.
    """
    found = {name: np.full(network[name].size, 1.0 / levels) for name in network.inputs}
    for each in network.layers:
        if each.name in own:
            found[each.name] = own[each.name]
        elif each.merge == "max":
            found[each.name] = of_largest(network, each, found)
    return found


def of_largest(network: Network, population: Population, found: Mapping[str, Floats]) -> Floats:
    """The heights ``[unit]`` of a population that takes the largest: those of its sources."""
    source = network[network.incoming[population.name][0].source]
    return by_unit(population, by_channel(found[source.name], source.shape))


def _wanted(network: Network, population: Population, shown: Floats, percentile: float) -> Floats:
    """The activation ``[unit]`` that all levels together should reach, 0 for a silent unit."""
    values = shown
    if has_channels(network, population.name):
        values = shown.reshape(len(shown), population.shape[0], -1).swapaxes(1, 2)
        values = values.reshape(-1, population.shape[0])
    full = np.percentile(values, percentile, axis=0)
    full = np.where(full > 0, full, values.max(axis=0))
    return by_unit(population, full)


def _of_group(
    network: Network, population: Population, wanted: Mapping[str, Floats]
) -> dict[str, Floats]:
    """The heights of a population, and of those that share its scales up to a factor each."""
    group = tied(network, [population.name])
    members = [network[name] for name in sorted(group) if name in wanted]
    asked = {each.name: _active(wanted[each.name]) for each in members}
    if len(members) == 1 and group <= {population.name}:
        return asked
    channels = {name: by_channel(each, network[name].shape) for name, each in asked.items()}
    # Units of inputs all have one height, and so have units of outputs, which are compared.
    fixed = any(name in network.inputs or name in network.outputs for name in group)
    logs: Floats = np.zeros(population.shape[0])
    for each in channels.values():
        logs += np.log(each / each.max()) / len(channels)
    shape: Floats = np.ones_like(logs) if fixed else np.exp(logs)
    return {
        name: by_unit(network[name], shape * (each / shape).max())
        for name, each in channels.items()
    }


def _active(wanted: Floats) -> Floats:
    """Heights of which none is 0: silent units have that of a typical one."""
    active = wanted > 0
    return np.where(active, wanted, np.median(wanted[active]) if active.any() else 1.0)


def raised(model: ArtificialModel, found: Mapping[str, Floats], levels: int) -> dict[str, Floats]:
    """The heights, of which those that are too low for their sums are raised, with those that are
    tied to them.
    """
    network, found = model.network, dict(found)
    for population in network.layers:
        name = population.name
        if name not in found or population.merge == "max":
            continue
        least = largest_sum(model, found, population, levels) / (_MOST * levels)
        if has_channels(network, name):
            channels = least.reshape(population.shape[0], -1).max(axis=1)
            least = by_unit(population, channels)
        short = least / found[name]
        if short.max() <= 1.0:
            continue
        group = tied(network, [name])
        if len(group) == 1:
            found[name] = np.maximum(found[name], least)
            continue
        factor = np.maximum(by_channel(short, population.shape), 1.0)
        if any(each in network.inputs or each in network.outputs for each in group):
            factor = np.full_like(factor, factor.max())
        for each in group & found.keys() - set(network.inputs):
            found[each] = found[each] * by_unit(network[each], factor)
    return found


def largest_sum(
    model: ArtificialModel, found: Mapping[str, Floats], population: Population, levels: int
) -> Floats:
    """The largest weighted sum ``[unit]`` that there can be, of sources at all their levels."""
    network, values = model.network, model.parameters
    total = np.abs(unit_biases(population, values))
    for each in network.incoming[population.name]:
        full = levels * found[each.source][None, :]
        weights = np.abs(values[weight_name(each)])
        total = total + each.connector.apply(weights, full, *network.ends(each))[0]
    return total
