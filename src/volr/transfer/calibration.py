"""The measured part of the transfer: what comes out is compared with what was wanted.

Layer by layer, from the inputs on, the network up to that layer is simulated on training stimuli,
and the gain and the offset of each population are chosen so that its counts come nearest to those
wanted, in squared error over all neurons and stimuli. A hard reset throws away the charge above the
threshold, so the gain has to rise; a bias acts at once while the spikes of a deep layer come late,
and irregular input makes silent neurons fire, so the offset has to move.

Counts are whole numbers and have no derivative in gain or offset. A round of this Gauss-Newton
method measures it instead: once with a higher gain, once with a higher offset, and once more where
the linear model of these says that the error is smallest. What was best of all that was measured
is kept, so that no round makes it worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from volr.backends.base import Record
from volr.network.subgraph import depths, upto
from volr.transfer.scaling import Correction, spiking_model, wanted_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.backends.base import Simulator
    from volr.models.arrays import Floats, Integers
    from volr.models.model import ArtificialModel
    from volr.network import Network
    from volr.transfer.scaling import Scale
    from volr.transfer.settings import TransferSettings

# How far gain (as a fraction) and offset (in spikes a stimulus) are moved to measure what they do:
# enough for most counts to change, since they are whole numbers.
PROBE_GAIN, PROBE_OFFSET = 0.25, 1.0
# How far one round may move them.
LEAST_GAIN, MOST_GAIN, MOST_OFFSET = -0.4, 0.6, 4.0
SIMULATIONS_PER_ROUND = 3


class CalibrationProgress(Protocol):
    """Told, before each simulation, how many of how many have been made, and of what."""

    def __call__(self, done: int, total: int, what: str, /) -> None: ...


@dataclass(frozen=True)
class Measurement:
    """A correction, the counts ``[batch, unit]`` that came of it, and their mean squared error."""

    correction: Correction
    counts: Integers
    error: float


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
    correction = {population.name: Correction() for population in model.network.layers}
    if settings.rounds == 0:
        return correction
    levels = depths(model.network)[1:]
    total = len(levels) * (1 + SIMULATIONS_PER_ROUND * settings.rounds)
    done = 0

    def measure(part: Network, tried: Mapping[str, Correction]) -> dict[str, Measurement]:
        """Simulate a part of the network with ``tried`` at its outputs."""
        nonlocal done
        if progress is not None:
            progress(done, total, ", ".join(tried))
        done += 1
        spiking = spiking_model(model, part, scale, {**correction, **tried}, settings)
        record = Record(counts=part.outputs)
        counts = simulator.run(spiking, stimuli, record=record, seed=settings.seed).counts
        return {
            name: Measurement(each, counts[name], _error(wanted[name], counts[name]))
            for name, each in tried.items()
        }

    one_spike = settings.current_of_one_spike
    for level in levels:
        part = upto(model.network, level)
        wanted = {
            name: np.maximum(wanted_counts(activations[name], scale[name], settings), 0.0)
            for name in level
        }
        best = measure(part, {name: correction[name] for name in level})
        for _ in range(settings.rounds):
            base = best
            steeper = measure(part, _moved(base, PROBE_GAIN, 0.0))
            higher = measure(part, _moved(base, 0.0, PROBE_OFFSET * one_spike))
            steps = {
                name: gauss_newton_step(
                    wanted[name], base[name].counts, steeper[name].counts, higher[name].counts
                )
                for name in level
            }
            there = {
                name: base[name].correction.moved(gain, offset * one_spike)
                for name, (gain, offset) in steps.items()
            }
            best = _best([base, steeper, higher, measure(part, there)])
        correction.update({name: kept.correction for name, kept in best.items()})
    return correction


def gauss_newton_step(
    wanted: Floats, counts: Integers, steeper: Integers, higher: Integers
) -> tuple[float, float]:
    """The change of gain (a fraction) and offset (spikes a stimulus) that least squares ask for.

    ``wanted`` and ``counts``, all ``[batch, unit]``, are compared; ``steeper`` and ``higher`` are
    what the counts become with the gain and the offset of the probes. Where a probe changes
    nothing, neither does the step.
    """
    change = np.stack(
        [
            (steeper - counts).ravel() / PROBE_GAIN,
            (higher - counts).ravel() / PROBE_OFFSET,
        ],
        axis=1,
    )
    # The least-norm solution: a column of zeros gets a zero.
    gain, offset = np.linalg.lstsq(change, (wanted - counts).ravel())[0]
    return (
        float(np.clip(gain, LEAST_GAIN, MOST_GAIN)),
        float(np.clip(offset, -MOST_OFFSET, MOST_OFFSET)),
    )


def _error(wanted: Floats, counts: Integers) -> float:
    return float(np.mean((wanted - counts) ** 2))


def _moved(base: Mapping[str, Measurement], gain: float, offset: float) -> dict[str, Correction]:
    return {name: each.correction.moved(gain, offset) for name, each in base.items()}


def _best(measured: Sequence[Mapping[str, Measurement]]) -> dict[str, Measurement]:
    """For each population the measurement with the least error, the earliest of equal ones."""
    return {name: min((each[name] for each in measured), key=_by_error) for name in measured[0]}


def _by_error(measurement: Measurement) -> float:
    return measurement.error
