"""The shapes that convolutions and pools take and give, without the batch; and as nir has them.

nir 1.0.8 takes the first axis of a window for all of them, and does not count ``groups`` in the
channels that a convolution takes. So it refuses windows that are not square, and groups, unless it
is told not to check: ``nir.read(file, type_check=False)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from volr.backends.nir.graph import Node
    from volr.checks.arrays import Floats

    _Shape: TypeAlias = tuple[int, ...]

POOLS = ("SumPool2d", "AvgPool2d")
_KERNELS = ("Conv1d", "Conv2d")


def taken_and_given_by_kernel(node: Node, *, as_nir: bool) -> tuple[_Shape | None, _Shape | None]:
    """The shapes of a convolution; None where it does not say."""
    values, weight = node.values, node.values["weight"]
    axes = weight.ndim - 2
    if "input_shape" not in values or axes < 1 or values["input_shape"].size != axes:
        return None, None
    size = values["input_shape"].ravel()
    window = np.full(axes, weight.shape[2]) if as_nir else np.array(weight.shape[2:])
    given = _given(node, size, window, values["dilation"])
    if as_nir and node.words.get("padding") == "same":
        given = tuple(int(each) for each in size)
    groups = 1 if as_nir else int(values["groups"].flat[0])
    taken = (weight.shape[1] * groups, *(int(each) for each in size))
    return taken, None if given is None else (weight.shape[0], *given)


def given_by_pool(node: Node, taken: _Shape) -> _Shape | None:
    """The shape that a pool gives; None where its numbers fit no map."""
    size = np.array(taken[1:], dtype=np.float64)
    given = _given(node, size, node.values["kernel_size"], np.ones(1))
    return None if given is None else (taken[0], *given)


def because(node: Node, other: _Shape) -> str:
    """A reason of nir's own why a convolution does not fit to the ``other`` shape beside it."""
    if node.kind not in _KERNELS:
        return ""
    taken, given = taken_and_given_by_kernel(node, as_nir=False)
    if other not in {taken, given}:
        return ""
    if other == taken:
        return ", because nir does not count the groups"
    return ", because nir takes the first axis of the window for both"


def _given(node: Node, size: Floats, window: Floats, dilation: Floats) -> _Shape | None:
    """How many windows there are on each axis."""
    values = node.values
    padding, stride = values["padding"].ravel(), values["stride"].ravel()
    try:
        with np.errstate(all="ignore"):
            found = size + 2.0 * padding - dilation.ravel() * (window.ravel() - 1.0)
            found = np.floor((found - 1.0) / stride) + 1.0
    except ValueError:  # numbers of axes that differ
        return None
    if found.shape != size.shape or not (np.isfinite(found) & (np.abs(found) < 2**53)).all():
        return None
    return tuple(int(each) for each in found)
