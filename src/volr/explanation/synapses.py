"""A model with a weight of its own for each synapse, which computes the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from volr.models.parameters import bias_name, synapse_matrix, unit_biases, weight_name
from volr.network import AllToAll, Projection

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel, SpikingModel

ModelT = TypeVar("ModelT", "ArtificialModel", "SpikingModel")


def with_each_synapse(model: ModelT) -> ModelT:
    """The model with ``AllToAll`` alone; where there is no synapse, the weight is 0.

    Several projections between two populations become one. Biases are by unit. Raises
    ``ModelError`` where the memory does not suffice.
    """
    network = model.network
    if all(each.connector == AllToAll() for each in network.projections):
        return model
    values: dict[str, Floats] = {}
    for each in network.projections:
        name = weight_name(Projection(each.source, each.target))
        matrix = synapse_matrix(network, each, model.parameters)
        values[name] = values[name] + matrix if name in values else matrix
    values |= {bias_name(p): unit_biases(p, model.parameters) for p in network.layers}
    whole = tuple(
        replace(each, connector=AllToAll()) for each in network.projections if each.number == 1
    )
    return replace(model, network=replace(network, projections=whole), parameters=values)
