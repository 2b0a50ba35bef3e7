"""Arrays of somebody's own as a data set: values scaled to [0, 1], labels counted from 0.

``scale`` has the one rule for values, ``labels`` that for labels. A model keeps both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.errors import DataError
from volr.experiments.datasets.labels import counted, in_words, placed
from volr.experiments.datasets.scale import Scale, scale_of, scaled_as, scaling
from volr.experiments.datasets.split import generator, stratified
from volr.models.samples import Data, Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Integers
    from volr.experiments.datasets.labels import Name

_CHANNELS = (1, 3, 4)
"""An image has so many, if they stand last."""


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

    @property
    def parts(self) -> list[Part]:
        """Those that there are."""
        return [self.train] if self.test is None else [self.train, self.test]


@dataclass(frozen=True, eq=False)
class Own:
    """Checked arrays: stimuli of a ``shape``, labels from 0 up, and what was taken for granted.

    Labels have ``names`` where they are counted. The scale is ``kept`` where a model has one.
    ``told`` are notes on the form of the arrays, and ``notes`` on values and labels, too.
    """

    arrays: Arrays
    shape: tuple[int, ...]
    classes: int
    notes: tuple[str, ...]
    told: tuple[str, ...] = ()
    names: tuple[Name, ...] = ()
    kept: Scale | None = None

    def data(self, seed: int) -> Data:
        """The data set; the scale is that of the training samples, unless one is kept.

        The ``seed`` splits arrays that are not split.
        """
        train, test = self._split(seed)
        used = scale_of(train.inputs) if self.kept is None else self.kept
        return Data(_samples(train, used), _samples(test, used), self.classes)

    def scale(self, seed: int) -> Scale:
        """The scale that is kept, or that of the training samples that the ``seed`` leaves."""
        return scale_of(self._split(seed)[0].inputs) if self.kept is None else self.kept

    def as_trained(self, scale: Scale, names: tuple[Name, ...], outputs: int) -> Own:
        """The arrays for a model that was trained on others, of this scale and these labels.

        Without ``names`` its labels were whole numbers, of which it has ``outputs``. Raises
        ``DataError`` for labels that the model does not know, and for values that no model of such
        a scale can read.
        """
        model = "the model's training"
        known = names or tuple(range(max(outputs, self.classes)))
        notes, parts = [*self.told], list[Part]()
        for each in self.arrays.parts:
            notes += scaled_as(scale, each.inputs, each.names[0], model)
            given = np.array(self.names)[each.labels] if self.names else each.labels
            labels = placed(given, known, each.names[1], f"in {model}")
            parts.append(replace(each, labels=labels))
        notes.append(f"as in {model}, {scale.ends} become 0 and 1")
        if names:
            notes.append(f"as in {model}, labels are counted in this order: {in_words(names)}")
        return replace(
            self,
            arrays=Arrays(self.arrays.source, *parts),
            classes=len(known),
            notes=tuple(notes),
            names=names,
            kept=scale,
        )

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
    parts = arrays.parts
    for each in parts:
        _check(each)
    shapes = {each.inputs.shape[1:] for each in parts}
    if len(shapes) > 1:
        named = " and ".join(f"{e.names[0]} of {_text(e.inputs.shape[1:])}" for e in parts)
        raise DataError(f"stimuli of one size are needed, and there are {named}")
    labels, names = counted([(each.labels, each.names[1]) for each in parts])
    inputs, told = _channels_first([each.inputs for each in parts], parts[0].names[0])
    made = [Part(x, y, e.names) for x, y, e in zip(inputs, labels, parts, strict=True)]
    train, test = made[0], made[1] if len(made) > 1 else None
    notes = [f"labels are counted from 0, in this order: {in_words(names)}"] if names else []
    if test is None:
        told.append("a fifth of the samples is kept for tests, by the seed")
    notes += [*told, scaling(train.inputs, train.names[0])]
    if test is not None:
        notes += scaled_as(scale_of(train.inputs), test.inputs, test.names[0], train.names[0])
    return Own(
        arrays=Arrays(arrays.source, train, test),
        shape=train.inputs.shape[1:] or (1,),
        classes=len(names) or max(int(each.max()) for each in labels) + 1,
        notes=tuple(notes),
        told=tuple(told),
        names=names,
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
    if y.ndim < 1:
        raise DataError(f"{y_name} is one label, and {x_name} has {len(x):,} rows")
    if len(x) != len(y):
        raise DataError(f"{x_name} has {len(x):,} rows, and {y_name} {len(y):,}")
    if x.dtype.kind == "f":
        with np.errstate(over="ignore"):  # of longer numbers than float64
            good = np.isfinite(x.reshape(len(x), -1).astype(np.float64)).all(axis=1)
        if not good.all():
            row = int(np.argmin(good))
            raise DataError(
                f"{x_name}, row {row}: a value is not a finite number",
                help=f"{np.count_nonzero(~good):,} of {len(x):,} rows have such a value",
            )


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
