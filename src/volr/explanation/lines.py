"""The straight line of spike counts over the charge that causes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.explanation.counts import OF_WIRING, weighted_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.explanation.counts import Layer
    from volr.explanation.wiring import Wiring

# Counts above this share of the possible ones rise in coarse stairs, and neurons with an expected
# count below this number of spikes hardly fire. A line is not fitted to either.
BELOW_STAIRS, ABOVE_SILENCE = 0.4, 0.5
# How often the line is fitted again to the counts that it says are on it.
_ROUNDS = 8
_FEWEST = 10


@dataclass(frozen=True, eq=False)
class Fit:
    """The line of some populations in one run: ``gain`` · sum + ``offset``.

    ``slope`` is that of the best line without an offset, ``sums`` are ``[batch, unit]``.
    """

    gain: float
    offset: float
    slope: float
    sums: Mapping[str, Floats]


def fit_line(
    layers: Mapping[str, Layer],
    wired: Mapping[str, Wiring],
    counts: Mapping[str, Floats],
    slopes: Mapping[str, float],
    room: float,
) -> Fit:
    """The line of the counts of ``layers``; ``room`` is the most spikes that a neuron can have."""
    sent = {
        block.projection.source: counts[block.projection.source] / slopes[block.projection.source]
        for wiring in wired.values()
        for block in wiring.blocks
    }
    sums = {name: weighted_sum(layer, sent, OF_WIRING) for name, layer in layers.items()}
    z = np.concatenate([sums[name].ravel() for name in layers])
    n = np.concatenate([counts[name].ravel() for name in layers])
    spiking = all(layer.counted for layer in layers.values())
    # The first guess is what the charge alone would give.
    guess = (
        float(np.mean([layer.gain for layer in layers.values()])),
        float(np.mean([layer.offset for layer in layers.values()])),
    )
    if all(layer.output for layer in layers.values()):
        gain, offset = _line(z, n, room, guess) if spiking else _straight(z, n) or guess
        return Fit(gain, offset, gain, sums)
    gain, offset = _line(z, n, room, guess)
    straight = (z > 0) & (gain * z + offset < BELOW_STAIRS * room)
    norm = float(z[straight] @ z[straight])
    slope = float(z[straight] @ n[straight]) / norm if norm > 0 else 0.0
    return Fit(gain, offset, slope if slope > 0 else gain, sums)


def _line(z: Floats, n: Floats, room: float, line: tuple[float, float]) -> tuple[float, float]:
    """Slope and offset of the straight part of the counts over ``z``, from a first guess.

    A count belongs to that part if its expected value does: a choice by the counts themselves would
    bias the line. Expected values down to half a spike below 0 belong to it, since they are rounded
    to 0. If hardly any count belongs to it, the line does not change.
    """
    for _ in range(_ROUNDS):
        expected = line[0] * z + line[1]
        use = (expected > -ABOVE_SILENCE) & (expected < BELOW_STAIRS * room)
        found = _straight(z[use], n[use])
        if found is None:
            break
        line = found
    return line


def _straight(z: Floats, n: Floats) -> tuple[float, float] | None:
    if len(z) < _FEWEST or np.ptp(z) == 0:
        return None
    slope, offset = np.polyfit(z, n, 1)
    return (float(slope), float(offset)) if slope > 0 else None
