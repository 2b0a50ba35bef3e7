"""What a projection reads of its source: each neuron, some of them, or means or sums of windows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.lists import Lists, empty_lists
from volr.engine.cpu.pools import Reading, list_arriving
from volr.network.connectors import OneToOne, Pooled

if TYPE_CHECKING:
    from volr.checks.arrays import Integers
    from volr.engine.cpu.connectors.base import Span
    from volr.engine.cpu.events import Events
    from volr.network.connectors import AveragePool, Shape


@dataclass(frozen=True)
class Means:
    """What is read of a ``source`` of that shape: the windows of ``pools``, of one after the other.

    A spike counts 1/``per`` in a window. Without pools neurons are read by themselves.
    """

    source: Shape
    pools: tuple[AveragePool, ...] = ()
    per: int = 1

    @property
    def size(self) -> int:
        """The number of neurons."""
        return math.prod(self.source)

    @property
    def shape(self) -> Shape:
        """The shape of what is read."""
        return self._windows.pooled(self.source)

    @property
    def senders(self) -> int:
        return math.prod(self.shape)

    @property
    def _windows(self) -> Pooled:
        return Pooled(self.pools, OneToOne())

    @property
    def plain(self) -> bool:
        """Whether each neuron is read by itself, and all of them are."""
        return not self.pools

    def members(self) -> Integers:
        """The neurons of each window, ``[window, n]``."""
        return self._windows.members(self.source)

    def of(self, dtype: np.dtype[Any]) -> Reading:
        """The same for kernels."""
        return _reading(self, dtype)


@dataclass(frozen=True)
class Part(Means):
    """The ``count`` neurons from number ``first`` on, each by itself; the others are not read."""

    first: int = 0
    count: int = 1

    @property
    def shape(self) -> Shape:
        return (self.count,)

    @property
    def plain(self) -> bool:
        return False

    def members(self) -> Integers:
        return np.arange(self.first, self.first + self.count)[:, None]


@lru_cache(maxsize=64)
def _reading(means: Means, dtype: np.dtype[Any]) -> Reading:
    if means.plain:
        nothing = np.zeros(1, np.uint32)
        return Reading(
            nothing, nothing, np.arange(2, dtype=dtype), means.size, plain=True, one=False
        )
    members = means.members()
    windows, each = members.shape
    order: Integers = np.argsort(members.reshape(-1), kind="stable")
    start: Integers = np.searchsorted(members.reshape(-1)[order], np.arange(means.size + 1))
    return Reading(
        np.asarray(start, np.uint32),
        (order // each).astype(np.uint32),
        np.array([count / means.per for count in range(each + 1)], dtype),
        windows,
        plain=False,
        one=bool((start == np.arange(means.size + 1)).all()),
    )


def arriving(events: Events, reading: Reading, span: Span) -> Lists:
    """What the spikes of some stimuli send, a list for each step of arrival."""
    lists = empty_lists(
        (span.last - span.first) * span.steps, reading.senders, reading.values.dtype
    )
    list_arriving(events.index, events.begin, events.blocks, reading, *span, lists)
    return lists
