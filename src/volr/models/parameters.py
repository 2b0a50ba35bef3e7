"""The numbers of a network, by name: one weight matrix per projection, one bias per population.

    "input->dense_1.weight"   [post, pre]
    "dense_1.bias"            [unit]

Both generations use the same names and shapes. In an artificial model they have no unit; in a
spiking one a weight is what a spike brings, in mV, nA or µS as the neuron has it, and a bias is a
current in nA.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.errors import ModelError
from volr.memory import check_room
from volr.models.arrays import Floats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from volr.network import Network, Population, Projection

Parameters: TypeAlias = Mapping[str, Floats]


def weight_name(projection: Projection) -> str:
    return f"{projection.name}.weight"


def bias_name(population: Population) -> str:
    return f"{population.name}.bias"


def parameter_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter: weights in the order of the projections, then biases."""
    shapes: dict[str, tuple[int, ...]] = {}
    for projection in network.projections:
        shape = (network[projection.target].size, network[projection.source].size)
        shapes[weight_name(projection)] = shape
    for population in network.layers:
        shapes[bias_name(population)] = (population.size,)
    return shapes


def parameters(network: Network, values: Mapping[str, ArrayLike]) -> Parameters:
    """The values as read-only float64 arrays, in the order of ``parameter_shapes``.

    Raises ``ModelError`` with every name that is missing or unknown, every shape that is wrong and
    every parameter that is not finite, and where there is not the memory for them.
    """
    shapes = parameter_shapes(network)
    wrong = [f"{name} is missing" for name in shapes if name not in values]
    wrong += [f"{name} is not a parameter of this network" for name in values if name not in shapes]
    needed = {name: 8 * math.prod(shapes[name]) for name in shapes if name in values}
    check_room(needed, "for the parameters", help="make the network's populations smaller")
    checked: dict[str, Floats] = {}
    for name, shape in shapes.items():
        if name not in values:
            continue
        array = np.array(values[name], dtype=np.float64)
        if array.shape != shape:
            wrong.append(f"{name} has the shape {array.shape}, the network needs {shape}")
        elif not np.isfinite(array).all():
            wrong.append(f"{name} has values that are not finite numbers")
        array.setflags(write=False)
        checked[name] = array
    if wrong:
        listed = "\n".join(f"  - {each}" for each in wrong[:20])
        more = f"\n  … and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        raise ModelError(f"the parameters do not fit the network:\n{listed}{more}")
    return MappingProxyType(checked)


def incoming_weights(network: Network, values: Parameters, population: Population) -> Floats:
    """All weights into a population, side by side: ``[post, pre]`` over its whole boundary."""
    blocks = [values[weight_name(projection)] for projection in network.incoming[population.name]]
    return np.concatenate(blocks, axis=1)
