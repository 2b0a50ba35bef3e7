"""Which synapses the engine has for each connector: here a new connector joins the engine."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from volr.engine.cpu.connectors.all_to_all import Rows
from volr.engine.cpu.connectors.convolution import Sliding
from volr.engine.cpu.connectors.expanded import Expanded
from volr.engine.cpu.connectors.means import Means, Part
from volr.engine.cpu.connectors.one_to_one import Same
from volr.engine.cpu.connectors.rows_of_means import RowsOfMeans
from volr.network.connectors import (
    AllToAll,
    AveragePool,
    Connector,
    Convolution,
    OneToOne,
    Pooled,
    Slice,
    Windows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.engine.cpu.connectors.base import Synapses
    from volr.engine.schedule import Term
    from volr.network.connectors import Shape


def _all_to_all(connector: AllToAll, read: Means, target: Shape) -> Synapses:
    del connector
    post = math.prod(target)
    return Rows(read.size, post) if read.plain else RowsOfMeans(read, post)


def _convolution(connector: Convolution, read: Means, target: Shape) -> Synapses:
    return Sliding(read, math.prod(target), connector, target)


def _one_to_one(connector: OneToOne, read: Means, target: Shape) -> Synapses:
    del connector
    return Same(read, math.prod(target))


def _slice(connector: Slice, read: Means, target: Shape) -> Synapses:
    if not read.plain:
        raise _UnknownError
    part = Part(read.source, first=connector.first, count=connector.count)
    return RowsOfMeans(part, math.prod(target))


def _windows(connector: Windows, read: Means, target: Shape) -> Synapses:
    """The sum of a window: each of its spikes, or means, counts as it is."""
    pool = AveragePool(connector.window, connector.stride)
    return Same(Means(read.source, (*read.pools, pool), read.per), math.prod(target))


def _pooled(connector: Pooled, read: Means, target: Shape) -> Synapses:
    per = math.prod(math.prod(pool.window) for pool in connector.pools)
    means = Means(read.source, (*read.pools, *connector.pools), read.per * per)
    return _synapses(connector.connector, means, target)


SYNAPSES: Mapping[type[Connector], Callable[[Any, Means, Shape], Synapses]] = {
    AllToAll: _all_to_all,
    Convolution: _convolution,
    OneToOne: _one_to_one,
    Slice: _slice,
    Windows: _windows,
    Pooled: _pooled,
}
"""The synapses of a connector, from what it reads of its source and the shape of its target."""


class _UnknownError(Exception):
    """There is no rule for a connector."""


def _synapses(connector: Connector, read: Means, target: Shape) -> Synapses:
    make = SYNAPSES.get(type(connector))
    if make is None:
        raise _UnknownError
    return make(connector, read, target)


@lru_cache(maxsize=1024)
def synapses_of(term: Term, channels: tuple[int, ...]) -> Synapses:
    """The synapses of a projection to neurons with these ``channels``.

    Where those are two, by the sign of a synapse, all synapses from one neuron to another are added
    up first, as in all simulators. A rule does not see them side by side.
    """
    source, target = term.ends
    try:
        if not (len(channels) > 1 and term.mixes):
            return _synapses(term.connector, Means(source), target)
    except _UnknownError:
        pass
    return Expanded.of(term.connector, source, target)
