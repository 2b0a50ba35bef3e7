"""Where the boxes and arrows of a drawing go, in whole pixels.

    fold     populations become columns of cells; a cell is one population, or several if there are
             too many to draw
    lanes    an arrow that skips a column gets a lane in it, between the boxes
    order    each column is sorted so that a cell is near its sources (barycentres)
    heights  each cell is as near to the median height of its neighbours as the column allows

This is the scheme of Sugiyama, Tagawa and Toda (1981); the column of a population is the longest
path that leads to it. Arrows curve only between columns, where there are no boxes, and cross a
column only along a lane. So no arrow crosses a box.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from volr.network.drawing.figures import Arrow, Box, Layout
from volr.network.drawing.loops import looped
from volr.network.subgraph import depths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from volr.network.drawing.figures import Cell
    from volr.network.graph import Network, Projection

MOST_POPULATIONS, MOST_PROJECTIONS = 200, 2000
MOST_COLUMNS, MOST_ROWS = 40, 24
KEPT = 4  # columns, or rows, drawn on either side of a fold

LEAST_HEIGHT, PER_DOUBLING, MOST_DOUBLINGS = 42, 10, 20
MARGIN = 10
BETWEEN_BOXES, BESIDE_LANE = 18, 11  # from top to bottom
LEAST_GAP, MOST_GAP = 56, 150  # between columns
SWEEPS = 6


@dataclass(frozen=True, slots=True)
class _Node:
    """A cell, or the lane of the arrows from ``cell`` through a later column."""

    cell: int
    column: int
    height: int
    is_lane: bool


_Neighbours: TypeAlias = dict[_Node, dict[_Node, None]]  # ordered sets


@dataclass(frozen=True, slots=True)
class _Graph:
    """Nodes by column, and for every two connected cells the nodes that their arrow passes.

    ``parents`` and ``children`` stand in the columns next to a node. ``left`` and ``right`` are
    what draws it up or down: for a cell the cells at its arrows' other ends, however far away.
    """

    columns: list[list[_Node]]
    routes: dict[tuple[int, int], list[_Node]]
    parents: _Neighbours
    children: _Neighbours
    left: _Neighbours
    right: _Neighbours


def folded(network: Network) -> list[list[Cell]]:
    """Columns of cells, from left to right and from top to bottom; 200 of them at most."""
    cells: list[list[Cell]] = [[(network[name],) for name in column] for column in depths(network)]
    height, length = max(map(len, cells)), len(cells)
    too_many = (
        len(network.populations) > MOST_POPULATIONS or len(network.projections) > MOST_PROJECTIONS
    )
    room = 2 * KEPT + 1
    if height > MOST_ROWS or (too_many and height > room):
        cells = [
            column
            if len(column) <= room
            else [*column[:KEPT], _joined(column[KEPT:-KEPT]), *column[-KEPT:]]
            for column in cells
        ]
    if length > MOST_COLUMNS or (too_many and length > room):
        hidden = [cell for column in cells[KEPT:-KEPT] for cell in column]
        cells = [*cells[:KEPT], [_joined(hidden)], *cells[-KEPT:]]
    return cells


def layout(
    network: Network,
    cells: list[list[Cell]],
    box_width: int,
    breadth: Callable[[Sequence[Projection]], int],
) -> Layout:
    """The same network, ``folded``, and the same widths (even) give the same layout.

    ``breadth`` is that of what stands at an arrow, in pixels.
    """
    merged, back = _merged(network, cells)
    graph = _graph(cells, merged)
    _order(graph)
    middles = _heights(graph)
    top = min(middle - node.height / 2 for node, middle in middles.items())
    y = {node: round(middle - top) + MARGIN for node, middle in middles.items()}
    room = {ends: breadth(each) for ends, each in merged.items()}
    lefts = _lefts(graph, y, box_width, room)
    boxes: list[Box] = []
    nodes = (node for node in y if not node.is_lane)
    populations = (cell for column in cells for cell in column)
    for node, cell in zip(sorted(nodes, key=lambda node: node.cell), populations, strict=True):
        upper = y[node] - node.height // 2
        boxes.append(Box(cell, lefts[node.column], upper, box_width, node.height))
    arrows: list[Arrow] = []
    for (source, target), (first, *lanes, last) in graph.routes.items():
        points = [(lefts[first.column] + box_width, y[first])]
        for lane in lanes:
            left = lefts[lane.column]
            points += [(left, y[lane]), (left + box_width, y[lane])]
        points.append((lefts[last.column], y[last]))
        arrows.append(Arrow(source, target, tuple(merged[source, target]), tuple(points)))
    bottom = max(middle + node.height // 2 for node, middle in y.items())
    width = max(each.x for each in boxes) + box_width + MARGIN
    placed = Layout(tuple(boxes), tuple(arrows), width, bottom + MARGIN)
    return looped(placed, back)


def box_height(neurons: int) -> int:
    """In pixels: so much more for every doubling of the neurons, up to a million; even."""
    height = LEAST_HEIGHT + PER_DOUBLING * min(math.log2(neurons), MOST_DOUBLINGS)
    return 2 * round(height / 2)


def _joined(cells: Sequence[Cell]) -> Cell:
    return tuple(population for cell in cells for population in cell)


_Merged: TypeAlias = "dict[tuple[int, int], list[Projection]]"


def _merged(network: Network, cells: list[list[Cell]]) -> tuple[_Merged, _Merged]:
    """The projections between each two cells, in order: those forward, and those back.

    None is within a fold.
    """
    cell_of: dict[str, int] = {}
    single: set[int] = set()
    for index, cell in enumerate(cell for column in cells for cell in column):
        cell_of.update((population.name, index) for population in cell)
        single |= {index} if len(cell) == 1 else set()
    forward: _Merged = {}
    back: _Merged = {}
    for projection in network.projections:
        source, target = cell_of[projection.source], cell_of[projection.target]
        if source != target or (projection.back and source in single):
            merged = back if projection.back else forward
            merged.setdefault((source, target), []).append(projection)
    return forward, back


def _graph(cells: list[list[Cell]], ends: Iterable[tuple[int, int]]) -> _Graph:
    columns: list[list[_Node]] = []
    node_of: list[_Node] = []
    for index, column in enumerate(cells):
        columns.append([])
        for cell in column:
            height = box_height(cell[0].size) if len(cell) == 1 else LEAST_HEIGHT
            node_of.append(_Node(len(node_of), index, height, is_lane=False))
            columns[index].append(node_of[-1])
    graph = _Graph(columns, {}, {}, {}, {}, {})
    for source, target in ends:
        first, last = node_of[source], node_of[target]
        between = range(first.column + 1, last.column)
        # equal for all arrows from one cell, which therefore share it
        lanes = [_Node(source, column, 0, is_lane=True) for column in between]
        route = graph.routes[source, target] = [first, *lanes, last]
        for before, after in pairwise(route):
            if after.is_lane and after not in graph.parents:
                columns[after.column].append(after)
            graph.parents.setdefault(after, {})[before] = None
            graph.children.setdefault(before, {})[after] = None
            if before.is_lane:
                graph.right.setdefault(before, {})[after] = None
            if after.is_lane:
                graph.left.setdefault(after, {})[before] = None
        graph.right.setdefault(first, {})[last] = None
        graph.left.setdefault(last, {})[first] = None
    return graph


def _order(graph: _Graph) -> None:
    """Sort each column; equals stay in the program's order: `⊖` reads from top to bottom."""
    place: dict[_Node, float] = {}
    for column in graph.columns:
        centre = {
            node: _mean([place[parent] for parent in graph.parents.get(node, ())])
            for node in column
        }
        column.sort(key=lambda node: (centre[node], node.cell))
        place.update((node, index / len(column)) for index, node in enumerate(column))


