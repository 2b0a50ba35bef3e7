"""Numbers of somebody's own as numbers in [0, 1].

One rule, from the training samples alone:

    bytes (uint8)                 x / 255
    numbers within [0, 1]         as they are
    real numbers in a table       (x - low) / (high - low), with low and high of each column
    anything else                 the same, with low and high of all values

Other values below low or above high become 0 or 1. A table has stimuli in a row, ``[batch, unit]``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.checks.arrays import Floats

_TOLD = 0.01
"""Where more of all values are cut off, a note says so."""


@dataclass(frozen=True)
class Scale:
    """The numbers that become 0, and those that become 1: one of each, or one for each unit.

    Raises ``DataError`` for no such numbers.
    """

    low: tuple[float, ...] = (0.0,)
    high: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        pairs = [*zip(self.low, self.high, strict=False)]
        good = all(-math.inf < low < high < math.inf for low, high in pairs)
        if not pairs or len(self.low) != len(self.high) or not good:
            raise DataError("the model was trained on data of no scale that Volr knows")

    def __call__(self, inputs: Floats) -> Floats:
        """Inputs ``[batch, unit]`` as numbers in [0, 1]."""
        if len(self.low) not in {1, inputs.shape[1]}:
            raise DataError(
                f"the model was trained on stimuli of {len(self.low)} values, and these have "
                f"{inputs.shape[1]}"
            )
        low, high = np.array(self.low), np.array(self.high)
        return np.clip((inputs - low) / (high - low), 0.0, 1.0)

    @property
    def text(self) -> str:
        """What ``scale_in`` reads."""
        return json.dumps([self.low, self.high])

    @property
    def ends(self) -> str:
        """The least and the largest number, in words."""
        return f"{min(self.low):g} to {max(self.high):g}"

    def cut_off(self, inputs: NDArray[Any]) -> float:
        """The share of values ``[batch, …]`` that lie beyond."""
        rows = _rows(inputs)
        if len(self.low) not in {1, rows.shape[1]}:
            return 0.0
        return float(((rows < np.array(self.low)) | (rows > np.array(self.high))).mean())


BYTES = Scale((0.0,), (255.0,))


def scale_in(text: str) -> Scale:
    """The scale in a text of ``Scale.text``; ``DataError`` for any other."""
    try:
        low, high = json.loads(text)
        return Scale(tuple(map(float, low)), tuple(map(float, high)))
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError("the model was trained on data of no scale that Volr knows") from error


def scale_of(inputs: NDArray[Any]) -> Scale:
    """The numbers of training samples that become 0 and 1."""
    if inputs.dtype == np.uint8:
        return BYTES
    rows = _rows(inputs)
    if rows.min() >= 0 and rows.max() <= 1:
        return Scale()
    by_column = inputs.ndim == 2 and bool((rows != np.floor(rows)).any())
    low, high = (
        (rows.min(axis=0), rows.max(axis=0)) if by_column else (rows.min()[None], rows.max()[None])
    )
    # What is always the same becomes 0.
    high = np.where(high > low, high, low + np.maximum(1.0, np.abs(low)))
    return Scale(tuple(low.tolist()), tuple(high.tolist()))


def scaling(inputs: NDArray[Any], name: str) -> str:
    """How training samples called ``name`` are scaled, in a sentence."""
    scale = scale_of(inputs)
    if scale == Scale():
        return f"{name} is in [0, 1], and taken as it is"
    if inputs.dtype == np.uint8:
        return f"{name} has bytes, which are divided by 255"
    of = "each column" if len(scale.low) > 1 else "all values"
    return (
        f"{name} reaches from {scale.ends}: the least and the largest of {of} in training "
        "become 0 and 1, and what lies beyond is cut off"
    )


def scaled_as(scale: Scale, inputs: NDArray[Any], name: str, of: str) -> list[str]:
    """Notes on inputs called ``name`` that get the scale ``of`` others.

    Raises ``DataError`` where one of the two has bytes, and the other numbers in [0, 1]: scaled
    alike, all of them would become 0 or 1.
    """
    most = float(inputs.max())
    theirs = ours = ""
    if scale == Scale() and inputs.dtype == np.uint8 and most > 1:
        ours, theirs = f"bytes, up to {most:g}", "numbers in [0, 1]"
    elif scale == BYTES and inputs.dtype.kind == "f" and inputs.min() >= 0 and 0 < most <= 1:
        ours, theirs = "numbers in [0, 1]", "bytes"
    if ours:
        raise DataError(
            f"{name} has {ours}, and {of} {theirs}",
            help="bring both to one scale: x / 255 makes numbers in [0, 1] of bytes",
        )
    beyond = scale.cut_off(inputs)
    if beyond <= _TOLD:
        return []
    return [f"{beyond:.1%} of the values of {name} lie beyond those of {of}, and are cut off"]


def _rows(inputs: NDArray[Any]) -> Floats:
    return inputs.reshape(len(inputs), -1).astype(np.float64)
