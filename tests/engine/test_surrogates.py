"""Surrogates against the formulas of their definition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.engine.surrogates import SHAPES, Shape, Surrogate
from volr.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.checks.arrays import Floats


def curve(shape: Shape, x: Floats) -> NDArray[Any]:
    """Of width 1, at the distance x from the threshold in units of it."""
    match shape:
        case "triangle":
            return np.maximum(0.0, 1.0 - np.abs(x))
        case "rectangle":
            return 0.5 * (abs(x) < 1)
        case "fast_sigmoid":
            return 0.5 / (1 + abs(x)) ** 2
        case "atan":
            return 1 / (np.pi * (1 + x**2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("width", [0.3, 1.0, 2.5])
def test_the_height_is_that_of_a_curve_of_area_one(shape: Shape, width: float) -> None:
    # u/w = tan φ turns the long tails into something that can be summed.
    angle = (np.arange(200_000) + 0.5) * math.pi / 200_000 - math.pi / 2
    x = np.tan(angle)
    area = (curve(shape, x) * (1 + x**2)).mean() * math.pi
    assert area == pytest.approx(1.0, abs=1e-4)
    assert Surrogate(shape, width).height == pytest.approx(curve(shape, np.zeros(1))[0] / width)


def test_every_shape_has_its_own_number() -> None:
    assert [Surrogate(shape).code for shape in SHAPES] == [0, 1, 2, 3]


@pytest.mark.parametrize("width", [0.0, -0.5, math.nan, math.inf])
def test_a_width_that_is_none_is_refused(width: float) -> None:
    with pytest.raises(ModelError, match=f"its width is {width}, not above 0"):
        Surrogate("atan", width)


def test_all_that_is_wrong_is_told_at_once() -> None:
    unknown: Any = "square"
    with pytest.raises(ModelError, match=r"'square', not one of triangle, .*; its width is -1"):
        Surrogate(unknown, -1.0)
