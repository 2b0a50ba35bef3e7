"""A network as an SVG picture, from left to right.

Boxes are populations, and their height grows with the logarithm of the neurons. Arrows are
projections. Boxes have a background, so their text stays readable on a page of any colour. The
picture is transparent and follows the reader's light or dark scheme. One HTML page can hold several
pictures: nothing has an id, and the style applies only to its own class.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from volr.network.drawing.clock import clocked
from volr.network.drawing.loops import BULGE
from volr.network.drawing.placement import LEAST_HEIGHT, MARGIN, folded, layout
from volr.network.drawing.words import breadth, written
from volr.network.subgraph import without_clock
from volr.network.text import counted, shape_text

if TYPE_CHECKING:
    from volr.network.drawing.figures import Arrow, Box, Cell, Layout
    from volr.network.graph import Network, Population

LEAST_WIDTH, LONGEST_NAME = 96, 20
NAME_ADVANCE, NOTE_ADVANCE = 8.6, 7.0  # pixels per character, on the generous side
PADDING = 12
CORNER = 8
ARROWHEAD = (7, 4)  # long, and wide to either side
MOST_IN_WORDS = 40  # populations that the description for screen readers names

STYLE = """\
.volr text { text-anchor: middle; font-family: system-ui, -apple-system, "Segoe UI", Roboto, \
"Helvetica Neue", Arial, "DejaVu Sans", sans-serif }
.volr .name { font-size: 13px; font-weight: 600 }
.volr .note { font-size: 11.5px }
.volr rect { stroke-width: 1.5 }
.volr .arrow { fill: none; stroke: #7c8794; stroke-width: 1.5; stroke-linecap: round; \
stroke-linejoin: round }
.volr .input rect { fill: #e2f0fb; stroke: #2f7fbd }
.volr .input text { fill: #103a5c }
.volr .hidden rect { fill: #f1f3f5; stroke: #87919c }
.volr .hidden text { fill: #252d36 }
.volr .output rect { fill: #fdecd8; stroke: #d0782a }
.volr .output text { fill: #572c06 }
.volr .fold rect { fill: #ffffff; stroke: #87919c; stroke-dasharray: 4 4 }
.volr .fold text { fill: #4a545f }
@media (prefers-color-scheme: dark) {
.volr .arrow { stroke: #8b96a3 }
.volr .input rect { fill: #103450; stroke: #4c9fdc }
.volr .input text { fill: #d9edfc }
.volr .hidden rect { fill: #262d35; stroke: #76818d }
.volr .hidden text { fill: #e6eaee }
.volr .output rect { fill: #4b2a0b; stroke: #e29a50 }
.volr .output text { fill: #fdecd8 }
.volr .fold rect { fill: #171c21; stroke: #76818d }
.volr .fold text { fill: #b4bdc7 }
}"""

ARROW_STYLE = """
.volr .back { stroke-dasharray: 5 4 }
.volr .written { font-size: 10.5px; fill: #59636e }
@media (prefers-color-scheme: dark) {
.volr .written { fill: #a3adb8 }
}"""
"""Of what only some drawings have: loops, and words at arrows."""

CLOCK_STYLE = """
.volr .tick { stroke: #8a63bf; stroke-width: 1 }
.volr .clock rect { fill: #f0e8fa; stroke: #8a63bf }
.volr .clock text { fill: #3c2161 }
@media (prefers-color-scheme: dark) {
.volr .tick { stroke: #a583d6 }
.volr .clock rect { fill: #33214d; stroke: #a583d6 }
.volr .clock text { fill: #e9defa }
}"""


def network_svg(network: Network) -> str:
    """The drawing as one SVG document, without a newline at its end.

    The same network gives the same text. Above 200 populations or 2,000 projections, or with very
    many populations in sequence or side by side, those in the middle are folded into boxes that
    say how many they are.
    """
    cells = folded(unclocked := without_clock(network))
    width = _box_width([*cells, _clock_cell(network)])
    placed = layout(unclocked, cells, width, breadth)
    placed = clocked(placed, network, MARGIN, LEAST_HEIGHT)
    width, height = placed.width, placed.height
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="volr" role="img" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" '
        'style="max-width: 100%; height: auto">'
    )
    title = f"Network from {network.input_size:,} to {network.output_size:,} values"
    texts = [line for arrow in placed.arrows if not arrow.clock for line in written(arrow)]
    more = ARROW_STYLE if texts or any(arrow.back for arrow in placed.arrows) else ""
    more += "" if network.clock is None else CLOCK_STYLE
    lines = [
        opening,
        f"<title>{title}</title>",
        f"<desc>{escape(_description(network, placed))}</desc>",
        f"<style>\n{STYLE}{more}\n</style>",
        *(_arrow(network, arrow) for arrow in placed.arrows),
        *texts,
        *(_box(network, box) for box in placed.boxes),
        "</svg>",
    ]
    return "\n".join(lines)


def _box(network: Network, box: Box) -> str:
    first, *others = box.populations
    name, note = _label(box.populations)
    if others:
        role = "fold"
        neurons = sum(population.size for population in box.populations)
        tooltip = f"{len(box.populations):,} populations, {counted(neurons, 'neuron')}"
    else:
        role = _role(network, first)
        tooltip = f"{first.name}: {role}, {counted(first.size, 'neuron')}"
        tooltip += ", of what arrives, the largest counts" if first.merge == "max" else ""
    x, y = box.x + box.width // 2, box.y + box.height // 2
    return (
        f'<g class="{role}"><title>{escape(tooltip)}</title>'
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="{CORNER}"/>'
        f'<text class="name" x="{x}" y="{y - 3}">{escape(name)}</text>'
        f'<text class="note" x="{x}" y="{y + 13}">{escape(note)}</text></g>'
    )


def _arrow(network: Network, arrow: Arrow) -> str:
    first, *more = arrow.projections
    tooltip = f"{first.name}: {first.connector}, {counted(network.synapses(first), 'synapse')}"
    if more:
        synapses = sum(map(network.synapses, arrow.projections))
        tooltip = f"{len(arrow.projections):,} projections, {counted(synapses, 'synapse')}"
    x, y = arrow.points[0]
    path = [f"M{x} {y}"]
    for (x, y), (to_x, to_y) in pairwise(arrow.points):
        middle = (x + to_x) // 2
        if x == to_x:
            # Beside a box: out to the right where a loop begins, and to the left where it ends.
            middle += BULGE if len(path) == 1 else -BULGE
        level = f"H{to_x}"
        path.append(level if y == to_y else f"C{middle} {y} {middle} {to_y} {to_x} {to_y}")
    long, wide = ARROWHEAD
    path.append(f"m{-long} {-wide}l{long} {wide}l{-long} {wide}")
    kind = "arrow back" if arrow.back else "arrow tick" if arrow.clock else "arrow"
    return f'<path class="{kind}" d="{"".join(path)}"><title>{escape(tooltip)}</title></path>'


def _role(network: Network, population: Population) -> str:
    if population.name in network.outputs:
        return "output"
    if population.name == network.clock:
        return "clock"
    return "input" if population.name in network.inputs else "hidden"


def _clock_cell(network: Network) -> list[Cell]:
    """A column with the clock, if there is one."""
    return [] if network.clock is None else [(network[network.clock],)]


def _label(cell: Cell) -> tuple[str, str]:
    """The two lines in a box."""
    first, *others = cell
    if others:
        return f"{len(cell):,} more", "populations"
    row = len(first.shape) == 1
    note = counted(first.size, "neuron") if row else shape_text(first.shape).replace("x", "×")
    note += " max" if first.merge == "max" else ""
    return _shortened(first.name), _shortened(note)


def _description(network: Network, placed: Layout) -> str:
    tooltip = (
        f"{counted(len(network.populations), 'population')}, "
        f"{counted(network.neuron_count, 'neuron')}; "
        f"{counted(len(network.projections), 'projection')}, "
        f"{counted(network.synapse_count, 'synapse')}."
    )
    if len(network.populations) > MOST_IN_WORDS:
        return tooltip
    columns: dict[int, list[str]] = {}
    for box in placed.boxes:
        columns.setdefault(box.x, []).extend(
            f"{p.name} ({shape_text(p.shape)})" for p in box.populations
        )
    return f"{tooltip} From left to right: {'; '.join(map(', '.join, columns.values()))}."


def _box_width(cells: list[list[Cell]]) -> int:
    """Wide enough for the longest text in any box; even."""
    labels = [_label(cell) for column in cells for cell in column]
    text = max(
        max(_columns(name) * NAME_ADVANCE, _columns(note) * NOTE_ADVANCE) for name, note in labels
    )
    return max(LEAST_WIDTH, 2 * round(text / 2 + PADDING))


def _shortened(name: str) -> str:
    """At most ``LONGEST_NAME`` columns, with an ellipsis for the middle."""
    if _columns(name) <= LONGEST_NAME:
        return name
    half = LONGEST_NAME // 2 - 1
    head, tail = name[:half], name[-half:]
    while _columns(head) > half:
        head = head[:-1]
    while _columns(tail) > half:
        tail = tail[1:]
    return f"{head}…{tail}"


def _columns(text: str) -> int:
    """The width of a text in half-width characters."""
    width = Counter(unicodedata.east_asian_width(character) in "WF" for character in text)
    return width[False] + 2 * width[True]
