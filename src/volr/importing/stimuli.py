"""From stimuli in [0, 1] to what another program's network takes."""

from __future__ import annotations

import math
from operator import index
from typing import TYPE_CHECKING

import numpy as np

from volr.affine.forms import MOST_NEURONS
from volr.checks.annotations import shown
from volr.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


def stimulus_shape(shape: Sequence[int]) -> Shape:
    """The shape of one stimulus as whole numbers; ``DataError`` for anything else."""
    try:
        sizes = tuple(index(each) for each in shape)
    except TypeError:
        sizes = ()
    if not sizes or min(sizes) < 1 or math.prod(sizes) > MOST_NEURONS:
        raise DataError(
            f"the shape of a stimulus is {shown(shape)}, not whole numbers from 1 up "
            f"of {MOST_NEURONS:,} values at most",
            help="give it without the batch, such as (1, 28, 28)",
        )
    return sizes


def input_mapping(
    shape: Shape, inputs: tuple[float, float], mean: ArrayLike, deviation: ArrayLike
) -> tuple[Floats, Floats]:
    """What stimuli in [0, 1] are multiplied by, and what is added to them, of the ``shape``.

    The settings are those of ``import_torch``. Raises ``DataError`` where they do not fit.
    """
    try:
        low, high = (float(each) for each in inputs)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the inputs are {shown(inputs)}, and not two numbers",
            help="give the least and the largest, such as (0, 255)",
        ) from error
    numbers: list[Floats] = []
    for name, given in (("mean", mean), ("deviation", deviation)):
        try:
            each = np.asarray(given, np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"the {name} is {shown(given)}, and no number or row of them"
            ) from error
        if each.ndim == 1 and each.size == shape[0]:
            each = each.reshape(-1, *(1,) * (len(shape) - 1))
        try:
            numbers.append(np.broadcast_to(each, shape))
        except ValueError as error:
            raise DataError(
                f"the {name} has the shape {list(each.shape)}, and a stimulus {list(shape)}",
                help=f"give one number, or one for each of {shape[0]} channels",
            ) from error
    means, deviations = numbers
    if not (high > low and np.isfinite([low, high]).all()):
        raise DataError(f"the inputs reach from {low:g} to {high:g}, which is no range")
    if not ((deviations > 0).all() and np.isfinite(means).all() and np.isfinite(deviations).all()):
        raise DataError("means have to be finite, and deviations above 0")
    return (high - low) / deviations, (low - means) / deviations
