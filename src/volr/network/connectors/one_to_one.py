"""``OneToOne``: each neuron of the source to the neuron of the target in the same place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.network.connectors.base import Entries
from volr.network.connectors.fixed_weight import FixedWeight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.checks.arrays import Floats
    from volr.network.connectors.base import Shape


@dataclass(frozen=True, slots=True)
class OneToOne(FixedWeight):
    """Neuron i of the source to neuron i of the target, all with one weight: ``[1]``.

    The weight of an identity is 1, and training leaves it alone.
    """

    name = "one_to_one"

    @property
    def labels(self) -> tuple[str, ...]:
        return ("id",)

    def misfit(self, source: Shape, target: Shape) -> str | None:
        if source == target:
            return None
        return f"one_to_one needs two equal shapes, and these are {source} and {target}"

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
