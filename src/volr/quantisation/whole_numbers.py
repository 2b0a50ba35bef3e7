"""From weights and heights to whole numbers.

The weighted sum of unit i is counted in steps of a grid, u_i = s_i/σ, where s_i is its height and σ
the one odd number of the network:

    m = round(s_q W / u_i),    β = round(b / u_i)

for a source of the height s_q. What goes through average pools is a multiple of the neurons in a
window. Outputs share one grid, as fine as single precision allows. σ is as large as it can be: all
weighted sums stay below 2^24, (levels + 1) σ below 2^22, and the proof of ``volr.exact`` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.errors import ModelError
from volr.exact.proof import holds
from volr.exact.sums import are_exact, window_size
from volr.models.activations import LEAST_STEP, SINGLE_WHOLE, Staircase, largest_step
from volr.models.model import ArtificialModel
from volr.models.parameters import bias_name, by_unit, weight_name
from volr.network.connectors import by_channel
from volr.quantisation.heights import largest_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.network import Population

# Each rounding adds up to half a step to a weight; if sums come out too large, the grid becomes
# coarser by this factor, and again.
_COARSER = 0.97


def whole_numbers(
    model: ArtificialModel, heights: Mapping[str, Floats], levels: int
) -> ArtificialModel:
    """The staircase network of a network with ReLU; ``heights`` are ``[unit]`` by population.

    Raises ``ModelError`` for a population whose weights are all 0, and where no step is small
    enough.
    """
    network = model.network
    bounds = {each.name: largest_sum(model, heights, each, levels) for each in network.layers}
    for population in network.layers:
        incoming = network.incoming[population.name]
        if not any(model.parameters[weight_name(each)].any() for each in incoming):
            raise ModelError(
                f"all weights into {population.name} are 0, so nothing of the input arrives there",
                help="train the network first, or again with another --seed",
            )
    step = _largest_step(model, heights, bounds, levels)
    share = 1.0
    while step >= LEAST_STEP:
        found = _rounded(model, heights, bounds, step, levels, share)
        if are_exact(found, levels) and holds(found):
            return found
        step, share = _odd(step * _COARSER), share * _COARSER
    worst = max(
        (each for each in bounds if each in heights),
        key=lambda name: float((bounds[name] / heights[name]).max()),
        default=network.outputs[0],
    )
    most = float((bounds[worst] / heights[worst]).max()) if worst in heights else 0.0
    raise ModelError(
        f"no whole numbers are small enough for {levels} levels: a weighted sum of {worst} can be "
        f"{most:,.0f} levels, and sums have to stay below 2^24 steps",
        help="choose fewer --levels",
    )


def _largest_step(
    model: ArtificialModel,
    heights: Mapping[str, Floats],
    bounds: Mapping[str, Floats],
    levels: int,
) -> int:
    """The largest odd step with which no weighted sum reaches 2^24, but for rounding."""
    spiking = [each.name for each in model.network.layers if each.merge == "sum"]
    most = max(
        (float((bounds[name] / heights[name]).max()) for name in spiking if name in heights),
        default=1.0,
    )
    return _odd(min(float(largest_step(levels)), (SINGLE_WHOLE - 1) / max(most, 1.0)))


def _odd(number: float) -> int:
    """The largest odd number up to this one."""
    whole = int(number)
    return whole if whole % 2 else whole - 1


def _rounded(
    model: ArtificialModel,
    heights: Mapping[str, Floats],
    bounds: Mapping[str, Floats],
    step: int,
    levels: int,
    share: float,
) -> ArtificialModel:
    network, values = model.network, dict(model.parameters)
    # Steps of the grid by unit of activation.
    finest = share * (SINGLE_WHOLE - 1) / max(float(bounds[n].max()) for n in network.outputs)
    per_unit = {
        each.name: step / heights[each.name] if each.name in heights else np.full(each.size, finest)
        for each in network.layers
    }
    for population in network.layers:
        after, name = per_unit[population.name], bias_name(population)
        for each in network.incoming[population.name]:
            if population.merge == "max":
                continue
            weights, per = values[weight_name(each)], window_size(each)
            before = 1.0 / heights[each.source]
            exact = each.connector.rescaled(weights, after, before, *network.ends(each))
            values[weight_name(each)] = per * np.rint(exact / per)
        if name in values:
            values[name] = np.rint(values[name] * _as_biases(population, after, values[name]))
    return ArtificialModel(network, values, Staircase(levels, step))


def _as_biases(population: Population, factors: Floats, biases: Floats) -> Floats:
    """Factors ``[unit]`` as the population has its biases: by unit, or by channel."""
    if len(biases) == population.size:
        return factors
    return by_channel(by_unit(population, factors), population.shape)
