"""Data sets that are objects of Python: arrays, data sets of PyTorch's, scikit-learn's bunches."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from volr.checks.annotations import shown, type_of
from volr.checks.arrays import array_of
from volr.errors import DataError
from volr.experiments.datasets.arrays import Arrays, Part, checked
from volr.experiments.datasets.files import arrays_of, read_files
from volr.experiments.datasets.split import check_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.models.samples import Data

_HELP = (
    "give a path, (x, y), (x_train, y_train, x_test, y_test), a dictionary with these names, a "
    "scikit-learn Bunch, or one or two torch data sets"
)
_NAMES = ("x_train", "y_train", "x_test", "y_test")


def load_data(source: object, *, seed: int = 0) -> Data:
    """A data set of stimuli in [0, 1] and labels from 0 up.

    ``source`` is the path of a ``.npz`` file, of a folder of IDX files or of images by class; or
    arrays (x, y) or (x_train, y_train, x_test, y_test), by their names if it is a dictionary; or a
    scikit-learn ``Bunch``; or a data set of PyTorch's, whose items are (x, y), or two for training
    and tests. x is ``[batch, …]``, y is ``[batch]`` of whole numbers or words. What is not split
    is split by the ``seed``. How values are scaled is in ``volr.experiments.datasets.arrays``.

    Raises ``DataError`` that names the array and the row.
    """
    check_seed(seed)
    return checked(_arrays(source)).data(seed)


def _arrays(given: Any) -> Arrays:
    source: object = given
    if isinstance(source, str | Path):
        return read_files(Path(source))
    if isinstance(source, Mapping):
        named = cast("Mapping[str, Any]", source)
        if {"data", "target"} <= set(named):
            return _of_parts((named["data"], named["target"]))
        return arrays_of({name: _array(each, name) for name, each in named.items()}, "the data")
    if isinstance(source, tuple | list):
        parts: tuple[Any, ...] = tuple(given)
        if len(parts) == 2 and all(map(_is_dataset, parts)):
            return _of_parts((*_items(parts[0]), *_items(parts[1])))
        if len(parts) in {2, 4}:
            return _of_parts(parts)
    if _is_dataset(given):
        return _of_parts(_items(given))
    raise DataError(f"the data are {shown(given)}, {type_of(given)}", help=_HELP)


def _of_parts(parts: tuple[Any, ...]) -> Arrays:
    names = _NAMES if len(parts) == 4 else ("x", "y")
    found = {name: _array(each, name) for name, each in zip(names, parts, strict=True)}
    made = [Part(found[x], found[y], (x, y)) for x, y in zip(names[::2], names[1::2], strict=True)]
    return Arrays("the data", *made)


def _array(given: Any, name: str) -> NDArray[Any]:
    try:
        found = array_of(given)
    # PyTorch has a NotImplementedError for what is on the device meta.
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(
            f"{name} is {' '.join(shown(given).split())}, {type_of(given)} and no array"
        ) from error
    # Words in a table of pandas' are objects.
    if found.dtype.kind == "O" and all(isinstance(each, str) for each in found.flat):
        return found.astype(str)
    return found


def _is_dataset(given: object) -> bool:
    """Whether it is one of PyTorch's: items by number, and no array."""
    return (
        isinstance(given, Sized)
        and hasattr(given, "__getitem__")
        and not hasattr(given, "__array__")
        and not isinstance(given, list | tuple | Mapping | str | bytes)
    )


def _items(dataset: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    if not len(dataset):
        raise DataError("the data set is empty")
    pairs: list[Any] = [dataset[number] for number in range(len(dataset))]
    if not all(isinstance(each, tuple | list) and len(cast("Any", each)) == 2 for each in pairs):
        raise DataError("an item of the data set is no pair of a stimulus and a label", help=_HELP)
    try:
        x = np.stack([_array(each[0], "x") for each in pairs])
    except ValueError as error:
        raise DataError("the stimuli of the data set differ in shape") from error
    return x, np.asarray([_array(each[1], "y") for each in pairs])
