"""What a function computes, found by calling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.checks.arrays import Floats

_POINTS = np.array([-3.0, -0.75, 0.0, 0.5, 2.0])
# Far above the rounding of float32, and far below the differences between the functions.
_SAME = 1e-5

ANOTHER = "another"
"""The name of a function that Volr does not have."""


def activation_of(function: Callable[[Floats], Floats]) -> str:
    """The name of the activation that ``function`` is, or ``ANOTHER``.

    It is called with some numbers, float64 ``[1, unit]``, and compared with the formulas.
    """
    formulas: Mapping[str, Floats] = {
        "relu": np.where(_POINTS > 0.0, _POINTS, 0.0),
        "sigmoid": 1.0 / (1.0 + np.exp(-_POINTS)),
        "tanh": (np.exp(2.0 * _POINTS) - 1.0) / (np.exp(2.0 * _POINTS) + 1.0),
        "identity": _POINTS,
    }
    found = function(_POINTS[None, :].copy())[0]
    for name, wanted in formulas.items():
        if np.abs(found - wanted).max() < _SAME:
            return name
    return ANOTHER


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
