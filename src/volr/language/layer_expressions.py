"""The layers of a network as a program writes them, and what each of them reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from volr.language.operators import avgpool, conv, dense, identity, maxpool
from volr.network.connectors import (
    AllToAll,
    AveragePool,
    Connector,
    Convolution,
    OneToOne,
    Pooled,
    Windows,
    shape_through,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.language.operators import Sizes
    from volr.language.syntax import Expression
    from volr.language.types import Shape
    from volr.network.graph import Network, Projection

Item: TypeAlias = tuple[str, tuple[AveragePool, ...]]
"""A population, and the pools through which it is read."""


def read_by(projection: Projection) -> tuple[Item, Connector]:
    """What a projection reads, and the connector that reads it."""
    match projection.connector:
        case Pooled(pools, connector):
            return (projection.source, pools), connector
        case connector:
            return (projection.source, ()), connector


def shape_of(network: Network, item: Item) -> Shape:
    """The shape of what is read."""
    name, pools = item
    return shape_through(pools, network[name].shape)


def fit_side_by_side(network: Network, items: Sequence[Item]) -> bool:
    """Whether these can stand side by side: whether they differ in the first axis only."""
    return len({shape_of(network, each)[1:] for each in items}) == 1


def layer_of(
    network: Network, items: Sequence[Item], connector: Connector, target: str
) -> Expression | None:
    """The layer that reads these side by side; None if the language has none."""
    source = _side_by_side([shape_of(network, each) for each in items])
    population = network[target]
    match connector, population.merge:
        case AllToAll(), "sum":
            return dense(_sizes(source), _sizes(population.shape))
        case Convolution(window, stride, pad, groups), "sum":
            return conv(
                _sizes(source),
                population.shape[0],
                _axes(window),
                stride=_axes(stride) if set(stride) != {1} else None,
                pad=_axes(pad) if any(pad) else None,
                groups=groups if groups > 1 else None,
            )
        case OneToOne(), "sum":
            return identity(_sizes(source))
        case Windows(window, stride), "max":
            told = None if stride == window else _axes(stride)
            return maxpool(_sizes(source), _axes(window), stride=told)
        case _:
            return None


def passed_on(network: Network, item: Item) -> Expression:
    """An `id` of what is read."""
    return identity(_sizes(shape_of(network, item)))


def pools_of(
    network: Network, names: Sequence[str], pools: Sequence[AveragePool]
) -> list[Expression]:
    """The pools through which populations side by side are read, as layers."""
    shape = _side_by_side([network[each].shape for each in names])
    found: list[Expression] = []
    for pool in pools:
        told = None if pool.stride == pool.window else _axes(pool.stride)
        found.append(avgpool(_sizes(shape), _axes(pool.window), stride=told))
        shape = pool.reduced(shape)
    return found


def _side_by_side(shapes: Sequence[Shape]) -> Shape:
    return sum(each[0] for each in shapes), *shapes[0][1:]


def _sizes(shape: Shape) -> Sizes:
    return shape[0] if len(shape) == 1 else shape


def _axes(values: Shape) -> Sizes:
    """A number by axis: one where all axes have the same."""
    return values[0] if len(set(values)) == 1 else values
