"""``Slice``: some neurons of the source, side by side, to every neuron of the target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.network.connectors.base import Connector, Entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.checks.arrays import Floats
    from volr.network.connectors.base import Scaling, Shape


@dataclass(frozen=True, slots=True)
class Slice(Connector):
    """The ``count`` neurons of the source from number ``first`` on, to every neuron of the target.

    Weights are ``[post, count]``. Nothing is trained, and the target needs no biases for it: it is
    how a clock reaches a population with those of its neurons that are meant for it.
    """

    first: int
    count: int

    name = "slice"

    def __str__(self) -> str:
        return f"{self.name} {self.first}:{self.first + self.count}"

    @property
    def trained(self) -> bool:
        return False

    def misfit(self, source: Shape, target: Shape) -> str | None:
        if self.first < 0 or self.count < 1:
            return f"{self} is no part of a population"
        if self.first + self.count > (size := math.prod(source)):
            return f"{self} needs {self.first + self.count} neurons, and its source has {size}"
        return None

    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        return math.prod(target), self.count

    def bias_count(self, target: Shape) -> int:
        return 0

    @property
    def scaling(self) -> Scaling:
        return "unit"

    def rescaled(
        self, weights: Floats, after: Floats, before: Floats, source: Shape, target: Shape
    ) -> Floats:
        return weights * after[:, None] / before[self._part]

    def synapse_count(self, source: Shape, target: Shape) -> int:
        return math.prod(target) * self.count

    def entries(self, source: Shape, target: Shape) -> Iterator[Entries]:
        import numpy as np

        index = np.arange(math.prod(target) * self.count)
        post, pre = np.divmod(index, self.count)
        yield Entries(post, self.first + pre, index, np.ones(len(index)))

    def apply(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        return values[:, self._part] @ weights.T

    def transposed(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        import numpy as np

        found = np.zeros((len(values), math.prod(source)))
        found[:, self._part] = values @ weights
        return found

    @property
    def _part(self) -> slice:
        return slice(self.first, self.first + self.count)
