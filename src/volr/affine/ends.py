"""The end of another program's network, where its logits become probabilities or labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from volr.affine.problems import BATCH_AXIS
from volr.affine.values import InexpressibleError

if TYPE_CHECKING:
    from volr.network.connectors import Shape


def axis_of_values(axis: int, count: int) -> int:
    """An axis, one of ``count``, counted from 0 without that of the batch.

    Raises ``InexpressibleError`` for the batch itself, and for one that is not there.
    """
    if not -count <= axis < count:
        raise InexpressibleError(f"it has the axis {axis}, of {count}")
    if axis % count == 0:
        raise InexpressibleError(
            "it works along the first axis, which is that of the stimuli", BATCH_AXIS
        )
    return axis % count - 1


def check_along_units(shape: Shape, axis: int) -> None:
    """Raise ``InexpressibleError`` unless an ``axis`` has all values of one stimulus.

    ``shape`` is theirs, without the batch, which the axis counts. What is normalised along another
    axis has several sets of probabilities, and is no network's end that can be left out.
    """
    if shape[axis_of_values(axis, len(shape) + 1)] != math.prod(shape):
        raise InexpressibleError(
            f"it works along one of several axes: {list(shape)}",
            "leave it out, or put a flatten before it",
        )
