"""Arrows that close loops: they lead back above everything else, from right to left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from volr.network.drawing.figures import Arrow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.network.drawing.figures import Layout
    from volr.network.graph import Projection

ABOVE = 18  # from all else to the lowest of these arrows, and from one to the next
BULGE = 40  # how far the curve's handles stand out beside the boxes


def looped(placed: Layout, back: Mapping[tuple[int, int], Sequence[Projection]]) -> Layout:
    """A layout with the arrows that lead back, each in a lane of its own, the shortest below."""
    if not back:
        return placed
    shift = ABOVE * len(back)
    boxes = tuple(replace(each, y=each.y + shift) for each in placed.boxes)
    arrows = [
        replace(each, points=tuple((x, y + shift) for x, y in each.points))
        for each in placed.arrows
    ]
    top = min([each.y for each in boxes] + [y for each in arrows for _, y in each.points])

    def length(ends: tuple[int, int]) -> int:
        return boxes[ends[0]].x - boxes[ends[1]].x

    for lane, ends in enumerate(sorted(back, key=length), start=1):
        source, target = (boxes[each] for each in ends)
        level = top - ABOVE * lane
        # A self-loop leaves and arrives above the middle, where the other arrows are not.
        points = (
            (source.x + source.width, source.y + source.height // 4),
            (source.x + source.width, level),
            (target.x, level),
            (target.x, target.y + target.height // 4),
        )
        arrows.append(Arrow(*ends, tuple(back[ends]), points, back=True))
    right = max(boxes[source].x + boxes[source].width for source, _ in back) + BULGE
    width, height = max(placed.width, right), placed.height + shift
    return replace(placed, boxes=boxes, arrows=tuple(arrows), width=width, height=height)
