"""Any other connector, by its synapses as a matrix: right, and as large and slow as that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.connectors.all_to_all import Rows
from volr.engine.cpu.connectors.base import Owed, Packed, Sent, Span
from volr.system.memory import check_room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.network.connectors import Connector, Shape


@dataclass(frozen=True)
class Expanded(Rows):
    """A ``connector`` between two shapes that the engine has no rule for."""

    connector: Connector
    source: Shape
    target: Shape

    @classmethod
    def of(cls, connector: Connector, source: Shape, target: Shape) -> Expanded:
        return cls(math.prod(source), math.prod(target), connector, source, target)

    @property
    def _ends(self) -> tuple[Shape, Shape]:
        return self.source, self.target

    def pack(self, weights: NDArray[Any], sign: int, *, back: bool) -> Packed:
        check_room({"weights": 8 * self.pre * self.post}, "for the synapses, one by one")
        matrix = self.connector.matrix(weights.astype(np.float64), *self._ends, 0.0)
        return super().pack(np.ascontiguousarray(matrix, weights.dtype), sign, back=back)

    def owed(self, sent: Sent, errors: NDArray[Any], span: Span) -> Owed:
        by_synapse = super().owed(sent, errors, span)

        def total() -> NDArray[Any]:
            matrix = by_synapse.total()
            found = np.zeros(self.connector.weight_shape(*self._ends), matrix.dtype)
            flat = found.reshape(-1)
            for each in self.connector.entries(*self._ends):
                np.add.at(flat, each.index, each.factor * matrix[each.post, each.pre])
            return found

        return Owed(by_synapse.work, total)
