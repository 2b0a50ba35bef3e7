"""The terms of weighted sums, as they were read back, and the blocks of weights that they make.

A term is one projection as the operations of a back end say it: which neurons it starts from, what
pools they go through, and the connector and the weights that follow. Its connector is made of the
numbers that the operations were called with, not of those that the model has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np

from volr.network.connectors import AveragePool, Connector, Pooled, Shape, shape_through
from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from volr.checks.arrays import Floats

Ends: TypeAlias = tuple[str, str]
"""Source and target of a projection."""
SourceT = TypeVar("SourceT")

WINDOWS = "windows"
"""How a population merges what arrives where a pool before its weights takes the largest of each
window in place of the mean."""


@dataclass(frozen=True, eq=False)
class Reading(Generic[SourceT]):
    """Values on their way to a weighted sum: those of ``source``, of which pools may take means.

    ``shape`` is theirs now, and ``of`` that of the source. Where ``largest``, the last of the pools
    takes the largest of each window. ``factor`` multiplies them.
    """

    source: SourceT
    shape: Shape
    of: Shape
    pools: tuple[AveragePool, ...] = ()
    factor: float = 1.0
    largest: bool = False

    def reshaped(self, shape: Shape) -> Reading[SourceT]:
        """The same values in another shape."""
        return replace(self, shape=shape, of=self.of if self.pools else shape)

    def through(self, pool: AveragePool, *, largest: bool = False) -> Reading[SourceT] | None:
        """What a pool makes of them; None where it does not fit."""
        if self.shape != self._pooled() or pool.misfit(self.shape) or self.largest:
            return None
        pools = (*self.pools, pool)
        return replace(self, shape=pool.reduced(self.shape), pools=pools, largest=largest)

    def maps(self) -> Shape | None:
        """The shape that a kernel slides over; None where pools have left another one."""
        return self.shape if self.shape == self._pooled() else None

    def _pooled(self) -> Shape:
        return shape_through(self.pools, self.of)


@dataclass(frozen=True, eq=False)
class Term(Generic[SourceT]):
    """One projection into a weighted sum: what is ``read`` goes to ``target``.

    ``weights`` have the shape of the connector's.
    """

    read: Reading[SourceT]
    connector: Connector
    weights: Floats
    target: Shape

    def block(self) -> Floats:
        """The weight of each synapse, ``[post, pre]``, NaN where there is none."""
        read = self.read
        weights = read.factor * self.weights.astype(np.float64)
        if read.largest:
            # The largest arrives with its whole weight.
            weights = math.prod(read.pools[-1].window) * weights
        connector = Pooled(read.pools, self.connector) if read.pools else self.connector
        return Wiring(connector, weights, read.of, self.target).block(np.nan)


@dataclass(frozen=True, eq=False)
class Wiring:
    """One projection of a model: its connector and weights, and the shapes of its two ends."""

    connector: Connector
    weights: Floats
    source: Shape
    target: Shape

    def block(self, missing: float = 0.0) -> Floats:
        """The weight of each synapse, ``[post, pre]``, and ``missing`` where there is none."""
        size = math.prod(self.target), math.prod(self.source)
        if self.weights.shape != size:
            check_room({"the synapses": 8 * math.prod(size)}, "for the synapses, one by one")
        return self.connector.matrix(self.weights, self.source, self.target, missing)


class Blocks(Mapping[Ends, "Floats"]):
    """The blocks of a model's projections by their ends, NaN where there is no synapse.

    Each is made when it is asked for, since those of large maps need much memory.
    """

    def __init__(self, wirings: Mapping[Ends, tuple[Wiring, ...]]) -> None:
        self._wirings = wirings

    def __getitem__(self, ends: Ends) -> Floats:
        return added_up((ends, each.block(np.nan)) for each in self._wirings[ends])[ends]

    def __iter__(self) -> Iterator[Ends]:
        return iter(self._wirings)

    def __len__(self) -> int:
        return len(self._wirings)


def added_up(blocks: Iterable[tuple[Ends, Floats]]) -> dict[Ends, Floats]:
    """Blocks ``[post, pre]`` by their ends: those of several terms with the same ends add up."""
    found: dict[Ends, Floats] = {}
    for ends, block in blocks:
        if (before := found.get(ends)) is not None:
            both = np.nan_to_num(before) + np.nan_to_num(block)
            block = np.where(np.isnan(before) & np.isnan(block), np.nan, both)
        found[ends] = block
    return found


def by_channel(biases: Floats, target: Shape) -> Floats:
    """Biases by channel, which is the first axis of ``target``, as biases by unit ``[unit]``."""
    return np.repeat(biases, math.prod(target[1:]))
