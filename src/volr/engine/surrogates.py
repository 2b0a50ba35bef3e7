"""What stands for the derivative of a spike, which has none.

With u = (V − v_thresh) / (v_thresh − v_reset), V before the reset, and w the ``width``,

    triangle      max(0, 1 − |u|/w) / w
    rectangle     1 / (2w) where |u| < w, else 0
    fast_sigmoid  1 / (2w (1 + |u|/w)²)
    atan          1 / (π w (1 + (u/w)²))

each of area 1, times 1 / (v_thresh − v_reset), is taken for dS/dV (Neftci, Mostafa & Zenke 2019).
The reset itself is not differentiated: it is held to be constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from volr.checks.annotations import settle
from volr.errors import ModelError

Shape: TypeAlias = Literal["triangle", "rectangle", "fast_sigmoid", "atan"]
SHAPES: tuple[Shape, ...] = get_args(Shape)


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A ``shape`` and its ``width`` in units of v_thresh − v_reset.

    The default was chosen by experiment: see docs/results.md. Raises ``ModelError`` for a width
    that is not above 0.
    """

    shape: Shape = "atan"
    width: float = 0.3

    def __post_init__(self) -> None:
        wrong = [f"its {each}" for each in settle(self, Shape=str)]
        if wrong:
            raise ModelError("this is not a surrogate: " + "; ".join(wrong))
        if self.shape not in SHAPES:
            wrong.append(f"its shape is {self.shape!r}, not one of {', '.join(SHAPES)}")
        if not (math.isfinite(self.width) and self.width > 0):
            wrong.append(f"its width is {self.width}, not above 0")
        if wrong:
            raise ModelError("this is not a surrogate: " + "; ".join(wrong))

    @property
    def height(self) -> float:
        """The value at the threshold."""
        match self.shape:
            case "triangle":
                return 1.0 / self.width
            case "rectangle" | "fast_sigmoid":
                return 0.5 / self.width
            case "atan":
                return 1.0 / (math.pi * self.width)

    @property
    def code(self) -> int:
        """The number of the shape, for kernels."""
        return SHAPES.index(self.shape)
