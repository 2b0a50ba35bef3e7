"""Where training starts: random weights, and biases and scales that fit the training data.

The populations are initialised in topological order, on a few hundred samples:

1. Weights are normal, of variance 1 / fan-in. The fan-in of a kernel is the number of its weights
   for one channel of the target. Fixed weights, such as those of identities, stay 1.
2. Each hidden neuron's bias puts its hyperplane halfway between two samples that are drawn at
   random. So the neuron separates these two: it is neither silent for all the data nor active for
   all of it. The bias of a channel does so for two of its neurons. Outputs are centred on 0.
3. One factor for each population gives its weighted sums the standard deviation 1 over the samples
   and all neurons together, at any depth (outputs: 0.5). After Mishkin & Matas, "All you need is a
   good init" (2016), arXiv:1511.06422.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.models.activations import activate
from volr.models.coding import by_input
from volr.models.model import activation_of
from volr.models.parameters import bias_name, by_unit, weight_name
from volr.network import AllToAll
from volr.training.settings import LOOKED_AT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.models.activations import Activation
    from volr.models.samples import Samples
    from volr.network import Network, Population, Projection

OUTPUT_SPREAD = 0.5
"""The standard deviation of the first logits."""
_TRIES = 8
# Where weights are shared: about how many multiplications an initialisation takes, the fewest
# samples, and how many go through a kernel together.
_MULTIPLICATIONS, _FEWEST, _TOGETHER = 20_000_000, 16, 16
# Weighted sums that differ by less than this share of the largest count as the same.
_SAME = 1e-9


def artificial_starts(
    network: Network,
    activation: Activation,
    samples: Samples,
    count: int,
    random: np.random.Generator,
) -> list[dict[str, Floats]]:
    """So many initialisations, on inputs as the network will see them: in float32."""
    inputs = samples.inputs.astype(np.float32).astype(np.float64)
    return [initial_parameters(network, activation, inputs, random) for _ in range(count)]


def initial_parameters(
    network: Network, activation: Activation, inputs: Floats, random: np.random.Generator
) -> dict[str, Floats]:
    """One initialisation for training on ``inputs`` ``[batch, unit]``, a batch of at least 1."""
    shown = by_input(network, inputs[: most_samples(network)])
    last_use = {
        projection.source: population.name
        for population in network.layers
        for projection in network.incoming[population.name]
    }
    values: dict[str, Floats] = {}
    for population in network.layers:
        incoming = network.incoming[population.name]
        trained = [projection for projection in incoming if projection.connector.trained]
        z = np.zeros((len(next(iter(shown.values()))), population.size))
        fan_in = sum(_fan_in(network, projection) for projection in trained)
        for projection in trained:
            shape = projection.connector.weight_shape(*network.ends(projection))
            weight = random.normal(0.0, fan_in**-0.5, shape)
            values[weight_name(projection)] = weight
            z += _arriving(network, projection, weight, shown)
        fixed = _fixed(network, population, values, shown)
        if trained:
            is_hidden = population.name in last_use
            factor = (1.0 if is_hidden else OUTPUT_SPREAD) / _spread(z)
            for projection in trained:
                values[weight_name(projection)] *= factor
            # What comes in with a fixed weight moves the hyperplane too.
            seen = z if fixed is None else z + fixed / factor
            grouped = _grouped(seen, network.biases(population))
            bias = -_between(grouped, random) if is_hidden else -grouped.mean(axis=0)
            values[bias_name(population)] = factor * bias
            z = factor * (z + by_unit(population, bias))
        if fixed is not None:
            z = z + fixed
        shown[population.name] = activate(activation_of(network, population, activation), z)
        for projection in incoming:
            if last_use[projection.source] == population.name:
                # Of several projections from one source the first deletes it.
                shown.pop(projection.source, None)
    return values


def most_samples(network: Network) -> int:
    """How many samples an initialisation looks at, at most.

    Where weights are shared, each sample shows a weight many values, and takes long; so there are
    fewer of them.
    """
    if network.synapse_count == sum(map(network.weight_count, network.projections)):
        return LOOKED_AT
    return max(_FEWEST, min(LOOKED_AT, _MULTIPLICATIONS // max(1, network.multiplication_count)))


def _fan_in(network: Network, projection: Projection) -> int:
    """How many values a neuron adds up, each with a weight of its own."""
    return math.prod(projection.connector.weight_shape(*network.ends(projection))[1:])


def _arriving(
    network: Network, projection: Projection, weight: Floats, shown: Mapping[str, Floats]
) -> Floats:
    """What a projection brings, ``[batch, post]``."""
    source, ends = shown[projection.source], network.ends(projection)
    if isinstance(projection.connector, AllToAll):
        return projection.connector.apply(weight, source, *ends)
    parts = [
        projection.connector.apply(weight, source[first : first + _TOGETHER], *ends)
        for first in range(0, len(source), _TOGETHER)
    ]
    return np.concatenate(parts)


def _fixed(
    network: Network, population: Population, values: dict[str, Floats], shown: Mapping[str, Floats]
) -> Floats | None:
    """What projections with fixed weights bring, together; their weights join ``values``."""
    brought: list[Floats] = []
    for projection in network.incoming[population.name]:
        connector, ends = projection.connector, network.ends(projection)
        if connector.trained:
            continue
        weight = values[weight_name(projection)] = np.ones(connector.weight_shape(*ends))
        if population.merge == "max":
            brought.append(connector.largest(weight, shown[projection.source], *ends))
        else:
            brought.append(_arriving(network, projection, weight, shown))
    if not brought:
        return None
    return np.max(brought, axis=0) if population.merge == "max" else sum(brought[1:], brought[0])


def _grouped(z: Floats, groups: int) -> Floats:
    """``[batch, unit]`` as ``[sample, group]``: each neuron of a channel is a sample of it."""
    if groups == z.shape[1]:
        return z
    return z.reshape(len(z), groups, -1).swapaxes(1, 2).reshape(-1, groups)


def _spread(z: Floats) -> float:
    """The standard deviation over the samples, all units together; 1 where nothing varies."""
    spread = float(np.sqrt(z.var(axis=0).mean()))
    return spread if spread > _SAME * np.abs(z).max() else 1.0


def _between(z: Floats, random: np.random.Generator) -> Floats:
    """For each unit, a value halfway between those of two samples, which differ if any do."""
    samples, size = len(z), int(z.shape[1])
    units = np.arange(size)
    first = z[random.integers(samples, size=size), units]
    others = z[random.integers(samples, size=(_TRIES, size)), units]
    differs = np.abs(others - first) > _SAME * np.abs(z).max()
    return (first + others[differs.argmax(axis=0), units]) / 2.0
