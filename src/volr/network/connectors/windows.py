"""``Windows``: each neuron of the target to a window of the source, all with one weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.network.connectors.base import Entries, axes_text
from volr.network.connectors.fixed_weight import FixedWeight
from volr.network.connectors.pooled import AveragePool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.checks.arrays import Floats
    from volr.network.connectors.base import Shape


@dataclass(frozen=True, slots=True)
class Windows(FixedWeight):
    """The windows of an average pool, without the mean: ``[c, n…]`` to ``[c, m…]``.

    The weight ``[1]`` is 1, and training leaves it alone. So a target that adds up gets the sum of
    each window, and one that takes the largest gets the largest.
    """

    window: Shape
    stride: Shape = ()

    name = "windows"

    def __post_init__(self) -> None:
        object.__setattr__(self, "stride", self.stride or self.window)

    def __str__(self) -> str:
        stride = f" stride:{axes_text(self.stride)}" if self.stride != self.window else ""
        return f"{self.name} {axes_text(self.window)}{stride}"

    @property
    def pool(self) -> AveragePool:
        """The pool that has these windows."""
        return AveragePool(self.window, self.stride)

    def reduced(self, source: Shape) -> Shape:
        """The shape of the windows of a source that fits."""
        return self.pool.reduced(source)

    def misfit(self, source: Shape, target: Shape) -> str | None:
        if wrong := self.pool.misfit(source):
            return wrong
        found = self.pool.reduced(source)
        return None if found == target else f"{self} makes {found}, and the target is {target}"

    def synapse_count(self, source: Shape, target: Shape) -> int:
        return math.prod(target) * math.prod(self.window)

    def entries(self, source: Shape, target: Shape) -> Iterator[Entries]:
        import numpy as np

        members = self.pool.members(source)
        post = np.repeat(np.arange(len(members)), members.shape[1])
        yield Entries(post, members.ravel(), np.zeros_like(post), np.ones(len(post)))

    def apply(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        return weights[0] * values[:, self.pool.members(source)].sum(axis=2)

    def largest(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        return (weights[0] * values[:, self.pool.members(source)]).max(axis=2)

    def transposed(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        import numpy as np

        found = np.zeros((len(values), math.prod(source)))
        # Member k of one window is not member k of another.
        for member in self.pool.members(source).T:
            found[:, member] += weights[0] * values
        return found
