"""A connector that the engine has no rule for, by its synapses as a matrix.

That is right, and as large and as slow as the matrix is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.connectors.all_to_all import Rows
from volr.system.memory import check_room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.connectors.base import Packed
    from volr.network.connectors import Connector, Shape


@dataclass(frozen=True)
class Expanded(Rows):
    """A ``connector`` between two shapes. What is owed is by synapse, ``[post, pre]``."""

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
        return super().pack(self._expanded(weights), sign, back=back)

    def gradient(self, owed: list[NDArray[Any]], weights: NDArray[Any]) -> NDArray[Any]:
        """As the base has it, but that ``owed`` are by synapse, and a synapse has the sign."""
        matrix = super().gradient(owed, self._expanded(weights))
        found = np.zeros_like(weights)
        flat = found.reshape(-1)
        for each in self.connector.entries(*self._ends):
            np.add.at(flat, each.index, each.factor * matrix[each.post, each.pre])
        return found

    def _expanded(self, weights: NDArray[Any]) -> NDArray[Any]:
        check_room({"weights": 8 * self.pre * self.post}, "for the synapses, one by one")
        matrix = self.connector.matrix(weights.astype(np.float64), *self._ends, 0.0)
        return np.ascontiguousarray(matrix, weights.dtype)
