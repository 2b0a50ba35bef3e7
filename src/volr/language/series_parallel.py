"""A graph of points and arrows, merged to a single arrow whose expression is a program.

    ⦶  puts a point between two arrows
    ⊖  puts arrows side by side between the same two points
    ⊕  is the same where they end at the *sum* of a population
    ↺  is an arrow from a point back to the population that ends there

A graph is a program's if undoing these leaves one arrow. The time is proportional to the graph,
except for sorting.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from volr.language.syntax import Expression, Loop, Parallel, Sequence, Sum

INPUT, OUTPUTS = 0, 1
"""The points where everything begins and ends."""


@dataclass(slots=True)
class Arrow:
    """Layers in a row from one point to another.

    One without ``parts`` passes its start on, and is written as ``through`` where it has to be.
    ``order`` are the populations that it makes. ``rank`` says where it stands among others side by
    side, and ``place`` among those that drive one population. It may stand for several ``drives``.
    """

    start: int
    end: int
    parts: list[Expression]
    through: Expression
    rank: int
    place: int = 0
    drives: int = 1
    order: list[str] = field(default_factory=list[str])

    @property
    def expression(self) -> Expression:
        whole, *rest = self.parts or [self.through]
        for each in rest:
            whole = Sequence(whole, each)
        return whole


@dataclass(frozen=True)
class Junction:
    """Where all ``count`` arrows that drive a population meet, which then leads to ``end``.

    ``after`` are parts that follow, such as a pool. A junction of a loop has no ``end`` of its own.
    """

    population: str
    count: int
    end: int
    rank: int
    after: tuple[Expression, ...] = ()
    closes: bool = False


class Graph:
    """Arrows between points, of which some are junctions."""

    def __init__(self) -> None:
        self._arrows: dict[tuple[int, int], list[Arrow]] = {}
        self._into: dict[int, set[int]] = {}
        self._out: dict[int, set[int]] = {}
        self._junctions: dict[int, Junction] = {}
        self._awaited: Counter[int] = Counter()
        self._loops: dict[int, tuple[Expression, list[str]]] = {}

    def join(self, point: int, junction: Junction) -> None:
        self._junctions[point] = junction
        self._awaited[junction.end] += not junction.closes

    def add(self, arrow: Arrow) -> None:
        key = (arrow.start, arrow.end)
        self._arrows.setdefault(key, []).append(arrow)
        self._into.setdefault(arrow.end, set()).add(arrow.start)
        self._out.setdefault(arrow.start, set()).add(arrow.end)

    def _take(self, start: int, end: int) -> list[Arrow]:
        self._into[end].discard(start)
        self._out[start].discard(end)
        return self._arrows.pop((start, end))

    def merged(self) -> Arrow | None:
        """The single arrow that all can be merged to; None if they cannot."""
        # Points in the order of the network, so that a long chain grows at its end.
        todo = deque(dict.fromkeys(each for ends in self._arrows for each in ends))
        while todo:
            point = todo.popleft()
            into, out = self._into.get(point, set()), self._out.get(point, set())
            if point in self._junctions:
                if len(into) == 1:
                    todo += self._summed(next(iter(into)), point)
            elif point not in (INPUT, OUTPUTS) and len(into) == len(out) == 1:
                (a,), (b,) = into, out
                if a == point or self._closes(b, point) or self._awaited[point]:
                    continue
                first, second = self._one(a, point), self._one(point, b)
                first.end = b
                first.parts += second.parts
                first.order += second.order
                first.rank = min(first.rank, second.rank)
                first.place, first.drives = second.place, second.drives
                self.add(first)
                todo += [a, b]
        if set(self._arrows) != {(INPUT, OUTPUTS)} or self._loops:
            return None
        return self._one(INPUT, OUTPUTS)

    def _closes(self, point: int, end: int) -> bool:
        """Whether a point is where a loop closes of the population that ends at another."""
        found = self._junctions.get(point)
        return found is not None and found.closes and found.end == end

    def _one(self, start: int, end: int) -> Arrow:
        """All arrows between two points as one, which is taken out."""
        arrows = self._take(start, end)
        return _added_up(arrows) if end in self._junctions else _beside(arrows)

    def _summed(self, start: int, point: int) -> list[int]:
        """Merge what meets at a junction, if all of it is there. The points to look at again."""
        junction = self._junctions[point]
        drives = sum(each.drives for each in self._arrows[start, point])
        if drives < junction.count or (junction.closes and start != junction.end):
            return []
        made = self._one(start, point)
        if junction.closes:
            self._loops[junction.end] = (made.expression, made.order)
            return [start, *self._looped(junction.end)]
        self._awaited[junction.end] -= 1
        made.end, made.drives = junction.end, 1
        made.rank = min(junction.rank, made.rank)
        made.order.append(junction.population)
        self.add(made)
        waiting = self._looped(junction.end)
        made.parts += junction.after
        return [start, junction.end, *waiting]

    def _looped(self, point: int) -> list[int]:
        """Close the loop of the population that ends at a point, once both are there."""
        into = self._into.get(point, set())
        if point not in self._loops or len(into) != 1:
            return []
        (start,) = into
        (arrow,) = self._arrows[start, point]
        body, order = self._loops.pop(point)
        arrow.parts[-1] = Loop(arrow.parts[-1], body)
        arrow.order += order
        return [start, point]


def _beside(arrows: list[Arrow]) -> Arrow:
    """Arrows between the same points as one, in the order of their ranks."""
    if len(arrows) == 1:
        return arrows[0]
    first, *rest = sorted(arrows, key=lambda each: each.rank)
    whole, order = first.expression, list(first.order)
    for each in rest:
        whole = Parallel(whole, each.expression)
        order += each.order
    return Arrow(first.start, first.end, [whole], whole, first.rank, order=order)


def _added_up(arrows: list[Arrow]) -> Arrow:
    """Arrows that drive one population as one, in the order of their places."""
    if len(arrows) == 1:
        return arrows[0]
    first, *rest = sorted(arrows, key=lambda each: each.place)
    whole, order = first.expression, list(first.order)
    for each in rest:
        whole = Sum(whole, each.expression, sign="⊕")
        order += each.order
    rank, drives = min(each.rank for each in arrows), sum(each.drives for each in arrows)
    return Arrow(first.start, first.end, [whole], whole, rank, first.place, drives, order)
