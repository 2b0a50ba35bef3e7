"""What connectors share whose synapses all have one weight, which training leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.network.connectors.base import Connector

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.network.connectors.base import Scaling, Shape


class FixedWeight(Connector):
    """One weight ``[1]``, which is 1 unless told, and no biases.

    Both ends have the same channels, and units keep their scale from one to the other.
    """

    __slots__ = ()

    @property
    def trained(self) -> bool:
        return False

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
