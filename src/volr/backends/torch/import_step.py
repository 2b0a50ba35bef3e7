"""One operation of a program of PyTorch's: its arguments, and the shape of its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from volr.affine.problems import BATCH_AXIS
from volr.affine.values import InexpressibleError, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from volr.affine.building import Builder
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


@dataclass(frozen=True, eq=False)
class Step:
    """One operation: its arguments by name, and the shape of its result, if that has a batch."""

    builder: Builder
    given: Mapping[str, Any]
    shape: Shape | None
    where: str

    def value(self, name: str) -> Value:
        """An argument that depends on the stimulus."""
        found = self.given[name]
        if not isinstance(found, Value):
            raise InexpressibleError(f"its {name} does not depend on the input")
        return found

    @property
    def first(self) -> Value:
        """The first argument that depends on the stimulus."""
        return _values_in(self.given.values())[0]

    def numbers(self, name: str) -> Floats:
        """An argument that is the same for every stimulus."""
        found = self.given[name]
        if isinstance(found, Value):
            raise InexpressibleError(
                f"its {name} depends on the input: it multiplies what neurons send",
                "Volr's neurons add up; a product of two activations has no synapse",
            )
        return _array(found)

    def optional(self, name: str) -> Floats | None:
        """The same, or None."""
        return None if self.given.get(name) is None else self.numbers(name)

    def sizes(self, name: str, axes: int) -> Shape:
        """Whole numbers by axis, of which there may be one for all."""
        each = _whole(self.given[name])
        return tuple(each * axes if len(each) == 1 else each)

    @property
    def wanted(self) -> Shape:
        """The shape of the result. Raises ``InexpressibleError`` where the batch is lost."""
        if self.shape is None:
            raise InexpressibleError(
                "it changes the first axis, which is that of the stimuli",
                BATCH_AXIS,
            )
        return self.shape

    @property
    def name(self) -> str:
        """The name of a population that is made here: the path of the module."""
        return self.where.partition(" ")[0].replace(".", "_")

    def axis(self, name: str) -> int:
        """An axis, counted without the batch."""
        return self._axis(int(self.given[name]))

    def axes(self, name: str) -> list[int]:
        """Several of them."""
        return [self._axis(each) for each in _whole(self.given[name])]

    def _axis(self, axis: int) -> int:
        count = len(self.first.shape) + 1
        axis = axis + count if axis < 0 else axis
        if axis == 0:
            raise InexpressibleError(
                "it works along the first axis, which is that of the stimuli",
                BATCH_AXIS,
            )
        return axis - 1


def _whole(given: Any) -> list[int]:
    """A whole number, or several, as a list."""
    if isinstance(given, (list, tuple)):
        return [int(each) for each in cast("Sequence[Any]", given)]
    return [int(given)]


def _values_in(given: Iterable[Any]) -> list[Value]:
    """The values among arguments, those in lists too."""
    found: list[Value] = []
    for each in given:
        if isinstance(each, (list, tuple)):
            found += _values_in(cast("Sequence[Any]", each))
        elif isinstance(each, Value):
            found.append(each)
    return found


def _array(found: Any) -> Floats:
    if isinstance(found, torch.Tensor):
        if found.is_complex():
            raise InexpressibleError("its numbers are complex", "Volr's weights are real numbers")
        found = found.detach().to("cpu", torch.float64).numpy()
    return np.asarray(found, np.float64)
