"""The weights of a whole network as its kernels take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from volr.engine.cpu.connectors.table import synapses_of
from volr.engine.cpu.work import everywhere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.engine.cpu.connectors.base import Work
    from volr.engine.schedule import Schedule

Tiles = dict[str, tuple["NDArray[Any]", ...]]
"""Weights in tiles, by name, for each channel of the neuron model."""


def in_tiles(
    schedule: Schedule, weights: Mapping[str, NDArray[Any]], *, back: bool = False
) -> Tiles:
    """All weights, in the shapes of their connectors, in tiles for the way forward.

    With ``back`` for the way back, and only those that errors return through: not to inputs.
    """
    inputs = dict(schedule.inputs)
    found: Tiles = {}
    work: list[Work] = []
    for layer in schedule.layers:
        for term in layer.terms:
            if back and term.source in inputs:
                continue
            synapses, values = synapses_of(term, layer.channels), weights[term.weight]
            packed = [synapses.pack(values, sign, back=back) for sign in layer.channels]
            found[term.weight] = tuple(each.tiles for each in packed)
            work += [part for each in packed for part in each.work]
    size = sum(weights[name].size for name in found)
    everywhere(lambda part: part(), work, size=size)
    return found
