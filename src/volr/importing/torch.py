"""Modules of PyTorch as models with a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.reference import forward
from volr.backends.refusals import require
from volr.backends.torch import TORCH
from volr.checks.annotations import shown
from volr.errors import DataError
from volr.importing.imported import ImportedModel, in_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


def import_torch(
    module: object,
    shape: Sequence[int],
    *,
    inputs: tuple[float, float] = (0.0, 1.0),
    mean: ArrayLike = 0.0,
    deviation: ArrayLike = 1.0,
) -> ImportedModel:
    """The model that computes what a ``torch.nn.Module`` does in evaluation, and its program.

    ``shape`` is that of one stimulus, without the batch, as the module takes it. Stimuli of Volr's
    are in [0, 1]; the module gets (low + (high − low) x − ``mean``) / ``deviation``, where
    ``inputs`` are the least and the largest number that it takes before it is normalised. ``mean``
    and ``deviation`` are one number each, or one for each channel. All this becomes part of the
    weights and biases.

    Raises ``UnsupportedError`` with everything that no network of Volr's does, by the paths of the
    module's parts, ``ModelError`` where ``torch.export`` cannot trace it, ``NetworkError`` where no
    program says the network, and ``MissingError`` without PyTorch.
    """
    require(TORCH)
    from volr.backends.torch.import_module import read_module

    sizes = _shape(shape)
    scale, offset = _mapping(sizes, inputs, mean, deviation)
    found = read_module(module, sizes, scale, offset, forward)
    return in_program(found.model, found.notes, "<torch>")


def _shape(shape: Sequence[int]) -> Shape:
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


def _mapping(
    shape: Shape, inputs: tuple[float, float], mean: ArrayLike, deviation: ArrayLike
) -> tuple[Floats, Floats]:
    """What stimuli in [0, 1] are multiplied by, and what is added to them, of the ``shape``."""
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
