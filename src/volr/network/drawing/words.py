"""The words at an arrow: its kernel, its pools, or that it is an identity.

An arrow without words connects all to all.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from volr.network.drawing.figures import Arrow
    from volr.network.graph import Projection

ADVANCE, LINE = 6.2, 12  # pixels for each character, on the generous side, and for each line
BESIDE = 12  # between the words and the boxes on either side
IN_LANE, MOST_SUMMANDS = 9, 3


def words(projections: Sequence[Projection]) -> tuple[str, ...]:
    """The lines at an arrow of one projection, or of those that are added up; none at a fold's."""
    if len(projections) == 1:
        return projections[0].connector.labels
    ends = {(each.source, each.target) for each in projections}
    found = [each.connector.labels for each in projections]
    if len(ends) > 1 or len(found) > MOST_SUMMANDS or not any(found):
        return ()
    whole = [" ".join(labels) or "dense" for labels in found]
    return tuple(f"⊕ {each}" if index else each for index, each in enumerate(whole))


def breadth(projections: Sequence[Projection]) -> int:
    """The space that the words of an arrow need between two boxes, in whole pixels."""
    lines = words(projections)
    return round(max(map(len, lines)) * ADVANCE) + 2 * BESIDE if lines else 0


def written(arrow: Arrow) -> Iterator[str]:
    """The words of an arrow, below the middle of its first level stretch.

    Between a lane and the box below it is room for one line.
    """
    lines = words(arrow.projections)
    (x, y), (to_x, to_y) = arrow.points[:2]
    if len(arrow.points) > 2:
        (x, y), (to_x, to_y) = arrow.points[1:3]
        lines = (" ".join(lines),) if lines else ()
    first = (y + to_y) // 2 + (IN_LANE if len(arrow.points) > 2 else LINE)
    for index, line in enumerate(lines):
        height = first + LINE * index
        yield f'<text class="written" x="{(x + to_x) // 2}" y="{height}">{escape(line)}</text>'
