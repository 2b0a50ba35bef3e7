"""The synapses of a projection as runs of weights, whatever its connector.

A population's neurons have *places*: channels stand last and are filled up to whole vectors, as in
``volr.engine.cpu.connectors.rules``. A spike goes to its senders, the windows that read it, or
itself, and each sender adds runs of weights to runs of places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.advance import LANES
from volr.engine.cpu.connectors.means import Means, Part
from volr.engine.cpu.connectors.rules import geometry
from volr.engine.cpu.runs import EIGHT
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

    from volr.checks.arrays import Floats, Integers
    from volr.network.connectors import Shape


@dataclass(frozen=True, eq=False)
class Table:
    """What the neurons of a source, read by ``reading``, send.

    ``weight_at``, ``target_at``, ``rows`` and ``vectors`` are by sender: where its weights begin,
    and where they go, in how many rows of how many vectors. ``weight_row`` and ``target_row`` lead
    from one row to the next. A table that is ``single`` has one weight, and a sender one target.
    """

    reading: Means
    weight_at: Integers
    target_at: Integers
    rows: Integers
    vectors: Integers
    weight_row: int
    target_row: int
    weights: Floats
    single: bool = False


def room_of(shape: Shape) -> int:
    """The number of places of a population."""
    return -(-math.prod(shape[1:]) * _channels(shape) // LANES) * LANES


def places_of(shape: Shape) -> Integers:
    """The place of each neuron, ``[unit]``."""
    channel, point = np.divmod(np.arange(math.prod(shape)), math.prod(shape[1:]))
    return point * _channels(shape) + channel


def table_of(connector: Connector, weights: Floats, source: Shape, target: Shape) -> Table | None:
    """None for a connector that has no table."""
    return _table(connector, weights, Means(source), target)


def _channels(shape: Shape) -> int:
    return -(-shape[0] // EIGHT) * EIGHT


def _table(connector: Connector, weights: Floats, read: Means, target: Shape) -> Table | None:
    make = TABLES.get(type(connector))
    return None if make is None else make(connector, weights, read, target)


def _rows(weights: Floats, read: Means, target: Shape) -> Table:
    """From each sender one row of ``weights`` ``[post, sender]``, to all places."""
    senders, room = int(weights.shape[1]), room_of(target)
    spread = np.zeros((senders, room))
    spread[:, places_of(target)] = weights.T
    each, zeros = np.arange(senders, dtype=np.int64), np.zeros(senders, np.int64)
    vectors = np.full(senders, room // EIGHT)
    return Table(read, each * room, zeros, zeros + 1, vectors, 0, 0, spread.reshape(-1))


def _all_to_all(connector: AllToAll, weights: Floats, read: Means, target: Shape) -> Table:
    del connector
    return _rows(weights, read, target)


def _slice(connector: Slice, weights: Floats, read: Means, target: Shape) -> Table | None:
    if not read.plain:
        return None
    part = Part(read.source, first=connector.first, count=connector.count)
    return _rows(weights, part, target)


def _convolution(connector: Convolution, weights: Floats, read: Means, target: Shape) -> Table:
    # A kernel in groups is one without, most of whose weights are 0: so channels stay side by side.
    outputs, groups = len(weights), connector.groups
    per = weights.shape[1]
    whole = np.zeros((outputs, per * groups, *weights.shape[2:]))
    for group in range(groups):
        rows = slice(group * outputs // groups, (group + 1) * outputs // groups)
        whole[rows, group * per : (group + 1) * per] = weights[rows]
    found = geometry(replace(connector, groups=1), read.shape, target, back=False, whole=True)
    rule = found.rule
    packed = np.where(found.index < 0, 0.0, whole.reshape(-1)[found.index])
    return Table(
        read,
        rule.weight_at.astype(np.int64),
        rule.target_at.astype(np.int64),
        rule.rows.astype(np.int64),
        rule.vectors.astype(np.int64),
        rule.weight_row,
        rule.target_row,
        packed,
    )


def _one_to_one(connector: OneToOne, weights: Floats, read: Means, target: Shape) -> Table:
    del connector
    ones, none = np.ones(read.senders, np.int64), np.zeros(read.senders, np.int64)
    return Table(read, none, places_of(target), ones, none, 0, 0, weights, single=True)


def _windows(connector: Windows, weights: Floats, read: Means, target: Shape) -> Table:
    pool = AveragePool(connector.window, connector.stride)
    return _one_to_one(OneToOne(), weights, Means(read.source, (*read.pools, pool)), target)


def _pooled(connector: Pooled, weights: Floats, read: Means, target: Shape) -> Table | None:
    """A spike counts by itself, and not as a part of a mean: the weights are divided instead."""
    per = math.prod(math.prod(pool.window) for pool in connector.pools)
    through = Means(read.source, (*read.pools, *connector.pools))
    return _table(connector.connector, weights / per, through, target)


TABLES: Mapping[type[Connector], Callable[[Any, Floats, Means, Shape], Table | None]] = {
    AllToAll: _all_to_all,
    Convolution: _convolution,
    OneToOne: _one_to_one,
    Pooled: _pooled,
    Slice: _slice,
    Windows: _windows,
}
"""The table of a connector, from its weights, what it reads of its source, and its target."""
