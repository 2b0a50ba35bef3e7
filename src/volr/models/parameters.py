"""The numbers of a network, by name: weights by projection and biases by population.

    "input->dense_1.weight"   in the shape of the connector's weights: [post, pre] of ``AllToAll``
    "dense_1.bias"            [unit], or [channel] where kernels alone lead to the population; a
                              population that only pools, or takes what it gets, has none

In a spiking network each population has biases: those that would have none have them by channel.

Artificial and spiking models use the same names and shapes. In an artificial model the numbers have
no unit. In a spiking one a weight is what a spike brings, in the neuron's unit (mV, nA or µS); a
bias is a current in nA.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from volr.checks.arrays import Floats, Integers, real_array, same
from volr.errors import ModelError
from volr.system.memory import check_room

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from volr.network import Network, Population, Projection
    from volr.network.connectors.synapses import Synapses

Parameters: TypeAlias = Mapping[str, Floats]

# Bytes, while synapses are sorted and added up.
_OF_A_SYNAPSE = 100


class _Frozen(Mapping[str, Floats]):
    """Read-only arrays by name, which compare by value and can be copied and pickled."""

    __slots__ = ("_arrays",)

    def __init__(self, arrays: Mapping[str, Floats]) -> None:
        for each in arrays.values():
            each.setflags(write=False)
        # An array that is read-only can be made writeable again, and a view of one cannot.
        self._arrays = {name: each.view() for name, each in arrays.items()}

    def __getitem__(self, name: str) -> Floats:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple((name, each.shape) for name, each in self.items()))

    def __repr__(self) -> str:
        return repr({name: each.shape for name, each in self.items()})

    # Copies of arrays are writeable, so a copy or a pickle is made anew.
    def __reduce__(self) -> tuple[Any, ...]:
        return _Frozen, (self._arrays,)


def weight_name(projection: Projection) -> str:
    return f"{projection.name}.weight"


def bias_name(population: Population) -> str:
    return f"{population.name}.bias"


def parameter_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter: weights in the order of the projections, then biases."""
    shapes: dict[str, tuple[int, ...]] = {}
    for projection in network.projections:
        shape = projection.connector.weight_shape(*network.ends(projection))
        shapes[weight_name(projection)] = shape
    for population in network.layers:
        if count := network.biases(population):
            shapes[bias_name(population)] = (count,)
    return shapes


def fixed_weights(network: Network) -> frozenset[str]:
    """The names of the weights that training leaves alone: those of identities are 1, say."""
    return frozenset(weight_name(p) for p in network.projections if not p.connector.trained)


def unit_biases(population: Population, values: Parameters) -> Floats:
    """The bias of each neuron of a population, ``[unit]``: 0 where it has none."""
    found = values.get(bias_name(population))
    if found is None:
        return np.zeros(population.size)
    return by_unit(population, found)


def by_unit(population: Population, values: Floats) -> Floats:
    """Numbers by unit or by channel, which is the first axis, as numbers by unit ``[unit]``."""
    if len(values) == population.size:
        return values
    return np.repeat(values, population.size // len(values))


def spiking_parameters(network: Network, values: Mapping[str, ArrayLike]) -> Parameters:
    """``parameters`` of a spiking network, each of whose populations has currents.

    A population without biases has one by channel: it makes up for the leak, for example. By
    default, it is 0.
    """
    currents = {
        bias_name(each): (each.shape[0],) for each in network.layers if not network.biases(each)
    }
    _check_by_name(values)
    zeros = {name: np.zeros(shape) for name, shape in currents.items() if name not in values}
    return _checked({**values, **zeros}, {**parameter_shapes(network), **currents})


def parameters(network: Network, values: Mapping[str, ArrayLike]) -> Parameters:
    """The values as read-only float64 arrays, in the order of ``parameter_shapes``.

    Lists, arrays and tensors are copied. Raises ``ModelError`` with every missing or unknown name,
    every value that is no array of real numbers, every wrong shape and every parameter that is not
    finite, and if the memory does not suffice.
    """
    _check_by_name(values)
    return _checked(values, parameter_shapes(network))


def _checked(values: Mapping[str, ArrayLike], shapes: Mapping[str, tuple[int, ...]]) -> Parameters:
    wrong = [f"{name} is missing" for name in shapes if name not in values]
    wrong += [f"{name} is not a parameter of this network" for name in values if name not in shapes]
    needed = {name: 8 * math.prod(shapes[name]) for name in shapes if name in values}
    check_room(needed, "for the parameters", help="smaller populations make another network")
    checked: dict[str, Floats] = {}
    for name, shape in shapes.items():
        if name not in values:
            continue
        try:
            array = real_array(values[name])
        except ValueError as error:
            wrong.append(f"{name} is {error}")
            continue
        if array.shape != shape:
            wrong.append(f"{name} has the shape {array.shape}, the network needs {shape}")
        elif not np.isfinite(array).all():
            wrong.append(f"{name} has values that are not finite numbers")
        checked[name] = array
    if wrong:
        listed = "\n".join(f"  - {each}" for each in wrong[:20])
        more = f"\n  … and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        raise ModelError(f"the parameters do not fit the network:\n{listed}{more}")
    return _Frozen(checked)


def _check_by_name(values: object) -> None:
    if not isinstance(values, Mapping):
        raise ModelError(
            f"the parameters are a {type(values).__name__}, not arrays by name",
            help="the names are those of volr.models.parameters.parameter_shapes(network)",
        )


def synapses(network: Network, projection: Projection, values: Parameters) -> Synapses:
    """The synapses of a projection one by one, each pair of neurons once.

    Raises ``ModelError`` if the memory does not suffice.
    """
    name = weight_name(projection)
    check_room({name: _OF_A_SYNAPSE * network.synapses(projection)}, "for the synapses, one by one")
    return projection.connector.synapses(values[name], *network.ends(projection))


def synapse_matrix(
    network: Network, projection: Projection, values: Parameters, *, missing: float = 0.0
) -> Floats:
    """The weight of each synapse of a projection, ``[post, pre]``, with ``missing`` elsewhere.

    Of ``AllToAll`` these are its weights themselves.
    """
    name, (source, target) = weight_name(projection), network.ends(projection)
    if values[name].shape != (size := (math.prod(target), math.prod(source))):
        check_room({name: 8 * math.prod(size)}, "for the synapses, one by one")
    return projection.connector.matrix(values[name], source, target, missing)


def shared_weights(network: Network, projection: Projection) -> Integers | None:
    """Which weight each synapse of a projection has, ``[post, pre]``: see ``Connector.shared``."""
    return projection.connector.shared(*network.ends(projection))


def synapse_matrices(
    network: Network, values: Parameters, *, missing: float = 0.0
) -> dict[str, Floats]:
    """``synapse_matrix`` of every projection, by the name of its weights."""
    return {
        weight_name(each): synapse_matrix(network, each, values, missing=missing)
        for each in network.projections
    }


def incoming_weights(network: Network, values: Parameters, population: Population) -> Floats:
    """All weights into a population, side by side: ``[post, pre]`` over its whole boundary."""
    blocks = [synapse_matrix(network, each, values) for each in network.incoming[population.name]]
    return np.concatenate(blocks, axis=1)
