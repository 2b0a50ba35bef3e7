"""The spikes of a stimulus as an SVG picture, in the colour of the text around it."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans, Integers

MOST_SPIKES = 2000
"""Of more spikes, the picture has some."""
WIDTH, HIGHEST, TALLEST_ROW = 640, 240, 4.0
_GAP, _EDGE, _ADVANCE = 6, 4, 7


def raster_svg(spikes: Mapping[str, Booleans]) -> tuple[str, str]:
    """The picture of the first stimulus, and a word on how many of its spikes are in it.

    ``spikes`` are ``[time, batch, …]``. Time runs to the right. Each neuron has a row, and
    populations are below each other.
    """
    trains = {
        name: each[:, 0].reshape(len(each), math.prod(each.shape[2:]))
        for name, each in spikes.items()
    }
    neurons = sum(each.shape[1] for each in trains.values())
    row = min(TALLEST_ROW, HIGHEST / max(neurons, 1))
    left = _ADVANCE * max(map(len, trains)) + 2 * _EDGE
    top, drawn, every = float(_EDGE), 0, 0
    lines: list[str] = []
    for name, each in trains.items():
        steps, which = _some(each, MOST_SPIKES * each.shape[1] // neurons)
        drawn, every = drawn + len(steps), every + int(each.sum())
        x = left + (steps + 0.5) * (WIDTH - left - _EDGE) / len(each)
        ticks = zip(x.tolist(), (top + which * row).tolist(), strict=True)
        path = "".join(f"M{a:.1f} {b:.1f}v{max(0.8 * row, 1.5):.1f}" for a, b in ticks)
        middle = top + each.shape[1] * row / 2 + _EDGE
        label = f'<text x="{left - _EDGE}" y="{middle:.1f}" text-anchor="end">{escape(name)}</text>'
        lines += [label, f'<path stroke="currentColor" d="{path}"/>']
        top += max(each.shape[1] * row, 2.5 * _GAP) + _GAP
    height = round(top)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" style="max-width: 100%; height: auto" '
        'fill="currentColor" font-family="sans-serif" font-size="12">'
    )
    title = "<title>spikes of the first stimulus</title>"
    said = f"{every:,} spikes" if drawn == every else f"{drawn:,} of {every:,} spikes"
    return "\n".join([opening, title, *lines, "</svg>"]), said


def _some(train: Booleans, most: int) -> tuple[Integers, Integers]:
    """The steps and neurons of spikes, evenly spaced ones where there are too many."""
    steps, which = np.nonzero(train)
    if len(steps) > max(most, 1):
        taken = np.linspace(0, len(steps) - 1, max(most, 1)).astype(np.int64)
        steps, which = steps[taken], which[taken]
    return steps, which
