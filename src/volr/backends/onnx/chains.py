"""Nodes that make something of each number alone, one after the other: a function of our own.

A staircase is such a chain, and what its inputs make of stimuli is one. Which function a chain is
is found by computing it in NumPy, node by node, in the types of the graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto

from volr.backends.onnx.attributes import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats

_MEANING: Mapping[str, Callable[..., NDArray[Any]]] = {
    "Div": np.divide,
    "Mul": np.multiply,
    "Add": np.add,
    "Floor": np.floor,
    "Clip": np.clip,
}
_TYPES: Mapping[int, type[np.floating]] = {
    TensorProto.FLOAT: np.float32,
    TensorProto.DOUBLE: np.float64,
}
CHAINED = frozenset({*_MEANING, "Cast"})
"""The operators of a chain."""


@dataclass(frozen=True, eq=False)
class Chain:
    """The operators so far with the constants of each, from single precision on.

    A cast has the type that it makes.
    """

    links: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    dtype: type[np.floating] = np.float32

    @property
    def ended(self) -> bool:
        """Whether the last node was one that a chain of ours ends with."""
        if not self.links:
            return False
        operator, constants = self.links[-1]
        return operator == "Clip" or (operator == "Cast" and constants == (np.float32,))

    def then(self, operator: str, constants: tuple[NDArray[Any], ...], to: int) -> Chain:
        """One node more; ``ModelFileError`` for constants of another type or shape."""
        if operator == "Cast":
            if to not in _TYPES or constants:
                refuse(f"a cast makes numbers of the type {to}")
            return Chain((*self.links, (operator, (_TYPES[to],))), _TYPES[to])
        wanted = {"Floor": 0, "Clip": 2}.get(operator, 1)
        fits = all(each.size == 1 and each.dtype == self.dtype for each in constants)
        if len(constants) != wanted or not fits:
            refuse(f"a {operator} does not have {wanted} numbers of the type of its values")
        numbers = tuple(each.reshape(()) for each in constants)
        return Chain((*self.links, (operator, numbers)), self.dtype)

    def __call__(self, values: Floats) -> Floats:
        found: NDArray[Any] = values.astype(np.float32)
        # A file may divide by 0.
        with np.errstate(all="ignore"):
            for operator, given in self.links:
                if operator == "Cast":
                    found = found.astype(given[0])
                else:
                    found = _MEANING[operator](found, *given)
        return found.astype(np.float64)
