"""What a notebook shows of recordings: how much spiked, and the spikes of the first stimulus."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.display.parts import Markup, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.recordings import Recordings
    from volr.checks.arrays import Booleans, Integers
    from volr.display.parts import Part

MOST_SPIKES = 2000
"""Of more spikes, the picture has some."""
WIDTH, HIGHEST, GAP, EDGE = 640, 240, 6, 4
_MEGABYTE = 1e6


def recordings_parts(recordings: Recordings) -> Iterator[Part]:
    """A table of the populations, the spikes of the first stimulus, and the size of it all."""
    counts = _counts(recordings)
    if counts:
        yield Table(
            ["population", "neurons", "spikes", "a neuron and stimulus", *_rate_column(recordings)]
            + ["silent"],
            [_row(recordings, name, each) for name, each in counts.items()],
        )
    some = {name: each for name, each in recordings.spikes.items() if each.size}
    if some:
        yield Markup(raster_svg(some))
        yield f"spikes of the first of {_stimuli(recordings):,} stimuli" + _thinned(some)
    others = {
        "membranes": recordings.membranes,
        "mean membranes": recordings.means,
        "last membranes": recordings.finals,
    }
    for what, kind in others.items():
        if kind:
            yield f"{what} of {', '.join(kind)}"
    steps = _steps(recordings)
    time = "" if steps is None else f", {steps:,} steps"
    time += "" if steps is None or recordings.dt is None else f" of {recordings.dt:g} ms"
    yield f"{_stimuli(recordings):,} stimuli{time}; {_bytes(recordings) / _MEGABYTE:,.1f} MB"


def raster_svg(spikes: dict[str, Booleans]) -> str:
    """The spikes of the first stimulus over time: a row for each neuron, populations apart."""
    sizes = [math.prod(each.shape[2:]) for each in spikes.values()]
    scale = min(4.0, (HIGHEST - GAP * len(sizes)) / sum(sizes))
    height = round(sum(sizes) * scale + GAP * len(sizes) + 2 * EDGE)
    names_width = 7 * max(map(len, spikes)) + 14
    lines: list[str] = []
    top = float(EDGE)
    for (name, each), size in zip(spikes.items(), sizes, strict=True):
        flat = each[:, 0].reshape(len(each), size)
        steps, neurons = _some(flat, sum(sizes))
        across = (WIDTH - names_width - EDGE) / len(flat)
        x, y = names_width + (steps + 0.5) * across, top + neurons * scale
        tick = f"v{max(0.8 * scale, 0.8):.1f}"
        path = "".join(f"M{a:.1f} {b:.1f}{tick}" for a, b in zip(x, y, strict=True))
        middle = top + size * scale / 2 + 4
        lines += [
            f'<text x="{names_width - 8}" y="{middle:.1f}" text-anchor="end">{_escaped(name)}'
            "</text>",
            f'<path d="{path}"><title>{_escaped(name)}</title></path>',
        ]
        top += size * scale + GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" style="max-width: 100%; height: auto" '
            'fill="currentColor" stroke="none" font-family="sans-serif" font-size="12">',
            "<title>spikes of the first stimulus</title>",
            *(line.replace("<path", '<path stroke="currentColor"', 1) for line in lines),
            "</svg>",
        ]
    )


def _some(flat: Booleans, neurons: int) -> tuple[Integers, Integers]:
    """The steps and neurons of spikes, at most this population's part of ``MOST_SPIKES``."""
    steps, which = np.nonzero(flat)
    most = max(1, MOST_SPIKES * flat.shape[1] // neurons)
    if len(steps) > most:
        taken = np.linspace(0, len(steps) - 1, most).astype(np.int64)
        steps, which = steps[taken], which[taken]
    return steps, which


def _thinned(spikes: dict[str, Booleans]) -> str:
    neurons = sum(math.prod(each.shape[2:]) for each in spikes.values())
    all_of_them = shown = 0
    for each in spikes.values():
        flat = each[:, 0].reshape(len(each), math.prod(each.shape[2:]))
        all_of_them += int(flat.sum())
        shown += len(_some(flat, neurons)[0])
    return "" if shown == all_of_them else f", {shown:,} of {all_of_them:,}"


def _counts(recordings: Recordings) -> dict[str, Integers]:
    """Spikes by neuron and stimulus, ``[batch, unit]``, as they were counted or recorded."""
    trains = {name: each.sum(axis=0) for name, each in recordings.spikes.items()}
    found = {**trains, **recordings.counts}
    return {name: each.reshape(len(each), math.prod(each.shape[1:])) for name, each in found.items()}


def _rate_column(recordings: Recordings) -> list[str]:
    return [] if recordings.dt is None or _steps(recordings) is None else ["Hz"]


def _row(recordings: Recordings, name: str, counts: Integers) -> list[str]:
    mean = float(counts.mean()) if counts.size else 0.0
    steps, dt = _steps(recordings), recordings.dt
    rate = [] if steps is None or dt is None else [f"{1000 * mean / (steps * dt):.1f}"]
    silent = int((counts.sum(axis=0) == 0).sum())
    return [name, f"{counts.shape[1]:,}", f"{int(counts.sum()):,}", f"{mean:.2f}", *rate] + [
        f"{silent:,}"
    ]


def _steps(recordings: Recordings) -> int | None:
    """The time steps of a stimulus, if something was recorded over time."""
    arrays = [*recordings.spikes.values(), *recordings.membranes.values()]
    return len(arrays[0]) if arrays else None


def _stimuli(recordings: Recordings) -> int:
    for kind in (recordings.spikes, recordings.membranes):
        for each in kind.values():
            return each.shape[1]
    for kind in (recordings.counts, recordings.means, recordings.finals):
        for each in kind.values():
            return len(each)
    return 0


def _bytes(recordings: Recordings) -> int:
    kinds = (recordings.counts, recordings.spikes, recordings.membranes)
    kinds = (*kinds, recordings.means, recordings.finals)
    return sum(each.nbytes for kind in kinds for each in kind.values())


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
