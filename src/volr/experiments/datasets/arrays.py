"""Arrays of somebody's own as a data set: values scaled to [0, 1], labels counted from 0.

Values are scaled by one rule, from the training samples alone:

    bytes (uint8)                 x / 255
    numbers within [0, 1]         as they are
    real numbers in a table       (x - low) / (high - low), with low and high of each column
    anything else                 the same, with low and high of all values

Test values below low or above high become 0 or 1. A table has stimuli in a row, ``[batch, unit]``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.errors import DataError
from volr.experiments.datasets.split import generator, stratified
from volr.models.samples import Data, Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats, Integers

_CHANNELS = (1, 3, 4)
"""An image has so many, if they stand last."""


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


def scale_in(text: str) -> Scale:
    """The scale in a text of ``Scale.text``; ``DataError`` for any other."""
    try:
        low, high = json.loads(text)
        return Scale(tuple(map(float, low)), tuple(map(float, high)))
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError("the model was trained on data of no scale that Volr knows") from error


@dataclass(frozen=True, eq=False)
class Part:
    """Stimuli ``[batch, …]`` and their labels ``[batch]``, with the names of both in errors."""

    inputs: NDArray[Any]
    labels: NDArray[Any]
    names: tuple[str, str]


@dataclass(frozen=True, eq=False)
class Arrays:
    """The arrays of a ``source``: training and test, or all in ``train``, to be split by a seed."""

    source: str
    train: Part
    test: Part | None = None


@dataclass(frozen=True, eq=False)
class Own:
    """Checked arrays: stimuli of a ``shape``, labels from 0 up, and what was taken for granted."""

    arrays: Arrays
    shape: tuple[int, ...]
    classes: int
    notes: tuple[str, ...]

    def data(self, seed: int, scale: Scale | None = None) -> Data:
        """The data set; the scale is that of the training samples, unless it is given.

        The ``seed`` splits arrays that are not split.
        """
        train, test = self._split(seed)
        used = scale_of(train.inputs) if scale is None else scale
        return Data(_samples(train, used), _samples(test, used), self.classes)

    def scale(self, seed: int) -> Scale:
        """The scale of the training samples that the ``seed`` leaves."""
        return scale_of(self._split(seed)[0].inputs)

    def _split(self, seed: int) -> tuple[Part, Part]:
        train, test = self.arrays.train, self.arrays.test
        if test is not None:
            return train, test
        first, second = stratified(_whole(train.labels), generator(seed))
        if not len(second):
            raise DataError(
                f"{self.arrays.source} has {len(first)} samples, too few to keep some for tests"
            )
        return _taken(train, first), _taken(train, second)


def checked(arrays: Arrays) -> Own:
    """Arrays as a data set. Raises ``DataError`` that names the array and the row."""
    parts = [each for each in (arrays.train, arrays.test) if each is not None]
    for each in parts:
        _check(each)
    shapes = {each.inputs.shape[1:] for each in parts}
    if len(shapes) > 1:
        named = " and ".join(f"{e.names[0]} of {_text(e.inputs.shape[1:])}" for e in parts)
        raise DataError(f"stimuli of one size are needed, and there are {named}")
    notes: list[str] = []
    labels, classes, note = _labels(parts)
    notes += note
    inputs, note = _channels_first([each.inputs for each in parts], parts[0].names[0])
    notes += note
    made = [Part(x, y, e.names) for x, y, e in zip(inputs, labels, parts, strict=True)]
    train, test = made[0], made[1] if len(made) > 1 else None
    if test is None:
        notes.append("a fifth of the samples is kept for tests, by the seed")
    notes.append(_scaling(train))
    shape = train.inputs.shape[1:] or (1,)
    return Own(Arrays(arrays.source, train, test), shape, classes, tuple(notes))


def scale_of(inputs: NDArray[Any]) -> Scale:
    """The numbers of training samples that become 0 and 1."""
    if inputs.dtype == np.uint8:
        return Scale((0.0,), (255.0,))
    rows = inputs.reshape(len(inputs), -1).astype(np.float64)
    if rows.min() >= 0 and rows.max() <= 1:
        return Scale()
    by_column = inputs.ndim == 2 and bool((rows != np.floor(rows)).any())
    low, high = (
        (rows.min(axis=0), rows.max(axis=0)) if by_column else (rows.min()[None], rows.max()[None])
    )
    # What is always the same becomes 0.
    high = np.where(high > low, high, low + np.maximum(1.0, np.abs(low)))
    return Scale(tuple(low.tolist()), tuple(high.tolist()))


def _scaling(train: Part) -> str:
    name, scale = train.names[0], scale_of(train.inputs)
    if scale == Scale():
        return f"{name} is in [0, 1], and taken as it is"
    if train.inputs.dtype == np.uint8:
        return f"{name} has bytes, which are divided by 255"
    least, most = min(scale.low), max(scale.high)
    of = "each column" if len(scale.low) > 1 else "all values"
    return (
        f"{name} reaches from {least:g} to {most:g}: the least and the largest of {of} in training "
        "become 0 and 1, and what lies beyond is cut off"
    )


def _check(part: Part) -> None:
    (x_name, y_name), x, y = part.names, part.inputs, part.labels
    for name, each in ((x_name, x), (y_name, y)):
        if each.dtype.kind == "O":
            raise DataError(
                f"{name} has objects of Python, which are not read",
                help="give it one type of numbers, or of text for labels",
            )
    if x.dtype.kind not in "biuf":
        raise DataError(f"{x_name} is of type {x.dtype}, not real numbers")
    if x.ndim < 1 or not x.size:
        raise DataError(f"{x_name} is empty: its shape is {_text(x.shape)}")
    if len(x) != len(y):
        raise DataError(f"{x_name} has {len(x):,} rows, and {y_name} {len(y):,}")
    if x.dtype.kind == "f":
        good = np.isfinite(x.reshape(len(x), -1)).all(axis=1)
        if not good.all():
            row = int(np.argmin(good))
            raise DataError(
                f"{x_name}, row {row}: a value is not a finite number",
                help=f"{np.count_nonzero(~good):,} of {len(x):,} rows have such a value",
            )


def _labels(parts: Sequence[Part]) -> tuple[list[Integers], int, list[str]]:
    """Labels from 0 up, the number of classes, and notes."""
    columns = [_column(each) for each in parts]
    if all(each.dtype.kind in "iu" and each.min() >= 0 for each in columns):
        least = min(int(each.min()) for each in columns)
        if least == 0:
            most = max(int(each.max()) for each in columns)
            return [each.astype(np.int64) for each in columns], most + 1, []
    known = np.unique(columns[0])
    found: list[Integers] = []
    for part, column in zip(parts, columns, strict=True):
        places = np.searchsorted(known, column)
        wrong = (places == len(known)) | (known[np.minimum(places, len(known) - 1)] != column)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(
                f"{part.names[1]}, row {row}: the label {column[row].item()!r} is not one of those "
                "in training"
            )
        found.append(places.astype(np.int64))
    shown = ", ".join(str(each) for each in known[:_SHOWN])
    more = ", …" if len(known) > _SHOWN else ""
    return found, len(known), [f"labels are counted from 0, in this order: {shown}{more}"]


_SHOWN = 12


def _column(part: Part) -> NDArray[Any]:
    """The labels in one column: whole numbers or text."""
    name, y = part.names[1], part.labels
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "biuf" and ((y == 0) | (y == 1)).all():
        if (y.sum(axis=1) == 1).all():
            return y.argmax(axis=1)
        raise DataError(f"{name} has rows with no 1, or several: a stimulus has one label")
    if y.ndim != 1:
        raise DataError(f"{name} has the shape {_text(y.shape)}, and a stimulus has one label")
    if y.dtype.kind == "f":
        if not (np.isfinite(y) & (y == np.floor(y)) & (np.abs(y) < 2**31)).all():
            row = int(np.argmin(np.isfinite(y) & (y == np.floor(y))))
            raise DataError(
                f"{name}, row {row}: the label {y[row]:g} is no whole number",
                help="Volr learns classes, and not numbers",
            )
        return y.astype(np.int64)
    if y.dtype.kind not in "biuUS":
        raise DataError(f"{name} is of type {y.dtype}, and labels are whole numbers or words")
    return y.astype(np.int64) if y.dtype.kind == "b" else y


def _channels_first(
    inputs: Sequence[NDArray[Any]], name: str
) -> tuple[list[NDArray[Any]], list[str]]:
    """Images with the channels before rows and columns, and a note where they were behind."""
    shape = inputs[0].shape[1:]
    if len(shape) != 3 or shape[2] not in _CHANNELS or shape[0] in _CHANNELS:
        return [*inputs], []
    note = f"{name} has images of {_text(shape)}, channels last: they are put first"
    return [np.moveaxis(each, -1, 1) for each in inputs], [note]


def _samples(part: Part, scale: Scale) -> Samples:
    rows = part.inputs.reshape(len(part.inputs), -1).astype(np.float64)
    inputs = scale(rows)
    inputs.setflags(write=False)  # without it, Samples would copy them
    return Samples(inputs, _whole(part.labels))


def _taken(part: Part, rows: Integers) -> Part:
    return Part(part.inputs[rows], part.labels[rows], part.names)


def _whole(labels: NDArray[Any]) -> Integers:
    return labels.astype(np.int64)


def _text(shape: tuple[int, ...]) -> str:
    return " × ".join(str(each) for each in shape) or "one number"
