"""The clock of a network: one box below all others, and a rail from which arrows rise.

What is drawn above is the network without it. A clock leads to nearly all populations, and its
arrows among the others would hide what leads to what. The rail runs below all boxes, and an arrow
rises from it between two columns, where there are none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from volr.network.drawing.figures import Arrow, Box

if TYPE_CHECKING:
    from volr.network.drawing.figures import Layout
    from volr.network.graph import Network, Projection

BELOW = 18  # from all else to the box
RISE = 50  # how far to the left of a box its arrow leaves the rail


def clocked(placed: Layout, network: Network, margin: int, height: int) -> Layout:
    """The layout of a network without its clock, with the clock in a box of this ``height``.

    ``margin`` is what is left around a drawing.
    """
    if network.clock is None:
        return placed
    cell_of = {p.name: index for index, box in enumerate(placed.boxes) for p in box.populations}
    reached: dict[int, list[Projection]] = {}
    for each in network.projections:
        if each.source == network.clock:
            reached.setdefault(cell_of[each.target], []).append(each)
    left, width = min(each.x for each in placed.boxes), placed.boxes[0].width
    # The margin below the others is above this box now.
    top = placed.height - margin + BELOW
    box = Box((network[network.clock],), left, top, width, height)
    rail = top + height // 2
    arrows = list(placed.arrows)
    for index in sorted(reached, key=lambda each: placed.boxes[each].x):
        target = placed.boxes[index]
        # Below the middle of a box, where the other arrows arrive.
        end = target.x, target.y + 3 * target.height // 4
        points = ((left + width, rail), (target.x - RISE, rail), end)
        arrows.append(Arrow(len(placed.boxes), index, tuple(reached[index]), points, clock=True))
    return replace(
        placed,
        boxes=(*placed.boxes, box),
        arrows=tuple(arrows),
        height=top + height + margin,
    )
