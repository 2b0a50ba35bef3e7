"""Synapses that take lists of senders: what reads its source through pools, and all kernels."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.connectors.base import Owed, Sent, Span, Synapses
from volr.engine.cpu.connectors.means import Means, arriving
from volr.engine.cpu.lists import Lists, empty_lists, list_errors
from volr.engine.cpu.pools import share
from volr.engine.cpu.synapses import TOGETHER
from volr.engine.cpu.work import scratch, slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.checks.arrays import Floats
    from volr.engine.cpu.events import Events
    from volr.network.connectors import Connector, Shape

# Into so many parts the stimuli of a batch are cut, each with a gradient of its own.
_PARTS = 4


@dataclass(frozen=True)
class Listed(Synapses):
    """Synapses to ``post`` neurons from what ``reading`` makes of the source."""

    reading: Means
    post: int

    @property
    def senders(self) -> int:
        return max(self.reading.senders, self.post)

    @abstractmethod
    def apply(
        self,
        lists: Lists,
        tiles: NDArray[Any],
        target: NDArray[Any],
        start: int,
        rows: int,
        *,
        back: bool,
        add: bool,
    ) -> None:
        """Write, or ``add``, what lists send, to the flat ``[list, unit]`` from ``start`` on."""

    def _rows(self, some: Span) -> tuple[int, int]:
        """Where the numbers of some stimuli begin in those of a batch, and how many steps are."""
        return some.first * some.steps * self.post, (some.last - some.first) * some.steps

    def expanded(self, connector: Connector, weights: NDArray[Any], target: Shape) -> Floats:
        """The synapses ``[post, pre]`` of a connector between what is read and the target."""
        read = connector.matrix(weights.astype(np.float64), self.reading.shape, target, 0.0)
        if self.reading.plain:
            return read
        whole = np.zeros((self.reading.size, len(read)))
        # Member k of one window is not member k of another.
        for member in self.reading.members().T:
            whole[member] += read.T / self.reading.per
        return whole.T

    def deliver(
        self, events: Events, tiles: NDArray[Any], drive: NDArray[Any], span: Span, *, add: bool
    ) -> None:
        reading = self.reading.of(drive.dtype)
        for some in _together(span):
            lists, (start, rows) = arriving(events, reading, some), self._rows(some)
            self.apply(lists, tiles, drive, start, rows, back=False, add=add)

    def send_back(
        self,
        errors: NDArray[Any],
        tiles: NDArray[Any],
        returned: NDArray[Any],
        span: Span,
        window: int,
        *,
        add: bool,
    ) -> None:
        reading, steps = self.reading.of(errors.dtype), span.steps
        for some in _together(span):
            _, rows = self._rows(some)
            lists = empty_lists(rows, self.post, errors.dtype)
            list_errors(errors, *some, window, self.post, lists)
            start = (some.first - span.first) * steps * self.reading.size
            if reading.plain:
                self.apply(lists, tiles, returned, start, rows, back=True, add=add)
            else:
                sums = scratch(rows * reading.senders, errors.dtype, "windows")
                self.apply(lists, tiles, sums, 0, rows, back=True, add=False)
                share(sums, reading, returned, start, rows, self.reading.size, add)


@dataclass(frozen=True)
class Summed(Listed):
    """Those with few weights: parts of the stimuli have a gradient each, which are added up."""

    @abstractmethod
    def owe(
        self, lists: Lists, errors: NDArray[Any], start: int, rows: int, gradient: NDArray[Any]
    ) -> None:
        """Add to a gradient what the senders of lists are owed; ``errors`` as ``target`` above."""

    @abstractmethod
    def no_gradient(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Zeros, as many as there are weights in a gradient."""

    @abstractmethod
    def in_shape(self, gradient: NDArray[Any]) -> NDArray[Any]:
        """A gradient in the shape of the weights."""

    def owed(self, sent: Sent, errors: NDArray[Any], span: Span) -> Owed:
        reading = self.reading.of(errors.dtype)
        parts = slices(span.last, max(1, -(-span.last // _PARTS)))
        gradients = [self.no_gradient(errors.dtype) for _ in parts]

        def work(part: tuple[int, int], gradient: NDArray[Any]) -> None:
            for some in _together(span._replace(first=part[0], last=part[1])):
                lists, (start, rows) = arriving(sent.events, reading, some), self._rows(some)
                self.owe(lists, errors, start, rows, gradient)

        def total() -> NDArray[Any]:
            # In the order of the stimuli.
            whole = self.no_gradient(errors.dtype)
            for each in gradients:
                whole += each
            return self.in_shape(whole)

        return Owed(
            [partial(work, *each) for each in zip(parts, gradients, strict=True)],
            total,
        )


def _together(span: Span) -> list[Span]:
    """Stimuli whose lists are made at a time."""
    some = slices(span.last - span.first, max(1, TOGETHER // span.steps))
    return [span._replace(first=span.first + first, last=span.first + last) for first, last in some]
