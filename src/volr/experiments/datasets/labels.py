"""Labels of somebody's own, counted from 0.

Whole numbers from 0 up are taken as they are. Others, and words, are counted in their order, and
have ``names``. A model keeps them, so that it means the same by its outputs for other data.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from volr.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Integers

Name: TypeAlias = str | int
Column: TypeAlias = "tuple[NDArray[Any], str]"
"""Labels ``[batch]`` as they are given, and what errors call them."""

_MOST = 2**31
"""Labels from here on are no classes that are counted from 0, but names of some."""
_SHOWN = 12


def counted(columns: Sequence[Column]) -> tuple[list[Integers], tuple[Name, ...]]:
    """Labels from 0 up, and the names that they have, if they were not such ones before.

    The first column is that of training; the others have labels of it. Raises ``DataError`` that
    names the row.
    """
    given = [_column(*each) for each in columns]
    if all(each.dtype.kind in "iu" and each.min() >= 0 for each in given):
        least, most = min(int(e.min()) for e in given), max(int(e.max()) for e in given)
        if least == 0 and most < _MOST:
            return [each.astype(np.int64) for each in given], ()
    names = tuple(cast("list[Name]", np.unique(given[0]).tolist()))
    found = [
        placed(each, names, name, "in training")
        for each, (_, name) in zip(given, columns, strict=True)
    ]
    return found, names


def placed(labels: NDArray[Any], names: Sequence[Name], name: str, of: str) -> Integers:
    """The place of each label among the names ``of`` others; ``name`` is what errors call them."""
    places = {each: place for place, each in enumerate(names)}
    given = cast("list[Name]", labels.tolist())
    found = np.array([places.get(each, -1) for each in given], np.int64)
    if (found < 0).any():
        row = int(np.argmin(found))
        raise DataError(
            f"{name}, row {row}: the label {given[row]!r} is not one of those {of}",
            help=f"these are {in_words(names)}",
        )
    return found


def in_words(names: Sequence[Name]) -> str:
    """The first names, in a row."""
    return ", ".join(str(each) for each in names[:_SHOWN]) + ", …" * (len(names) > _SHOWN)


def names_in(text: object) -> tuple[Name, ...]:
    """The names in a text of JSON, none for None; ``DataError`` for anything else."""
    if text is None:
        return ()
    try:
        found: Any = json.loads(text if isinstance(text, str) else "")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise DataError("the model was trained on labels that Volr cannot read")
    names = cast("list[Any]", found)
    if not names or not all(type(each) in {str, int} for each in names):
        raise DataError("the model was trained on labels that Volr cannot read")
    return tuple(names)


def _column(y: NDArray[Any], name: str) -> NDArray[Any]:
    """The labels in one column: whole numbers or text."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "biuf" and ((y == 0) | (y == 1)).all():
        if (y.sum(axis=1) == 1).all():
            return y.argmax(axis=1)
        raise DataError(f"{name} has rows with no 1, or several: a stimulus has one label")
    if y.ndim != 1:
        shape = " × ".join(map(str, y.shape))
        raise DataError(f"{name} has the shape {shape}, and a stimulus has one label")
    if y.dtype.kind == "f":
        good = np.isfinite(y) & (y == np.floor(y)) & (np.abs(y) < _MOST)
        if not good.all():
            row = int(np.argmin(good))
            raise DataError(
                f"{name}, row {row}: the label {y[row]:g} is no whole number, or too large",
                help="Volr learns classes, and not numbers",
            )
        return y.astype(np.int64)
    if y.dtype.kind not in "biuUS":
        raise DataError(f"{name} is of type {y.dtype}, and labels are whole numbers or words")
    if y.dtype.kind == "S":
        try:
            return np.char.decode(y, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{name} has text that is not UTF-8") from error
    return y.astype(np.int64) if y.dtype.kind == "b" else y
