"""The input of a node, as a linear form of the populations before it.

    form  =  Σ M x + b,   one M for each population x that a signal comes from

Affine, Linear, Scale and Flatten nodes between two populations, however many, in a row or side by
side, are one matrix and one bias: they are multiplied out. Matrices that only scale stay vectors
until something else has to be added to them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph, Values
    from volr.checks.arrays import Floats

MOST_NEURONS = 100_000_000
"""A population of more is refused before anything of its size is made."""


class SizeError(Exception):
    """Sizes that do not fit, with a text that says which."""


@dataclass(frozen=True, eq=False)
class Form:
    """``size`` values. Matrices ``[size, source]``, or ``[size]`` for the diagonal of one that
    only scales, by source; ``bias`` ``[size]``."""

    size: int
    matrices: Mapping[str, Floats] = field(default_factory=dict["str", "Floats"])
    bias: Floats | None = None

    def offset(self) -> Floats:
        """The bias, zeros where there is none."""
        return np.zeros(self.size) if self.bias is None else self.bias

    def is_identity(self) -> bool:
        """Whether it is the values of one source, unchanged."""
        return (
            len(self.matrices) == 1
            and (self.bias is None or not self.bias.any())
            and all(each.ndim == 1 and bool((each == 1.0).all()) for each in self.matrices.values())
        )


@dataclass
class Room:
    """The memory, bytes, that the forms of a graph have taken: a small file may need a lot."""

    taken: int = 0

    def take(self, *shape: int) -> None:
        """Raise ``ModelError`` unless there is room for one more matrix."""
        self.taken += 8 * math.prod(shape)
        check_room({"its matrices": self.taken}, "to multiply out the graph")


def source(name: str, size: int) -> Form:
    """The form of a population itself. Raises ``SizeError`` for one that is too large."""
    if size > MOST_NEURONS:
        raise SizeError(f"it has {size:,} neurons, more than {MOST_NEURONS:,}")
    return Form(size, {name: np.ones(size)})


def arriving(graph: Graph, name: str, forms: Mapping[str, Form], room: Room) -> Form:
    """The sum of the forms before a node. Raises ``SizeError``, ``ModelError`` without memory."""
    parts = [forms[each] for each in graph.before[name]]
    sizes = {part.size for part in parts}
    if len(sizes) != 1:
        found = ", ".join(str(each) for each in sorted(sizes)) or "nothing"
        raise SizeError(f"what leads to it has different sizes: {found}")
    if len(parts) == 1:
        return parts[0]
    matrices: dict[str, Floats] = {}
    for part in parts:
        for key, matrix in part.matrices.items():
            matrices[key] = matrix if key not in matrices else _sum(matrices[key], matrix, room)
    biases = [part.bias for part in parts if part.bias is not None]
    return Form(sizes.pop(), matrices, np.sum(biases, axis=0) if biases else None)


def weighted(values: Values, form: Form, room: Room) -> Form:
    """A form after an Affine or Linear. Raises as ``arriving`` does."""
    weight = values["weight"]
    if weight.ndim != 2:
        raise SizeError(f"its weight has {weight.ndim} axes, not 2")
    if weight.shape[1] != form.size:
        raise SizeError(f"its weight takes {weight.shape[1]} values and gets {form.size}")
    matrices = {key: _product(weight, each, room) for key, each in form.matrices.items()}
    bias = None if form.bias is None else weight @ form.bias
    if "bias" in values:
        own = values["bias"].ravel()
        if own.size != weight.shape[0]:
            raise SizeError(f"its bias has {own.size} values for {weight.shape[0]} rows")
        bias = own if bias is None else bias + own
    return Form(weight.shape[0], matrices, bias)


def scaled(values: Values, form: Form, room: Room) -> Form:
    """A form after a Scale. Raises as ``arriving`` does."""
    del room
    scale = values["scale"].ravel()
    if scale.size not in {1, form.size}:
        raise SizeError(f"it scales {scale.size} values and gets {form.size}")
    scale = np.broadcast_to(scale, (form.size,))
    matrices = {
        key: each * (scale if each.ndim == 1 else scale[:, None])
        for key, each in form.matrices.items()
    }
    return Form(form.size, matrices, None if form.bias is None else scale * form.bias)


def unchanged(values: Values, form: Form, room: Room) -> Form:
    """A form after a Flatten: the rows of a matrix are flat already."""
    del values, room
    return form


def full(matrix: Floats, room: Room) -> Floats:
    """The matrix, or the matrix with this diagonal."""
    if matrix.ndim == 2:
        return matrix
    room.take(len(matrix), len(matrix))
    return np.diag(matrix)


def _product(weight: Floats, matrix: Floats, room: Room) -> Floats:
    if matrix.ndim == 1:
        if bool((matrix == 1.0).all()):
            return weight
        room.take(*weight.shape)
        return weight * matrix
    room.take(weight.shape[0], matrix.shape[1])
    return weight @ matrix


def _sum(a: Floats, b: Floats, room: Room) -> Floats:
    if a.ndim == 1 and b.ndim == 1:
        return a + b
    room.take(*(a if a.ndim == 2 else b).shape)
    return full(a, room) + full(b, room)
