"""What a notebook shows of recordings: how much spiked, and the spikes of the first stimulus."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from volr.backends.recordings.raster import raster_svg
from volr.display.parts import Markup, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from volr.backends.recordings import Recordings
    from volr.checks.arrays import Integers
    from volr.display.parts import Part

_MEGABYTE = 1e6


def recordings_parts(recordings: Recordings) -> Iterator[Part]:
    """A table of the populations, the spikes of the first stimulus, and the size of it all."""
    over_time = [*recordings.spikes.values(), *recordings.membranes.values()]
    steps = len(over_time[0]) if over_time else None
    duration = None if steps is None or recordings.dt is None else steps * recordings.dt
    counts = _counts(recordings)
    if counts:
        yield _table(counts, duration)
    some = {name: each for name, each in recordings.spikes.items() if each.size}
    if some:
        picture, said = raster_svg(some)
        yield Markup(picture)
        yield f"the first stimulus: {said}"
    potentials = {
        "membranes": recordings.membranes,
        "mean membranes": recordings.means,
        "last membranes": recordings.finals,
    }
    found = [f"{what} of {', '.join(kind)}" for what, kind in potentials.items() if kind]
    if found:
        yield "\n".join(found)
    kinds: tuple[Mapping[str, NDArray[Any]], ...] = (
        *(recordings.counts, recordings.means, recordings.finals),
        *(recordings.spikes, recordings.membranes),
    )
    arrays = [each for kind in kinds for each in kind.values()]
    stimuli = over_time[0].shape[1] if over_time else len(arrays[0]) if arrays else 0
    size = f"{stimuli:,} {'stimulus' if stimuli == 1 else 'stimuli'}"
    size += "" if steps is None else f" of {steps:,} steps"
    size += "" if duration is None else f", {duration:g} ms"
    yield f"{size}; {sum(each.nbytes for each in arrays) / _MEGABYTE:,.1f} MB"


def _table(counts: Mapping[str, Integers], duration: float | None) -> Table:
    """How much each population spiked; rates where the duration, ms, is known."""
    rates = [] if duration is None else ["Hz"]
    rows: list[list[str]] = []
    for name, each in counts.items():
        mean = float(each.mean()) if each.size else 0.0
        rate = [] if duration is None else [f"{1000 * mean / duration:.1f}"]
        silent = int((each.sum(axis=0) == 0).sum())
        cells = f"{each.shape[1]:,}", f"{each.sum():,}", f"{mean:.2f}"
        rows.append([name, *cells, *rate, f"{silent:,}"])
    return Table(["population", "neurons", "spikes", "of a neuron", *rates, "silent"], rows)


def _counts(recordings: Recordings) -> dict[str, Integers]:
    """Spikes by neuron and stimulus, ``[batch, unit]``, as they were counted or recorded."""
    trains = {name: each.sum(axis=0) for name, each in recordings.spikes.items()}
    return {
        name: each.reshape(len(each), math.prod(each.shape[1:]))
        for name, each in {**trains, **recordings.counts}.items()
    }
