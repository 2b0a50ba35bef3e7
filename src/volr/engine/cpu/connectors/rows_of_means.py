"""``AllToAll`` that reads its source through pools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.connectors.all_to_all import in_tiles, out_of_tiles, owed_by_rows
from volr.engine.cpu.connectors.base import Owed, Packed, Sent, Span
from volr.engine.cpu.connectors.listed import Listed
from volr.engine.cpu.synapses import multiply
from volr.network.connectors import AllToAll

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.lists import Lists


@dataclass(frozen=True)
class RowsOfMeans(Listed):
    """Each mean is a row of weights, times its value."""

    turned = True

    def pack(self, weights: NDArray[Any], sign: int, *, back: bool) -> Packed:
        return in_tiles(weights, sign, back=back)

    def matrix(self, tiles: NDArray[Any]) -> NDArray[Any]:
        weights = out_of_tiles(tiles, self.post, self.reading.senders)
        return self.expanded(AllToAll(), weights, (self.post,))

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
        senders, receivers = self.reading.senders, self.post
        if back:
            senders, receivers = receivers, senders
        multiply(lists, tiles, target, start, rows, senders, receivers, add)

    def owed(self, sent: Sent, errors: NDArray[Any], span: Span) -> Owed:
        """As if each neuron had a row of its own: those of a mean are then added up."""
        by_neuron = np.empty((self.post, self.reading.size), errors.dtype)

        def total() -> NDArray[Any]:
            found = by_neuron[:, self.reading.members()].sum(axis=2)
            return found * errors.dtype.type(1 / self.reading.per)

        return Owed(owed_by_rows(sent, errors, span, by_neuron), total)
