"""``OneToOne``: each neuron of the source to the neuron of the target in the same place."""

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
class OneToOne(Connector):
    """Neuron i of the source to neuron i of the target, all with one weight: ``[1]``.

    The weight of an identity is 1, and training leaves it alone.
    """

    name = "one_to_one"

    @property
    def labels(self) -> tuple[str, ...]:
        return ("id",)

    @property
    def trained(self) -> bool:
        return False

    def misfit(self, source: Shape, target: Shape) -> str | None:
        if source == target:
            return None
        return f"one_to_one needs two equal shapes, and these are {source} and {target}"

    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        return (1,)

    def bias_count(self, target: Shape) -> int:
        return 0

    @property
    def scaling(self) -> Scaling:
        return "tied"

    def rescaled(
        self, weights: Floats, after: Floats, before: Floats, source: Shape, target: Shape
    ) -> Floats:
        return weights * after[0] / before[0]

    def synapse_count(self, source: Shape, target: Shape) -> int:
        return math.prod(source)

    def entries(self, source: Shape, target: Shape) -> Iterator[Entries]:
        import numpy as np

        each = np.arange(math.prod(source))
        yield Entries(each, each, np.zeros_like(each), np.ones(len(each)))

    def apply(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        return weights[0] * values

    def transposed(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        return weights[0] * values
