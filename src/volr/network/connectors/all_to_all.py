"""``AllToAll``: every neuron of the source to every neuron of the target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.network.connectors.base import Connector, Entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.checks.arrays import Floats, Integers
    from volr.network.connectors.base import Scaling, Shape
    from volr.network.connectors.synapses import Synapses

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class AllToAll(Connector):
    """Every neuron of the source to every neuron of the target: weights ``[post, pre]``."""

    name = "all_to_all"

    @property
    def labels(self) -> tuple[str, ...]:
        """None: it is what an arrow means where nothing is written."""
        return ()

    def misfit(self, source: Shape, target: Shape) -> None:
        """Any two shapes fit."""

    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        return math.prod(target), math.prod(source)

    def synapse_count(self, source: Shape, target: Shape) -> int:
        return math.prod(target) * math.prod(source)

    @property
    def scaling(self) -> Scaling:
        return "unit"

    def rescaled(
        self, weights: Floats, after: Floats, before: Floats, source: Shape, target: Shape
    ) -> Floats:
        return weights * after[:, None] / before

    def entries(self, source: Shape, target: Shape) -> Iterator[Entries]:
        import numpy as np

        post, pre = self.weight_shape(source, target)
        rows = max(1, _BLOCK // pre)
        for first in range(0, post, rows):
            index = np.arange(first * pre, min(first + rows, post) * pre)
            yield Entries(index // pre, index % pre, index, np.ones(len(index)))

    def synapses(self, weights: Floats, source: Shape, target: Shape) -> Synapses:
        import numpy as np

        from volr.network.connectors.synapses import Synapses

        pre, post = np.divmod(np.arange(weights.size), math.prod(target))
        return Synapses(post, pre, weights.T.ravel())

    def fan_out(self, weights: Floats, source: Shape, target: Shape) -> Integers:
        import numpy as np

        return np.count_nonzero(weights, axis=0)

    def matrix(self, weights: Floats, source: Shape, target: Shape, missing: float) -> Floats:
        return weights

    def apply(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        return values @ weights.T

    def transposed(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        return values @ weights
