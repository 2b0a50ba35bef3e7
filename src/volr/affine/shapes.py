"""The shapes of the populations in a foreign graph: a map where kernels or pools make or read one.

Everything else is a row. A kernel or pool says the shapes at both of its ends. Values that are only
scaled alike are an identity, whose ends have one shape.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from volr.affine.terms import Scaled, factors_of_channels
from volr.network.connectors import Convolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.affine.forms import Form
    from volr.affine.terms import Term
    from volr.network.connectors import Shape


class ShapeError(Exception):
    """A population that would have two shapes, with a text that says which."""


def shapes_of(
    shapes: Mapping[str, Shape],
    forms: Mapping[str, Form],
    maps: Iterable[tuple[str, Shape]] = (),
) -> dict[str, Shape]:
    """The shape of each population: rows, but for the ends of kernels and pools.

    ``shapes`` are those that the graph shows, ``forms`` what arrives, and ``maps`` shapes that some
    populations have for other reasons. Raises ``ShapeError`` where several do not agree.
    """
    group = {name: name for name in shapes}
    said: dict[str, tuple[Shape, str]] = {}

    def first(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    def say(name: str, shape: Shape) -> None:
        before, where = said.setdefault(first(name), (shape, name))
        if before != shape:
            both = f"a map of {list(before)} and of {list(shape)}"
            raise ShapeError(f"node {name!r}: it has to be {both}, because of {where!r}")

    for name, form in forms.items():
        for term in form.terms:
            if is_identity(term) and not term.pools:
                group[first(name)] = first(term.source)
    for name, shape in maps:
        say(name, shape)
    for name, form in forms.items():
        for term in form.terms:
            if term.pools or is_kernel(term):
                say(term.source, term.of)
            if is_kernel(term) or (term.pools and is_identity(term)):
                say(name, term.given)
    rows = {name: (math.prod(shape),) for name, shape in shapes.items()}
    return {name: said[first(name)][0] if first(name) in said else rows[name] for name in shapes}


def is_identity(term: Term) -> bool:
    """Whether each value of one population goes to one of another, all with one weight."""
    return isinstance(term, Scaled) and bool((term.scale == term.scale[0]).all())


def is_kernel(term: Term) -> bool:
    """Whether a term is a kernel; scales by channel are one of a single place."""
    if not isinstance(term, Scaled):
        return isinstance(term.connector, Convolution)
    is_map = len(term.given) in {2, 3} and not is_identity(term)
    return is_map and factors_of_channels(term.scale, term.given) is not None
