"""Stimuli are rows: ``[batch, unit]``, whatever the shape of a network's inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from volr.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_batch(shape: Sequence[int], size: int) -> None:
    """Raise ``DataError`` unless the shape of the stimuli is ``[batch, size]``."""
    if len(shape) != 2 or shape[1] != size:
        raise DataError(
            f"the stimuli have the shape {list(shape)}, the network takes [batch, {size}]",
            help=as_rows(shape, "stimuli", size),
        )


def as_rows(shape: Sequence[int], name: str, size: int | None = None) -> str | None:
    """How images, or one stimulus alone, become rows; None where that is not what is wrong.

    ``name`` is that of the array, ``size`` the length that a row has to have.
    """
    if len(shape) == 1 and shape[0] == size:
        return f"one stimulus is a batch too: {name}.reshape(1, {size})"
    length = math.prod(shape[1:])
    if len(shape) > 2 and length > 0 and size in (None, length):
        return f"each image becomes a row: {name}.reshape({shape[0]}, {length})"
    return None
