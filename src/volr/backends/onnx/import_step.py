"""One node of a foreign ONNX graph: what it gets, and its attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from volr.affine.ends import axis_of_values
from volr.affine.values import InexpressibleError, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from volr.affine.building import Builder
    from volr.affine.terms import Room
    from volr.affine.values import Pads
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

    Given: TypeAlias = Value | NDArray[Any] | None


@dataclass(frozen=True, eq=False)
class Step:
    """One node. ``given`` are its inputs, None for those that it leaves out.

    ``batch`` is the size of the first axis, which shapes of values do not have.
    """

    builder: Builder
    name: str
    given: Sequence[Given]
    attributes: Mapping[str, Any]
    batch: int

    @property
    def room(self) -> Room:
        """The memory that is left."""
        return self.builder.room

    def at(self, place: int) -> Given:
        """An input; None where the node has none at this place."""
        return self.given[place] if place < len(self.given) else None

    def value(self, place: int = 0) -> Value:
        """An input that depends on the stimulus."""
        found = self.at(place)
        if not isinstance(found, Value):
            raise InexpressibleError(f"its input {place + 1} does not depend on the stimulus")
        return found

    def operand(self, place: int) -> Value | Floats:
        """An input, which may depend on the stimulus."""
        return found if isinstance(found := self.at(place), Value) else self.numbers(place)

    def numbers(self, place: int) -> Floats:
        """An input that is the same for every stimulus."""
        found = self.at(place)
        if isinstance(found, Value):
            raise InexpressibleError(
                f"its input {place + 1} depends on the stimulus: it multiplies what neurons send",
                "Volr's neurons add up; a product of two activations has no synapse",
            )
        if found is None:
            raise InexpressibleError(f"it lacks its input {place + 1}")
        return found.astype(np.float64)

    def optional(self, place: int) -> Floats | None:
        """The same, or None."""
        return None if self.at(place) is None else self.numbers(place)

    def whole(self, name: str, axes: int, default: int) -> Shape:
        """Whole numbers by axis, of an attribute."""
        found = self.attributes.get(name)
        sizes = (default,) * axes if found is None else tuple(int(each) for each in found)
        if len(sizes) != axes:
            raise InexpressibleError(f"its {name} are {list(sizes)}, for {axes} axes")
        return sizes

    def pads(self, places: Shape, window: Shape, stride: Shape, dilation: Shape) -> Pads:
        """What is put around values in ``places``, before and after, by axis."""
        axes = len(window)
        kind = self.attributes.get("auto_pad", b"NOTSET")
        if kind in {b"NOTSET", b""}:
            each = self.whole("pads", 2 * axes, 0)
            return tuple(zip(each[:axes], each[axes:], strict=True))
        if kind == b"VALID":
            return ((0, 0),) * axes
        if kind not in {b"SAME_UPPER", b"SAME_LOWER"}:
            raise InexpressibleError(f"its padding (auto_pad) is {kind!r}")
        pads: list[tuple[int, int]] = []
        for n, w, s, d in zip(places, window, stride, dilation, strict=True):
            total = max((-(-n // s) - 1) * s + d * (w - 1) + 1 - n, 0)
            less, more = total // 2, total - total // 2
            pads.append((less, more) if kind == b"SAME_UPPER" else (more, less))
        return tuple(pads)

    def axis(self, number: int, count: int | None = None) -> int:
        """An axis of the first value, counted without the batch.

        ``count`` is how many axes there are with it, if not as many as the value has.
        """
        count = len(self.value().shape) + 1 if count is None else count
        return axis_of_values(number, count)

    def axes(self, place: int = 1) -> list[int] | None:
        """Axes, of an attribute or an input, as the node has them; None where it has neither."""
        given = self.attributes.get("axes")
        if given is None:
            found = self.optional(place)
            given = None if found is None else found.ravel()
        return None if given is None else [int(each) for each in given]
