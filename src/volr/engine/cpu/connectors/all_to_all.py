"""``AllToAll``, whose spikes are rows of weights: see ``volr.engine.cpu.synapses``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.connectors.base import Owed, Packed, Sent, Span, Synapses, Work
from volr.engine.cpu.synapses import deliver, gather, return_errors
from volr.engine.cpu.tiles import empty_tiles, pack, pack_transposed, tile_of, unpack
from volr.engine.cpu.work import slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.events import Events

# The gradient of fewer tiles than this is cut by neurons of the source too, for all threads to have
# something to do.
_PARTS = 4


@dataclass(frozen=True)
class Rows(Synapses):
    """Weights ``[post, pre]`` in tiles, of the targets forwards and of the sources back."""

    pre: int
    post: int

    turned = True

    def pack(self, weights: NDArray[Any], sign: int, *, back: bool) -> Packed:
        return in_tiles(weights, sign, back=back)

    def matrix(self, tiles: NDArray[Any]) -> NDArray[Any]:
        return out_of_tiles(tiles, self.post, self.pre)

    def deliver(
        self, events: Events, tiles: NDArray[Any], drive: NDArray[Any], span: Span, *, add: bool
    ) -> None:
        deliver(
            events.index,
            events.begin,
            events.block,
            tiles,
            drive,
            *span,
            events.size,
            self.post,
            add,
        )

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
        first, last, steps, delay = span
        sizes = self.post, self.pre
        return_errors(
            errors, tiles, returned, first, last, first, steps, delay, window, *sizes, add
        )

    def owed(self, sent: Sent, errors: NDArray[Any], span: Span) -> Owed:
        gradient = np.empty((self.post, self.pre), errors.dtype)
        return Owed(owed_by_rows(sent, errors, span, gradient), lambda: gradient)


def in_tiles(matrix: NDArray[Any], sign: int, *, back: bool) -> Packed:
    """A matrix ``[post, pre]`` in tiles of its columns, or ``back`` of its rows."""
    columns, rows = matrix.T.shape if back else matrix.shape
    tiles, tile = empty_tiles(rows, columns, matrix.dtype), tile_of(matrix.dtype)
    put = pack_transposed if back else pack
    work: list[Work] = [
        partial(put, matrix, sign, tile, column, tiles) for column in range(0, columns, tile)
    ]
    return Packed(tiles, work)


def out_of_tiles(tiles: NDArray[Any], post: int, pre: int) -> NDArray[Any]:
    """The matrix ``[post, pre]`` that ``in_tiles`` cut."""
    matrix, tile = np.zeros((post, pre), tiles.dtype), tile_of(tiles.dtype)
    for column in range(0, post, tile):
        unpack(tiles, tile, column, 0, pre, matrix)
    return matrix


def owed_by_rows(
    sent: Sent, errors: NDArray[Any], span: Span, gradient: NDArray[Any]
) -> list[Work]:
    """What to do for ``gradient`` ``[post, pre]`` to be what each synapse is owed."""
    post, pre = gradient.shape
    tile, tiles = tile_of(errors.dtype), empty_tiles(pre, post, errors.dtype)
    columns = range(0, post, tile)
    share = -(-pre // max(1, _PARTS // len(columns)))
    lists = sent.by_neuron

    def work(column: int, first: int, last: int) -> None:
        gather(
            lists.index,
            lists.begin,
            lists.block,
            errors,
            tiles,
            column,
            first,
            last,
            span.delay,
            pre,
            post,
        )
        unpack(tiles, tile, column, first, last, gradient)

    return [
        partial(work, column, first, last)
        for column in columns
        for first, last in slices(pre, share)
    ]