def _heights(graph: _Graph) -> dict[_Node, float]:
    """The middle of each node, from top to bottom, in pixels from the middle of the drawing."""
    middles: dict[_Node, float] = {}
    for column in graph.columns:
        middles |= _packed(column, [0.0] * len(column))
    for _ in range(SWEEPS):
        for columns, neighbours in (
            (reversed(graph.columns), graph.right),
            (graph.columns, graph.left),
        ):
            for column in columns:
                wanted = [
                    _median([middles[other] for other in neighbours.get(node, (node,))])
                    for node in column
                ]
                middles |= _packed(column, wanted)
    return middles


@dataclass(frozen=True)
class _Pool:
    """Neighbours in a column that touch, and where each would lie without the others."""

    boxes: list[float]
    lanes: list[float]

    @cached_property
    def level(self) -> float:
        return _median(self.boxes or self.lanes)

    @property
    def count(self) -> int:
        return len(self.boxes) + len(self.lanes)

    def with_(self, below: _Pool) -> _Pool:
        return _Pool(self.boxes + below.boxes, self.lanes + below.lanes)


def _packed(column: list[_Node], wanted: list[float]) -> dict[_Node, float]:
    """The middles nearest to ``wanted`` that keep the order and the distances of a column.

    With the distances taken out this is isotonic regression for absolute errors, solved by pooling
    adjacent violators; a pool lies at its median, so that of three branches the second is level
    with what they come from. Only where there are no boxes do lanes have a say.
    """
    offsets = [0.0]
    for above, below in pairwise(column):
        between = BESIDE_LANE if above.is_lane or below.is_lane else BETWEEN_BOXES
        offsets.append(offsets[-1] + (above.height + below.height) / 2 + between)
    pools: list[_Pool] = []
    for node, goal, offset in zip(column, wanted, offsets, strict=True):
        pool = _Pool([], [goal - offset]) if node.is_lane else _Pool([goal - offset], [])
        while pools and pools[-1].level >= pool.level:
            pool = pools.pop().with_(pool)
        pools.append(pool)
    levels = [pool.level for pool in pools for _ in range(pool.count)]
    return {
        node: level + offset for node, level, offset in zip(column, levels, offsets, strict=True)
    }


def _lefts(
    graph: _Graph, y: dict[_Node, int], box_width: int, room: dict[tuple[int, int], int]
) -> list[int]:
    """The left edge of each column: the steeper the arrows between two, the wider their gap.

    It is also wide enough for what stands at an arrow.
    """
    written: dict[int, int] = {}
    for ends, (first, *lanes, _) in graph.routes.items():
        if not lanes:
            written[first.column] = max(written.get(first.column, 0), room[ends])
    lefts = [MARGIN]
    for index, column in enumerate(graph.columns[:-1]):
        climbs = (
            abs(y[child] - y[node]) for node in column for child in graph.children.get(node, ())
        )
        gap = min(MOST_GAP, LEAST_GAP + max(climbs, default=0) // 5)
        lefts.append(lefts[-1] + box_width + max(gap, written.get(index, 0)))
    return lefts


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return (ordered[half] + ordered[-1 - half]) / 2
