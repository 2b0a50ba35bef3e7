"""The input of a node, as a linear form of the populations before it.

    form  =  Σ terms + b,   the terms of the populations x that signals come from

The nodes between two populations, however many, in a row or side by side, are one form: they are
multiplied out. What there is for a node with windows is in ``windows``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.terms import Room, Scaled, added_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph, Values
    from volr.backends.nir.terms import Term
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

__all__ = ["Form", "Room", "SizeError", "arriving", "flattened", "scaled", "source", "weighted"]

MOST_NEURONS = 100_000_000
"""A population of more is refused before anything of its size is made."""


class SizeError(Exception):
    """Sizes that do not fit, with a text that says which."""


@dataclass(frozen=True, eq=False)
class Form:
    """Values in a ``shape``: the sum of ``terms``, and a ``bias`` ``[value]`` if there is one."""

    shape: Shape
    terms: tuple[Term, ...] = ()
    bias: Floats | None = None

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    def offset(self) -> Floats:
        """The bias, zeros where there is none."""
        return np.zeros(self.size) if self.bias is None else self.bias

    def is_identity(self) -> bool:
        """Whether it is the values of one source, unchanged."""
        return len(self.terms) == 1 and self.terms[0].kept and not self.has_bias

    @property
    def has_bias(self) -> bool:
        """Whether something is added that is not 0."""
        return self.bias is not None and bool(self.bias.any())


def source(name: str, shape: Shape) -> Form:
    """The form of a population itself. Raises ``SizeError`` for one that is too large."""
    check_size(size := math.prod(shape))
    return Form(shape, (Scaled(name, shape, np.ones(size)),))


def check_size(size: int) -> None:
    """Raise ``SizeError`` for more values than there may be."""
    if size > MOST_NEURONS:
        raise SizeError(f"it has {size:,} neurons, more than {MOST_NEURONS:,}")


def arriving(graph: Graph, name: str, forms: Mapping[str, Form], room: Room) -> Form:
    """The sum of the forms before a node. Raises ``SizeError``, ``ModelError`` without memory."""
    return total([forms[each] for each in graph.before[name]], room)


def total(parts: list[Form], room: Room) -> Form:
    """The sum of forms, of which there is one at least. Raises as ``arriving`` does."""
    sizes = {part.size for part in parts}
    if len(sizes) != 1:
        found = ", ".join(str(each) for each in sorted(sizes)) or "nothing"
        raise SizeError(f"what leads to it has different sizes: {found}")
    if len(parts) == 1:
        return parts[0]
    # A row of as many values is the same map without its axes.
    shape = max((part.shape for part in parts), key=len)
    terms = added_up([each for part in parts for each in part.terms], room)
    biases = [part.bias for part in parts if part.bias is not None]
    return Form(shape, terms, np.sum(biases, axis=0) if biases else None)


def weighted(values: Values, form: Form, room: Room) -> Form:
    """A form after an Affine or Linear. Raises as ``arriving`` does."""
    weight = values["weight"]
    if weight.ndim != 2:
        raise SizeError(f"its weight has {weight.ndim} axes, not 2")
    if weight.shape[1] != form.size:
        raise SizeError(f"its weight takes {weight.shape[1]} values and gets {form.size}")
    terms = added_up([each.weighted(weight, room) for each in form.terms], room)
    bias = None if form.bias is None else weight @ form.bias
    if "bias" in values:
        own = values["bias"].ravel()
        if own.size != weight.shape[0]:
            raise SizeError(f"its bias has {own.size} values for {weight.shape[0]} rows")
        bias = own if bias is None else bias + own
    return Form((weight.shape[0],), terms, bias)


def scaled(values: Values, form: Form, room: Room) -> Form:
    """A form after a Scale. Raises as ``arriving`` does."""
    scale = values["scale"].ravel()
    if scale.size not in {1, form.size}:
        raise SizeError(f"it scales {scale.size} values and gets {form.size}")
    scale = np.broadcast_to(scale, (form.size,))
    terms = tuple(each.times(scale, room) for each in form.terms)
    return Form(form.shape, terms, None if form.bias is None else scale * form.bias)


def flattened(values: Values, form: Form, room: Room) -> Form:
    """A form after a Flatten: the same values in a row."""
    del room
    # An end of a graph within the graph hands on what it gets.
    return Form((form.size,), form.terms, form.bias) if "start_dim" in values else form
