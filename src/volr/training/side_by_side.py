"""Several candidates as one network, for simulators that build a network slower than they run it.

Every population except the inputs has the neurons of all candidates, one after the other. No
synapse leads from one candidate to another: the weights between them are 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from volr.models.parameters import bias_name, weight_name
from volr.network import AllToAll, Network, Population

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel

NumberT = TypeVar("NumberT", np.float64, np.int64)

# The most synapses of one network with all candidates. Most of their weights are 0.
MOST_SYNAPSES = 20_000


def fits(network: Network, candidates: int) -> bool:
    """Whether so many candidates can stand side by side, and are few enough to.

    Candidates that share the weights of kernels cannot.
    """
    if any(each.connector != AllToAll() or each.number > 1 for each in network.projections):
        return False
    return network.synapse_count * candidates**2 <= MOST_SYNAPSES


def side_by_side(models: Sequence[SpikingModel]) -> SpikingModel:
    """One model that does what all of these do; they differ in nothing but their parameters."""
    network, count = models[0].network, len(models)
    inputs = set(network.inputs)
    wide = Network(
        tuple(
            each if each.name in inputs else Population(each.name, (count * each.size,))
            for each in network.populations
        ),
        network.projections,
        network.inputs,
        network.outputs,
    )
    values: dict[str, Floats] = {
        bias_name(each): np.concatenate([model.parameters[bias_name(each)] for model in models])
        for each in network.layers
    }
    for projection in network.projections:
        weights = [model.parameters[weight_name(projection)] for model in models]
        beside = np.concatenate(weights)
        if projection.source not in inputs:
            post, pre = weights[0].shape
            beside = np.zeros((count * post, count * pre))
            for index, weight in enumerate(weights):
                rows, columns = index * post, index * pre
                beside[rows : rows + post, columns : columns + pre] = weight
        values[weight_name(projection)] = beside
    return replace(models[0], network=wide, parameters=values)


def apart(
    recorded: Mapping[str, NDArray[NumberT]], candidates: int
) -> list[dict[str, NDArray[NumberT]]]:
    """The recordings ``[batch, unit]`` of each candidate, from those of all side by side."""
    parts = {name: np.split(each, candidates, axis=1) for name, each in recorded.items()}
    return [{name: each[index] for name, each in parts.items()} for index in range(candidates)]
