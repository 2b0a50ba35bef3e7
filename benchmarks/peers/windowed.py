"""Synapses that are no plain matrix: a convolution, or a layer that reads means of windows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Windowed:
    """Weights of a source of shape ``[channel, y, x]``, whose units are in this order.

    They are ``[out, in, window, window]`` of a convolution, or ``[post, pre]``. With ``pool`` they
    read the means over windows of so many units on each axis.
    """

    weights: NDArray[np.float32]
    source: tuple[int, int, int]
    pool: int = 1

    @property
    def read(self) -> tuple[int, int, int]:
        """The shape of what the weights read."""
        channels, height, width = self.source
        return channels, height // self.pool, width // self.pool

    @property
    def target(self) -> tuple[int, ...]:
        """The shape of the target."""
        if self.weights.ndim == 2:
            return (len(self.weights),)
        _, height, width = self.read
        out, _, window, _ = self.weights.shape
        return out, height - window + 1, width - window + 1

    @property
    def synapses(self) -> int:
        """How many synapses there are, one by one."""
        fan_in = math.prod(self.weights.shape[1:])
        return math.prod(self.target) * fan_in * self.pool**2

    def means(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """What the weights read, ``[row, *read]``, of ``[row, unit]``."""
        channels, height, width = self.read
        n = self.pool
        whole = values.reshape(-1, channels, height, n, width, n)
        return whole.mean(axis=(3, 5), dtype=np.float64)

    def arriving(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """What ``[row, unit]`` brings, ``[row, post]``, by the plain formula in float64."""
        means, weights = self.means(values), self.weights.astype(np.float64)
        if weights.ndim == 2:
            return means.reshape(len(values), -1) @ weights.T
        _, height, width = self.target
        found = np.zeros((len(values), *self.target))
        for y, x in np.ndindex(weights.shape[2:]):
            seen = means[:, :, y : y + height, x : x + width]
            found += np.einsum("bihw,oi->bohw", seen, weights[:, :, y, x], optimize=True)
        return found.reshape(len(values), -1)


Synapses: TypeAlias = "NDArray[np.float32] | Windowed"
"""The synapses of one layer: a matrix ``[post, pre]``, or windows."""


def size_of(synapses: Synapses) -> tuple[int, int]:
    """The number of neurons of its target and of its source."""
    if isinstance(synapses, Windowed):
        return math.prod(synapses.target), math.prod(synapses.source)
    post, pre = synapses.shape
    return post, pre
