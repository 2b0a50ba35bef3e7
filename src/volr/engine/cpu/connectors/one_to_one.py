"""``OneToOne``: sender i to receiver i, with one weight for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.connectors.base import Packed, of_sign
from volr.engine.cpu.connectors.listed import Summed
from volr.engine.cpu.sliding import owe_scale, scale
from volr.network.connectors import OneToOne

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.lists import Lists


@dataclass(frozen=True)
class Same(Summed):
    """``OneToOne``: also of means, and of sums of windows."""

    def pack(self, weights: NDArray[Any], sign: int, *, back: bool) -> Packed:
        del back  # The same both ways.
        return Packed(of_sign(weights, sign).copy(), [])

    def matrix(self, tiles: NDArray[Any]) -> NDArray[Any]:
        return self.expanded(OneToOne(), tiles, self.reading.shape)

    def in_shape(self, gradient: NDArray[Any]) -> NDArray[Any]:
        return gradient

    def no_gradient(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.zeros(1, dtype)

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
        del back
        scale(lists, tiles, target, start, rows, self.post, add)

    def owe(
        self, lists: Lists, errors: NDArray[Any], start: int, rows: int, gradient: NDArray[Any]
    ) -> None:
        owe_scale(lists, errors, start, rows, self.post, gradient)
