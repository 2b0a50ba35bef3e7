"""Values as a linear form of the populations that they come from.

    form  =  Σ terms + b,   the terms of the populations x that signals come from

The operations between two populations, however many, in a row or side by side, are one form: they
are multiplied out. Those with windows are in ``windows``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.affine.terms import Room, Scaled, added_up

if TYPE_CHECKING:
    from volr.affine.terms import Term
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

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


def total(parts: list[Form], room: Room) -> Form:
    """The sum of forms, of which there is one at least.

    Raises ``SizeError`` where they do not fit, ``ModelError`` without memory.
    """
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


def weighted(form: Form, weight: Floats, bias: Floats | None, room: Room) -> Form:
    """A form after a matrix ``[post, value]`` and a bias ``[post]``. Raises as ``total`` does."""
    if weight.ndim != 2:
        raise SizeError(f"its weight has {weight.ndim} axes, not 2")
    if weight.shape[1] != form.size:
        raise SizeError(f"its weight takes {weight.shape[1]} values and gets {form.size}")
    if bias is not None and bias.size != weight.shape[0]:
        raise SizeError(f"its bias has {bias.size} values for {weight.shape[0]} rows")
    terms = added_up([each.weighted(weight, room) for each in form.terms], room)
    before = None if form.bias is None else weight @ form.bias
    return Form((weight.shape[0],), terms, sum_of(before, bias))


def scaled(form: Form, scale: Floats, room: Room) -> Form:
    """A form each of whose values is multiplied by a number ``[value]``."""
    terms = tuple(each.times(scale, room) for each in form.terms)
    return Form(form.shape, terms, None if form.bias is None else scale * form.bias)


def delayed(form: Form, delays: Floats, room: Room) -> Form:
    """A form each of whose values comes later by a delay ``[value]``; a bias is always there.

    Values of one delay are terms of their own.
    """
    terms: list[Term] = []
    for delay in np.unique(delays).tolist():
        those = delays == delay
        for term in form.terms:
            part = term
            if not those.all():
                room.take(len(those))
                part = term.times(those.astype(np.float64), room)
            terms.append(replace(part, delay=term.delay + delay))
    return Form(form.shape, added_up(terms, room), form.bias)


def shifted(form: Form, offset: Floats) -> Form:
    """A form to each of whose values a number ``[value]`` is added."""
    return Form(form.shape, form.terms, sum_of(form.bias, offset))


def sum_of(a: Floats | None, b: Floats | None) -> Floats | None:
    """The sum of two biases, of which each may be missing."""
    if a is None or b is None:
        return b if a is None else a
    return a + b
