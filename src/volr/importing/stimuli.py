"""From stimuli in [0, 1] to what another program's network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
        sizes = tuple(int(each) for each in shape)
    except (TypeError, ValueError):
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise DataError(
            f"the shape of a stimulus is {shown(shape)}, not whole numbers from 1 up",
            help="give it without the batch, such as (1, 28, 28)",
        )
    return sizes


def input_mapping(
    shape: Shape, inputs: tuple[float, float], mean: ArrayLike, deviation: ArrayLike
) -> tuple[Floats, Floats]:
    """What stimuli in [0, 1] are multiplied by, and what is added to them, of the ``shape``.

    The settings are those of ``import_torch``. Raises ``DataError`` where they do not fit.
    """
    low, high = (float(each) for each in inputs)
    numbers: list[Floats] = []
    for name, given in (("mean", mean), ("deviation", deviation)):
        each = np.asarray(given, np.float64)
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
