"""What Volr uses of quantities."""

from typing import Any

class Quantity:
    dimensionality: Any
    def __rmul__(self, other: float) -> Quantity: ...
    def __float__(self) -> float: ...

ms: Quantity
mV: Quantity
