"""Terms: a program without names, every node with its type.

    Dense        one layer
    Sequence     first, then second
    Parallel     left beside right, on the same input

A `let` is substituted without a copy: two uses of a name are one object in two places, and still
mean two populations. So a term is a graph in memory and a tree in meaning, and the tree may be far
larger than memory. ``Bulk`` counts its parts without a walk, and terms compare by identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from volr.language.types import Net

if TYPE_CHECKING:
    from volr.source import Span

MANY = 1 << 200
"""Counts stop here, so that a tree of 2^10,000 parts is counted as fast as one of ten."""

BYTES_PER_WEIGHT = 8
"""Weights are counted as float64."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """The size of what a term builds: populations, weights and projections.

    ``heads`` is the number of populations that the boundary before the term projects to, ``tails``
    the number of those in the boundary after it. ``inner`` counts the projections within; those
    from the boundary before it are ``heads`` for each of that boundary's populations.
    """

    populations: int
    weights: int
    inner: int
    heads: int
    tails: int

    @property
    def projections(self) -> int:
        """Of the term as a whole program, after one input population."""
        return self.inner + self.heads

    @property
    def weight_bytes(self) -> int:
        return self.weights * BYTES_PER_WEIGHT


def _capped(populations: int, weights: int, inner: int, heads: int, tails: int) -> Bulk:
    return Bulk(
        min(populations, MANY),
        min(weights, MANY),
        min(inner, MANY),
        min(heads, MANY),
        min(tails, MANY),
    )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dense:
    """One fully connected layer from ``type.inputs`` to ``type.outputs`` neurons."""

    type: Net
    span: Span
    bulk: Bulk = field(init=False)

    def __post_init__(self) -> None:
        bulk = _capped(1, self.type.inputs * self.type.outputs, 0, 1, 1)
        object.__setattr__(self, "bulk", bulk)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sequence:
    """``first``, then ``second`` on its result."""

    first: Term
    second: Term
    span: Span
    type: Net = field(init=False)
    bulk: Bulk = field(init=False)

    def __post_init__(self) -> None:
        a, b = self.first.bulk, self.second.bulk
        bulk = _capped(
            a.populations + b.populations,
            a.weights + b.weights,
            a.inner + b.inner + a.tails * b.heads,
            a.heads,
            b.tails,
        )
        object.__setattr__(self, "bulk", bulk)
        object.__setattr__(self, "type", Net(self.first.type.inputs, self.second.type.outputs))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parallel:
    """``left`` and ``right`` on the same input, their results side by side."""

    left: Term
    right: Term
    span: Span
    type: Net = field(init=False)
    bulk: Bulk = field(init=False)

    def __post_init__(self) -> None:
        a, b = self.left.bulk, self.right.bulk
        bulk = _capped(
            a.populations + b.populations,
            a.weights + b.weights,
            a.inner + b.inner,
            a.heads + b.heads,
            a.tails + b.tails,
        )
        outputs = min(self.left.type.outputs + self.right.type.outputs, MANY)
        object.__setattr__(self, "bulk", bulk)
        object.__setattr__(self, "type", Net(self.left.type.inputs, outputs))


Term: TypeAlias = Dense | Sequence | Parallel


def children(term: Term) -> tuple[Term, ...]:
    """The terms directly below, in order of evaluation."""
    match term:
        case Dense():
            return ()
        case Sequence():
            return (term.first, term.second)
        case Parallel():
            return (term.left, term.right)
