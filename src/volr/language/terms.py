"""Terms: a program without names, every node with its type.

    Layer        one layer of the table (``layers``)
    Sequence     first, then second
    Parallel     left beside right, on the same input
    Sum          what drives left and what drives right, added up in one population
    Loop         first, whose last population also gets what it gave a step before, through back
    Repeat       count times body, one after the other

A `let` is substituted without a copy: two uses of a name are one object in two places, and still
mean two populations. So a term is a graph in memory and a tree in meaning, and the tree may be far
larger than memory. ``Bulk`` counts its parts without a walk, and terms compare by identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from volr.language.layers import Projecting, Waiting
from volr.language.types import Net

if TYPE_CHECKING:
    from volr.language.layers import Meaning
    from volr.source import Span

MANY = 1 << 200
"""Counts stop here, so that a tree of 2^10,000 parts is counted as fast as one of ten."""

BYTES_PER_WEIGHT = 8
"""Weights are counted as float64."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number that depends on how many populations stand before: ``fixed + each · before``."""

    fixed: int
    each: int

    def at(self, before: int) -> int:
        return min(self.fixed + self.each * before, MANY)

    def __add__(self, other: Count) -> Count:
        if not (other.fixed or other.each):
            return self
        return Count(min(self.fixed + other.fixed, MANY), min(self.each + other.each, MANY))

    def times(self, count: int) -> Count:
        return Count(min(self.fixed * count, MANY), min(self.each * count, MANY))

    def after(self, before: Count) -> Count:
        """The number for what stands after something with so many populations."""
        if not self.each:
            return self
        return Count(self.at(before.fixed), min(self.each * before.each, MANY))


_NONE, _ONE, _AS_BEFORE = Count(0, 0), Count(1, 0), Count(0, 1)


@dataclass(frozen=True, slots=True)
class Bulk:
    """The size of what a term builds.

    ``tails`` is the number of populations in the boundary after it. ``merges`` says whether it ends
    in one population of its own, which a sum shares with its other side. ``single`` is a part that
    can read one population only, and reads what stands before the term; None if there is none.
    """

    all_populations: Count
    all_projections: Count
    weights: int
    tails: Count
    merges: bool = field(kw_only=True)
    single: Term | None = None

    @property
    def populations(self) -> int:
        """Of the term as a whole program, without the input."""
        return self.all_populations.at(1)

    @property
    def projections(self) -> int:
        """Of the term as a whole program."""
        return self.all_projections.at(1)

    @property
    def weight_bytes(self) -> int:
        return self.weights * BYTES_PER_WEIGHT

    def then(self, second: Bulk) -> Bulk:
        """One after the other. The first part that needs a single population stays known."""
        passed = second.single if self.tails.each else None
        return Bulk(
            self.all_populations + second.all_populations.after(self.tails),
            self.all_projections + second.all_projections.after(self.tails),
            min(self.weights + second.weights, MANY),
            second.tails.after(self.tails),
            self.single or passed,
            merges=second.merges,
        )

    def driving(self) -> Bulk:
        """As a side of a sum: the population that it ends in is not its own."""
        populations = self.all_populations
        if self.merges:
            populations = Count(populations.fixed - 1, populations.each)
        reading = _NONE if self.merges else self.tails
        return Bulk(populations, self.all_projections + reading, self.weights, _ONE, merges=True)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Layer:
    """One layer, with the ``name`` that the language has for it."""

    name: str
    type: Net
    becomes: Meaning
    weights: int
    span: Span
    bulk: Bulk = field(init=False)

    def __post_init__(self) -> None:
        match self.becomes:
            case Waiting():
                bulk = Bulk(_NONE, _NONE, 0, _AS_BEFORE, merges=False)
            case Projecting(merge="max"):
                bulk = Bulk(_AS_BEFORE, _AS_BEFORE, 0, _AS_BEFORE, merges=False)
            case Projecting(connector):
                single = self if getattr(connector, "groups", 1) > 1 else None
                bulk = Bulk(_ONE, _AS_BEFORE, min(self.weights, MANY), _ONE, single, merges=True)
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
        object.__setattr__(self, "bulk", self.first.bulk.then(self.second.bulk))
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
        bulk = Bulk(
            a.all_populations + b.all_populations,
            a.all_projections + b.all_projections,
            min(a.weights + b.weights, MANY),
            a.tails + b.tails,
            a.single or b.single,
            merges=False,
        )
        one, two = self.left.type.outputs, self.right.type.outputs
        outputs = (min(one[0] + two[0], MANY), *one[1:])
        object.__setattr__(self, "bulk", bulk)
        object.__setattr__(self, "type", Net(self.left.type.inputs, outputs))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sum:
    """``left`` and ``right`` on the same input, added up before the activation."""

    left: Term
    right: Term
    span: Span
    type: Net = field(init=False)
    bulk: Bulk = field(init=False)

    def __post_init__(self) -> None:
        a, b = self.left.bulk.driving(), self.right.bulk.driving()
        passed = next((s for s in (self.left, self.right) if s.bulk.tails.each), None)
        bulk = Bulk(
            a.all_populations + b.all_populations + _ONE,
            a.all_projections + b.all_projections,
            min(a.weights + b.weights, MANY),
            _ONE,
            self.left.bulk.single or self.right.bulk.single or passed,
            merges=True,
        )
        object.__setattr__(self, "bulk", bulk)
        object.__setattr__(self, "type", self.left.type)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Loop:
    """``first``, with a loop through ``back`` at the population that it ends in."""

    first: Term
    back: Term
    span: Span
    type: Net = field(init=False)
    bulk: Bulk = field(init=False)

    def __post_init__(self) -> None:
        a, b = self.first.bulk.driving(), self.back.bulk.driving()
        passed = self.first if self.first.bulk.tails.each else None
        bulk = Bulk(
            a.all_populations + _ONE + b.all_populations.after(_ONE),
            a.all_projections + b.all_projections.after(_ONE),
            min(a.weights + b.weights, MANY),
            _ONE,
            self.first.bulk.single or passed,
            merges=True,
        )
        object.__setattr__(self, "bulk", bulk)
        object.__setattr__(self, "type", self.first.type)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Repeat:
    """``body``, ``count`` times in sequence."""

    count: int
    body: Term
    span: Span
    type: Net = field(init=False)
    bulk: Bulk = field(init=False)

    def __post_init__(self) -> None:
        once = self.body.bulk
        if self.count > 1:
            # What it gives has the shape of what it takes, so it is all new or all passed on.
            more = once.all_populations.after(once.tails), once.all_projections.after(once.tails)
            bulk = Bulk(
                once.all_populations + more[0].times(self.count - 1),
                once.all_projections + more[1].times(self.count - 1),
                min(once.weights * self.count, MANY),
                once.tails,
                once.single,
                merges=once.merges,
            )
        else:
            bulk = once
        object.__setattr__(self, "bulk", bulk)
        object.__setattr__(self, "type", self.body.type)


Term: TypeAlias = Layer | Sequence | Parallel | Sum | Loop | Repeat


def children(term: Term) -> tuple[Term, ...]:
    """The terms directly below, in order of evaluation."""
    match term:
        case Layer():
            return ()
        case Sequence():
            return (term.first, term.second)
        case Parallel() | Sum():
            return (term.left, term.right)
        case Loop():
            return (term.first, term.back)
        case Repeat():
            return (term.body,)
