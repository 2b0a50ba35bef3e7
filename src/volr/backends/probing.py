"""What a function computes, found by calling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.errors import ModelError
from volr.models.activations import (
    AS_GIVEN,
    SINGLE_WHOLE,
    Staircase,
    input_formula,
    title,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from volr.checks.arrays import Floats, Integers

_POINTS = np.array([-3.0, -0.75, 0.0, 0.5, 2.0])
# Far above the rounding of float32, and far below the differences between the functions.
_SAME = 1e-5
# The most edges of a staircase that are tried.
_MOST = 4096

ANOTHER = "another"
"""The name of a function that Volr does not have."""


def activation_of(function: Callable[[Floats], Floats]) -> str:
    """The ``title`` of the activation that ``function`` is, or ``ANOTHER``.

    It is called with some numbers, float64 ``[1, unit]``, and compared with the formulas.
    """

    def called(values: Floats) -> Floats:
        return function(values[None, :].copy())[0]

    formulas: Mapping[str, Floats] = {
        "relu": np.where(_POINTS > 0.0, _POINTS, 0.0),
        "sigmoid": 1.0 / (1.0 + np.exp(-_POINTS)),
        "tanh": (np.exp(2.0 * _POINTS) - 1.0) / (np.exp(2.0 * _POINTS) + 1.0),
        "identity": _POINTS,
    }
    found = called(_POINTS)
    for name, wanted in formulas.items():
        if np.abs(found - wanted).max() < _SAME:
            return name
    staircase = _staircase_of(called)
    return ANOTHER if staircase is None else title(staircase)


def taken_as(names: Iterable[str], function: Callable[[Floats], Floats]) -> dict[str, str]:
    """The formula of each input of these names, unless they send their stimulus as it is."""
    formula = input_formula_of(function)
    return {} if formula == AS_GIVEN else dict.fromkeys(names, formula)


def input_formula_of(function: Callable[[Floats], Floats]) -> str:
    """The ``input_formula`` of inputs that send ``function`` of their stimulus, or ``ANOTHER``.

    It is called with numbers of [0, 1], float64 ``[1, unit]``. Where they become whole numbers,
    the numbers next to each edge tell whether they become the right ones.
    """

    def called(values: Floats) -> Floats:
        return function(values[None, :].copy())[0]

    some = np.array([0.0, 0.3, 0.5, 0.77, 1.0])
    if (np.abs(called(some) - some) < _SAME).all():
        return AS_GIVEN
    levels = _whole(called(np.ones(1)))
    if levels is None:
        return ANOTHER
    edges = ((_some_of(levels) - 0.5) / levels).astype(np.float32)
    near = (np.nextafter(edges, np.float32(0)), edges, np.nextafter(edges, np.float32(1)))
    points = np.concatenate(near).astype(np.float64)
    # Numbers that single precision rounds to these.
    points = np.concatenate([points, points * (1 - 2.0**-30), points * (1 + 2.0**-30)])
    wanted = np.floor(points.astype(np.float32).astype(np.float64) * levels + 0.5)
    same = (called(points) == wanted).all()
    return input_formula(Staircase(levels, 1)) if same else ANOTHER


def _staircase_of(called: Callable[[Floats], Floats]) -> Staircase | None:
    """The staircase that a function is: its values far out and at its edges say so."""
    far = float(SINGLE_WHOLE)
    levels = _whole(called(np.array([far])))
    if levels is None or called(np.array([-far]))[0] != 0.0:
        return None
    below, above = 0, SINGLE_WHOLE
    while above - below > 1:
        middle = (below + above) // 2
        if called(np.array([float(middle)]))[0] >= 1.0:
            above = middle
        else:
            below = middle
    try:
        found = Staircase(levels, 2 * above - 1)
    except ModelError:
        return None
    # The last whole number below each edge, and the first above.
    rank = _some_of(levels)
    first = rank * found.step - (found.step - 1) // 2
    values = called(np.concatenate([first - 1, first]).astype(np.float64))
    return found if (values == np.concatenate([rank - 1, rank])).all() else None


def _whole(values: Floats) -> int | None:
    """The number of levels that a largest value is; None where it cannot be one."""
    value = float(values[0])
    return int(value) if value.is_integer() and 2 <= value < SINGLE_WHOLE // 4 else None


def _some_of(levels: int) -> Integers:
    """The numbers 1 … ``levels``, or so many of them that the first and the last are among them."""
    return np.unique(np.linspace(1, levels, min(levels, _MOST)).astype(np.int64))


def affine_of(
    function: Callable[[Mapping[str, Floats]], Floats], sizes: Mapping[str, int]
) -> tuple[dict[str, Floats], Floats]:
    """The weights ``[post, pre]`` by source, and the bias ``[post]``, of an affine ``function``.

    It takes the sources' values, ``[batch, unit]`` of the ``sizes``, to sums ``[batch, unit]``.
    Zeros give the bias, and unit vectors the columns of the weights. Where the bias is much larger
    than the weights, the unit vectors are multiplied by a power of two: otherwise adding the bias
    would round off the last digits of the columns. Where the largest of what arrives counts,
    negative weights show with negative unit vectors only: of a positive one, zeros are larger.
    """

    def called(name: str, values: Floats) -> Floats:
        zeros = {each: np.zeros((len(values), size)) for each, size in sizes.items()}
        return function({**zeros, name: values})

    def columns_of(name: str, length: float) -> Floats:
        found = (called(name, length * np.eye(sizes[name])) - bias) / length
        if is_affine(name):
            return found
        opposite = (called(name, -length * np.eye(sizes[name])) - bias) / length
        return np.where(found == 0.0, -opposite, found)

    def is_affine(name: str) -> bool:
        some = np.linspace(-1.0, 2.0, sizes[name])[None, :]
        there, back = called(name, some)[0] - bias, called(name, -some)[0] - bias
        size = np.abs(there) + np.abs(back) + np.abs(bias)
        return bool((np.abs(there + back) <= _SAME * size).all())

    first, size = next(iter(sizes.items()))
    bias = called(first, np.zeros((1, size)))[0]
    weights: dict[str, Floats] = {}
    for name in sizes:
        columns = columns_of(name, 1.0)
        largest = float(np.abs(columns).max())
        if largest > 0.0:
            ratio = float(np.abs(bias).max()) / largest
            length = 2.0 ** float(np.ceil(np.log2(max(ratio, 1.0))))
            columns = columns_of(name, length)
        weights[name] = columns.T
    return weights, bias


def merge_of(
    function: Callable[[Mapping[str, Floats]], Floats],
    weights: Mapping[str, Floats],
    bias: Floats,
    first: str = "sum",
) -> str:
    """How ``function`` merges what arrives: "sum", "max" or ``ANOTHER``.

    ``weights`` and ``bias`` are what ``affine_of`` found. Ones everywhere give the sum of all
    weights of a neuron, or the largest of them. Where both are the same, because no neuron has two
    synapses, it is ``first``.
    """
    found = function({name: np.ones((1, each.shape[1])) for name, each in weights.items()})[0]
    side_by_side = np.concatenate(list(weights.values()), axis=1)
    near = _SAME * (np.abs(side_by_side).sum(axis=1) + np.abs(bias))
    # A neuron that nothing leads to has 0.
    least = np.where(side_by_side.any(axis=1), -np.inf, 0.0)
    largest = np.where(side_by_side == 0.0, least[:, None], side_by_side).max(axis=1)
    merges = {"sum": side_by_side.sum(axis=1) + bias, "max": largest}
    same = [name for name, wanted in merges.items() if (np.abs(found - wanted) <= near).all()]
    return first if first in same else next(iter(same), ANOTHER)
