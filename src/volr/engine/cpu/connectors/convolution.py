"""``Convolution``: a spike goes to the targets of its window by a rule, see ``rules``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.connectors.base import Packed, of_sign
from volr.engine.cpu.connectors.listed import Summed
from volr.engine.cpu.connectors.rules import Geometry, geometry
from volr.engine.cpu.sliding import owe, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.lists import Lists
    from volr.network.connectors import Convolution, Shape


@dataclass(frozen=True)
class Sliding(Summed):
    """``Convolution`` from what it reads, of the shape of ``reading``, to ``target``."""

    connector: Convolution
    target: Shape

    def _geometry(self, *, back: bool) -> Geometry:
        return geometry(self.connector, self.reading.shape, self.target, back=back)

    def pack(self, weights: NDArray[Any], sign: int, *, back: bool) -> Packed:
        index = self._geometry(back=back).index
        tiles = np.where(index < 0, 0, of_sign(weights, sign).reshape(-1)[index])
        return Packed(tiles.astype(weights.dtype), [])

    def matrix(self, tiles: NDArray[Any]) -> NDArray[Any]:
        return self.expanded(self.connector, self.in_shape(tiles), self.target)

    def in_shape(self, gradient: NDArray[Any]) -> NDArray[Any]:
        found = np.empty(
            self.connector.weight_shape(self.reading.shape, self.target), gradient.dtype
        )
        index = self._geometry(back=False).index
        found.reshape(-1)[index[index >= 0]] = gradient[index >= 0]
        return found

    def no_gradient(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.zeros(len(self._geometry(back=False).index), dtype)

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
        size = self.reading.senders if back else self.post
        spread(lists, self._geometry(back=back).rule, tiles, target, start, rows, size, add)

    def owe(
        self, lists: Lists, errors: NDArray[Any], start: int, rows: int, gradient: NDArray[Any]
    ) -> None:
        owe(lists, self._geometry(back=False).rule, errors, start, rows, self.post, gradient)
