"""Where training starts: random weights, and biases and scales that fit the training data.

The populations are initialised in topological order, on a few hundred samples:

1. Weights are normal, of variance 1 / fan-in.
2. Each hidden neuron's bias puts its hyperplane halfway between two samples that are drawn at
   random. So the neuron separates these two: it is neither silent for all the data nor active for
   all of it. Outputs are centred on 0.
3. One factor for each population gives its weighted sums the standard deviation 1 over the samples
   and all neurons together, at any depth (outputs: 0.5). After Mishkin & Matas, "All you need is a
   good init" (2016), arXiv:1511.06422.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.models.activations import activate
from volr.models.coding import by_input
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.activations import Activation
    from volr.models.samples import Samples
    from volr.network import Network

OUTPUT_SPREAD = 0.5
"""The standard deviation of the first logits."""
_TRIES = 8
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
    shown = by_input(network, inputs)
    last_use = {
        projection.source: population.name
        for population in network.layers
        for projection in network.incoming[population.name]
    }
    values: dict[str, Floats] = {}
    for population in network.layers:
        incoming = network.incoming[population.name]
        fan_in = sum(network[projection.source].size for projection in incoming)
        z = np.zeros((len(inputs), population.size))
        for projection in incoming:
            shape = (population.size, network[projection.source].size)
            weight = random.normal(0.0, fan_in**-0.5, shape)
            values[weight_name(projection)] = weight
            z += shown[projection.source] @ weight.T
        is_hidden = population.name in last_use
        factor = (1.0 if is_hidden else OUTPUT_SPREAD) / _spread(z)
        for projection in incoming:
            values[weight_name(projection)] *= factor
        bias = -_between(z, random) if is_hidden else -z.mean(axis=0)
        values[bias_name(population)] = factor * bias
        shown[population.name] = activate(activation, factor * (z + bias))
        for projection in incoming:
            if last_use[projection.source] == population.name:
                del shown[projection.source]
    return values


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
