"""The measured part of the transfer: what comes out is compared with what was wanted.

Layer by layer, from the inputs on, the network up to that layer is simulated on training stimuli.
The regression of the counts that came out on those that were wanted, over all neurons and stimuli
in which a neuron should fire, says by how much the population's gain and offset are wrong: a hard
reset throws away the charge above the threshold, so the gain has to rise; a bias acts at once and
the spikes of a deep layer come late, so the offset has to move. Half of each error is corrected in
a round, since the two depend on each other; the round with the smallest squared error is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from volr.backends.base import Record
from volr.network.subgraph import depths, upto
from volr.transfer.scaling import Correction, Scale, spiking_model, wanted_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Simulator
    from volr.models.arrays import Floats, Integers
    from volr.models.model import ArtificialModel
    from volr.transfer.settings import TransferSettings

# How much of an error one round corrects, and by what factor it may change the gain at the most.
STEP = 0.5
STEEPEST = 1.4


class CalibrationProgress(Protocol):
    """Told, before each simulation, how many of how many have been made, and of what."""

    def __call__(self, done: int, total: int, what: str, /) -> None: ...


@dataclass(frozen=True)
class Deviation:
    """How the counts that came out differ from those wanted, over neurons that should fire."""

    slope: float
    surplus: float
    share: float
    squared: float


def deviation(wanted: Floats, counts: Integers) -> Deviation:
    """Compare ``wanted`` and ``counts``, both ``[batch, unit]``; wanted below 0 means silence.

    ``slope`` is that of the regression of counts on wanted (1 where it cannot be told), ``surplus``
    the mean of wanted − counts, both over the ``share`` of pairs with wanted > 0; ``squared`` is
    the mean squared error over all pairs.
    """
    squared = float(np.mean((np.maximum(wanted, 0.0) - counts) ** 2))
    firing = wanted > 0
    share = float(firing.mean())
    if not firing.any():
        return Deviation(1.0, 0.0, share, squared)
    w, c = wanted[firing], counts[firing]
    centred = w - w.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (c - c.mean())) / spread if spread > 0 else 1.0
    return Deviation(slope, float(np.mean(w - c)), share, squared)


def corrected(before: Correction, error: Deviation, settings: TransferSettings) -> Correction:
    """One round's correction of gain and offset."""
    neuron = settings.neuron
    theta = neuron.v_thresh - neuron.v_reset
    factor = STEEPEST if error.slope <= 0 else 1.0 / error.slope
    gain = before.gain * float(np.clip(factor, 1.0 / STEEPEST, STEEPEST)) ** STEP
    steps = settings.duration / settings.dt
    per_step = neuron.resistance * (1.0 - neuron.decay(settings.dt))
    # An offset drives the neurons that should be silent too: the rarer the firing ones, the smaller
    # its part.
    part = STEP * error.share**0.5
    return Correction(gain, before.offset + part * error.surplus * theta / (steps * per_step))


def calibrate(
    model: ArtificialModel,
    stimuli: Floats,
    activations: Mapping[str, Floats],
    scale: Mapping[str, Scale],
    simulator: Simulator,
    settings: TransferSettings,
    progress: CalibrationProgress | None = None,
) -> dict[str, Correction]:
    """The correction of every population but the inputs, measured on ``stimuli [batch, unit]``."""
    network = model.network
    correction = {population.name: Correction() for population in network.layers}
    levels = depths(network)[1:]
    done = 0
    for level in levels:
        part = upto(network, level)
        wanted = {n: wanted_counts(activations[n], scale[n], settings) for n in level}
        best: dict[str, tuple[float, Correction]] = {}
        for _ in range(settings.rounds):
            if progress is not None:
                progress(done, settings.rounds * len(levels), ", ".join(level))
            spiking = spiking_model(model, part, scale, correction, settings)
            counts = simulator.run(
                spiking, stimuli, record=Record(counts=level), seed=settings.seed
            ).counts
            for name in level:
                error = deviation(wanted[name], counts[name])
                if name not in best or error.squared < best[name][0]:
                    best[name] = (error.squared, correction[name])
                correction[name] = corrected(correction[name], error, settings)
            done += 1
        correction.update({name: kept for name, (_, kept) in best.items()})
    return correction
