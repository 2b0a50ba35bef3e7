"""From a term to a ``Network``: nesting disappears, populations and projections remain.

A boundary is a list of populations, each with the pools that its activity goes through. A term
reads one boundary and makes the next. ``⦶`` puts one between, and ``⊖`` gives both sides the same
one and puts theirs side by side. So neither adds a node or a weight, and nor do ``avgpool`` and
``id``: what they read waits in the boundary.

A layer first adds up what drives it. So a term can also be asked for its *drives*, and a sum is one
population with the drives of both of its sides.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from volr.language.collection import collector_paused
from volr.language.layers import Projecting, Waiting
from volr.language.rules import Rule, run
from volr.language.terms import Layer, Loop, Parallel, Repeat, Sequence, Sum, Term
from volr.network.connectors import AveragePool, Connector, OneToOne, Pooled, Windows, shape_through
from volr.network.graph import Network, Population, Projection

if TYPE_CHECKING:
    from collections.abc import Sequence as Row

    from volr.language.types import Shape
    from volr.source import Source, Span

INPUT = "input"


def lower(term: Term, *, source: Source | None = None) -> Network:
    """The network that a term stands for.

    The input population is called ``input``, those of the layers ``dense_1``, ``conv_2``, … in the
    order of the text. Each has the span of its layer, and the network has the ``source`` of the
    spans. The projections into a population are in the order of the boundary before it, so the
    weights of a ``dense``, side by side, are the layer's matrix. Time and memory are proportional
    to the result; ``check`` refuses programs that are too large.
    """
    with collector_paused():
        lowering = _Lowering()
        lowering.populations.append(Population(INPUT, term.type.inputs, term.span))
        outputs = run(lowering.outputs(term))
        return Network(
            tuple(lowering.populations),
            tuple(lowering.projections),
            (INPUT,),
            tuple(outputs),
            source=source,
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """A population of a boundary, and what waits there: pools, and the last layer that waits."""

    population: str
    shape: Shape
    pools: tuple[AveragePool, ...] = ()
    waiting: Layer | None = None

    def through(self, pool: AveragePool | None, layer: Layer) -> _Item:
        """The same with a pool after it, or an `id`, which changes nothing where pools wait."""
        if pool is None:
            return self if self.pools else replace(self, waiting=layer)
        return replace(self, pools=(*self.pools, pool), waiting=layer)

    @property
    def reduced(self) -> Shape:
        return shape_through(self.pools, self.shape)


_Boundary: TypeAlias = "Row[_Item]"


@dataclass(frozen=True, slots=True)
class _Drive:
    """What drives a population: projections from ``items``, by the ``connector`` of a layer."""

    items: _Boundary
    connector: Connector
    layer: str
    span: Span | None


@dataclass(slots=True)
class _Drives:
    """All drives of a population of the shape ``shape``, and the loops to be closed at it."""

    shape: Shape
    all: deque[_Drive] = field(default_factory=deque[_Drive])
    loops: deque[Term] = field(default_factory=deque[Term])

    def then(self, others: _Drives) -> _Drives:
        """These and then the ``others``, in one of the two. Only the shorter one is copied, so that
        it does not matter on which side a deep sum grows."""
        if len(self.all) + len(self.loops) < len(others.all) + len(others.loops):
            others.all.extendleft(reversed(self.all))
            others.loops.extendleft(reversed(self.loops))
            return others
        self.all += others.all
        self.loops += others.loops
        return self


class _Lowering:
    def __init__(self) -> None:
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def outputs(self, term: Term) -> Rule[list[str]]:
        """The whole program. What waits at its end gets a population, so that it can be read."""
        found: dict[str, None] = {INPUT: None}
        ends: list[_Item] = []
        yield self._result(term, [_Item(INPUT, term.type.inputs)], ends)
        for item in ends:
            if item.pools or item.population in found:
                item = self._read(item)
            found[item.population] = None
        return [*found][1:]

    def _result(self, term: Term, before: _Boundary, after: list[_Item]) -> Rule[None]:
        """Add what a term gives to the boundary ``after`` it."""
        match term:
            case Sequence():
                between: list[_Item] = []
                yield self._result(term.first, before, between)
                yield self._result(term.second, between, after)
            case Parallel():
                yield self._result(term.left, before, after)
                yield self._result(term.right, before, after)
            case Repeat():
                for _ in range(term.count - 1):
                    between = []
                    yield self._result(term.body, before, between)
                    before = between
                yield self._result(term.body, before, after)
            case Layer():
                self._layer(term, before, after)
            case Sum() | Loop():
                drives = yield self._drives(term, before)
                after.append((yield self._population(term, drives)))

    def _layer(self, term: Layer, before: _Boundary, after: list[_Item]) -> None:
        match term.becomes:
            case Waiting(pool):
                after += [each.through(pool, term) for each in before]
            case Projecting(Windows() as connector, "max"):
                after += [self._largest(term, connector, each) for each in before]
            case Projecting(connector):
                made = self._add(term.name, term.type.outputs, term.span)
                self._project(before, connector, term.span, made.population)
                after.append(made)

    def _drives(self, term: Term, before: _Boundary) -> Rule[_Drives]:
        """What drives the population that a term ends in."""
        match term:
            case Layer(becomes=Projecting(connector, "sum")):
                drive = _Drive(before, connector, term.name, term.span)
                return _Drives(term.type.outputs, deque([drive]))
            case Layer():
                items: list[_Item] = []
                yield self._result(term, before, items)
                pools = (each.waiting.name for each in items if each.pools and each.waiting)
                drive = _Drive(items, OneToOne(), next(pools, "id"), term.span)
                return _Drives(term.type.outputs, deque([drive]))
            case Sequence():
                between: list[_Item] = []
                yield self._result(term.first, before, between)
                return (yield self._drives(term.second, between))
            case Repeat():
                for _ in range(term.count - 1):
                    between = []
                    yield self._result(term.body, before, between)
                    before = between
                return (yield self._drives(term.body, before))
            case Sum():
                left = yield self._drives(term.left, before)
                right = yield self._drives(term.right, before)
                return left.then(right)
            case Loop():
                drives = yield self._drives(term.first, before)
                drives.loops.append(term.back)
                return drives
            case Parallel():
                raise TypeError("the sides of a sum end in one population each")

    def _population(self, term: Term, drives: _Drives) -> Rule[_Item]:
        """One population with all its drives, and then the loops from it back to it."""
        trained = (each.layer for each in drives.all if each.connector.trained)
        name = next(trained, drives.all[0].layer)
        made = self._add(name, drives.shape, term.span)
        for each in drives.all:
            self._project(each.items, each.connector, each.span, made.population)
        loops = drives.loops
        while loops:
            closing = yield self._drives(loops.popleft(), [made])
            for each in closing.all:
                self._project(each.items, each.connector, each.span, made.population, back=True)
            loops.extendleft(reversed(closing.loops))
        return made

    def _largest(self, term: Layer, connector: Windows, item: _Item) -> _Item:
        """The population of the largest of each window, for one that stands before."""
        if item.pools:
            item = self._read(item)
        made = self._add(term.name, connector.reduced(item.shape), term.span, "max")
        self._project([item], connector, term.span, made.population)
        return made

    def _read(self, item: _Item) -> _Item:
        """A population that only takes what waits before it."""
        layer = item.waiting
        name, span = ("id", None) if layer is None else (layer.name, layer.span)
        made = self._add(name, item.reduced, span)
        self._project([item], OneToOne(), span, made.population)
        return made

    def _add(
        self,
        layer: str,
        shape: Shape,
        span: Span | None,
        merge: Literal["sum", "max"] = "sum",
    ) -> _Item:
        name = f"{layer}_{len(self.populations)}"
        self.populations.append(Population(name, shape, span, merge))
        return _Item(name, shape)

    def _project(
        self,
        items: _Boundary,
        connector: Connector,
        span: Span | None,
        target: str,
        *,
        back: bool = False,
    ) -> None:
        for item in items:
            ends = (item.population, target)
            number = self._numbers[ends] = self._numbers.get(ends, 0) + 1
            reads = Pooled(item.pools, connector) if item.pools else connector
            self.projections.append(Projection(*ends, reads, span, back, number))
