"""Numbers of neurons: one for all of a population, or one for each unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from volr.backends.readback import Number


def near(has: float, wanted: float, within: float = 1e-9) -> bool:
    """Whether a number is the wanted one up to this relative error."""
    return has == wanted or math.isclose(has, wanted, rel_tol=within)


def alike(has: Number, wanted: Number) -> bool:
    """Whether numbers are as many as the wanted ones, and each is near its own."""
    each, other = np.ravel(has).tolist(), np.ravel(wanted).tolist()
    return len(each) == len(other) and all(map(near, each, other))


def first_of(number: Number) -> float:
    """The number of the first unit."""
    return float(np.ravel(number)[0])


def number_difference(has: Number, wanted: Number, within: float) -> str | None:
    """How a parameter differs from what it should be, in words; None where it does not.

    Each is one number for all neurons, or ``[unit]``.
    """
    held, expected = np.atleast_1d(has), np.atleast_1d(wanted)
    if held.size > 1 and expected.size > 1 and held.shape != expected.shape:
        return f"has {held.size} values, expected {expected.size}"
    each, should = np.broadcast_arrays(held, expected)
    same = [near(one, other, within) for one, other in zip(each, should, strict=True)]
    if all(same):
        return None
    unit = same.index(False)
    if expected.size == 1:
        differs = held.size > 1 or math.isnan(held[0])
        said = "differs between the neurons" if differs else f"is {held[0]:g}"
        return f"{said}, expected {expected[0]:g}"
    return f"of neuron {unit} is {each[unit]:g}, expected {should[unit]:g}"
