"""Which populations are maps in a graph, ``[channels, …]``, and which are rows.

A convolution and a pool read maps and give maps; a Linear reads a row and gives one. NIR has a node
that makes a row of a map, and none that makes a map of a row. So a population that a dense layer
leads to is a row, and one that a kernel or a pool reads is a map. Populations that only dense
layers lead to and from are rows, whatever their shape.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from volr.backends.refusals import written_for
from volr.errors import UnsupportedError
from volr.network.connectors import AllToAll, OneToOne

if TYPE_CHECKING:
    from volr.network import Network, Population, Projection
    from volr.network.connectors import Shape


def axes_of(network: Network) -> dict[str, Shape]:
    """The shape of each population in a graph.

    Raises ``UnsupportedError`` for the first one that would have to be both.
    """
    maps: set[str] = set()
    read: dict[str, Projection] = {}
    for population in reversed(network.populations):
        name = population.name
        incoming = network.incoming[name]
        gets_row = any(_is_dense(each) for each in incoming)
        if name in read and gets_row and len(population.shape) > 1:
            raise _both(network, population, read[name])
        gets_map = any(_is_windowed(each) for each in incoming)
        if len(population.shape) > 1 and (name in read or (gets_map and not gets_row)):
            maps.add(name)
        for each in incoming:
            if _reads_map(each) or (_is_same(each) and name in maps):
                read[each.source] = each
    for population in network.populations:
        # What only takes the values of maps is a map too.
        incoming = network.incoming[population.name]
        if incoming and all(_is_same(each) and each.source in maps for each in incoming):
            maps.add(population.name)
    return {
        each.name: each.shape if each.name in maps else (math.prod(each.shape),)
        for each in network.populations
    }


def _is_dense(projection: Projection) -> bool:
    return isinstance(projection.connector.parts[-1], AllToAll)


def _is_same(projection: Projection) -> bool:
    return isinstance(projection.connector, OneToOne)


def _is_windowed(projection: Projection) -> bool:
    return not _is_dense(projection) and not _is_same(projection)


def _reads_map(projection: Projection) -> bool:
    return not isinstance(projection.connector, (AllToAll, OneToOne))


def _both(network: Network, population: Population, read: Projection) -> UnsupportedError:
    return UnsupportedError(
        f"nir has no node that gives a row axes: {population.name} gets a dense layer, and "
        f"{read.target} reads it as a map of {list(population.shape)}",
        help=written_for("brian2", "onnx"),
        source=network.source,
        span=population.span,
        label=f"{population.name} is a row and a map",
    )
