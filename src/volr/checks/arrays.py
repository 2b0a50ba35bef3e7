"""The array types of signatures, and arrays made of anything that holds numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]


def same(mine: Any, theirs: Any) -> bool:
    """Whether two values are equal: arrays, and arrays by name, by their numbers.

    ``==`` of two arrays is an array, so the ``==`` that a dataclass gets cannot compare them.
    """
    if np.ndarray in (type(mine), type(theirs)):
        return np.array_equal(mine, theirs)
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        ours, others = cast("Mapping[Any, Any]", mine), cast("Mapping[Any, Any]", theirs)
        return ours.keys() == others.keys() and all(same(ours[key], others[key]) for key in ours)
    return bool(mine == theirs)


def same_fields(mine: Any, theirs: Any) -> bool:
    """The ``==`` of a dataclass that holds arrays. Another type gives ``NotImplemented``."""
    if type(mine) is not type(theirs):
        return NotImplemented
    names = [each.name for each in fields(mine) if each.compare]
    return all(same(getattr(mine, name), getattr(theirs, name)) for name in names)


def array_of(values: Any) -> NDArray[Any]:
    """An array of lists, arrays or tensors, with their type and shape.

    A PyTorch tensor may be on any device and may keep gradients. Raises ``ValueError`` for what is
    no array, with what it is instead.
    """
    if callable(getattr(values, "detach", None)) and callable(getattr(values, "cpu", None)):
        values = values.detach().cpu()
        # NumPy lacks some of PyTorch's types, such as bfloat16.
        if getattr(values, "is_floating_point", bool)():
            values = values.double()
    try:
        return np.asarray(values)
    except Exception as error:  # a class of somebody else's may raise anything
        reason = (str(error).splitlines() or [""])[0]
        raise ValueError(f"a {type(values).__name__} that is no array: {reason}") from error


def real_array(values: Any, *, copy: bool = True) -> Floats:
    """The same as float64, by default a copy. Raises ``ValueError`` for other numbers too."""
    found = array_of(values)
    if found.dtype.kind not in "biuf":
        raise ValueError(f"of the type {found.dtype}, not real numbers")
    return np.array(found, dtype=np.float64) if copy else found.astype(np.float64, copy=False)
