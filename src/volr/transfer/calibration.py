"""The measured part of the transfer: measured counts are compared with wanted ones.

Layer by layer, from the inputs on, the network up to that layer is simulated on training stimuli.
Each population gets the gains of excitation and inhibition, and the offset, whose counts are
nearest to the wanted ones, in squared error over all neurons and stimuli. The gains have to rise,
because a hard reset discards the charge above the threshold. With conductances, excitation and
inhibition have separate gains, because the drive depends on the distance to the reversal
potential. The offset has to move, because a bias acts at once while the spikes of a deep layer come
late, and because irregular input makes silent neurons fire.

Counts are whole numbers, so they have no derivative. Each round of this Gauss-Newton method
measures it instead: once with a higher gain (with two gains, once for each), once with a higher
offset, and once where the linear model of these measurements has the smallest error. The best of
all measurements is kept, so no round makes the result worse. If no measurement was better, the next
round goes half as far.
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
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import ArtificialModel
    from volr.network import Network
    from volr.neurons import NeuronModel
    from volr.transfer.scaling import Scale
    from volr.transfer.settings import TransferSettings

# The changes of gains (fractions) and offset (spikes a stimulus) that are measured. They are large
# enough to change most counts, which are whole numbers.
PROBE_GAIN, PROBE_OFFSET = 0.2, 1.0
# How far one round may move excitation, inhibition and offset.
LEAST = np.array([-0.4, -0.4, -4.0])
MOST = np.array([0.6, 0.6, 4.0])


class CalibrationProgress(Protocol):
    """Called before each simulation: how many are done, how many there are, and of what."""

    def __call__(self, done: int, total: int, what: str, /) -> None: ...


@dataclass(frozen=True)
class Measurement:
    """A correction, its counts ``[batch, unit]``, and their mean squared error."""

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
    probes = probes_of(settings.neuron)
    total = len(levels) * (1 + (len(probes) + 1) * settings.rounds)
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

    units = np.array([1.0, 1.0, settings.current_of_one_spike])
    for level in levels:
        part = upto(model.network, level)
        wanted = {
            name: np.maximum(wanted_counts(activations[name], scale[name], settings), 0.0)
            for name in level
        }
        best = measure(part, {name: correction[name] for name in level})
        reach = dict.fromkeys(level, 1.0)
        for _ in range(settings.rounds):
            base = best
            probed = [
                measure(part, {name: _moved(base[name], probe * units) for name in level})
                for probe in probes
            ]
            there: dict[str, Correction] = {}
            for name in level:
                found = [each[name].counts for each in probed]
                step = gauss_newton_step(wanted[name], base[name].counts, found, probes)
                there[name] = _moved(base[name], reach[name] * step * units)
            best = _best([base, *probed, measure(part, there)])
            for name in level:
                if best[name] is base[name]:
                    reach[name] *= 0.5
        correction.update({name: kept.correction for name, kept in best.items()})
    return correction


def probes_of(neuron: NeuronModel) -> Floats:
    """The changes to measure, one in each row: excitation, inhibition (fractions), offset.

    With currents, excitation and inhibition share one gain, because a current acts the same at any
    membrane. Two gains would fit the curvature of the response, and spoil the balance.
    """
    gains = [[PROBE_GAIN, PROBE_GAIN, 0.0]]
    if neuron.has_conductances:
        gains = [[PROBE_GAIN, 0.0, 0.0], [0.0, PROBE_GAIN, 0.0]]
    return np.array([*gains, [0.0, 0.0, PROBE_OFFSET]])


def gauss_newton_step(
    wanted: Floats, counts: Integers, probed: Sequence[Integers], probes: Floats
) -> Floats:
    """The least-squares change of excitation, inhibition (fractions) and offset (spikes).

    ``wanted`` and ``counts`` are ``[batch, unit]``; ``probed`` has the counts with each of the
    ``probes``. A probe that changes nothing is not part of the step.
    """
    change = np.stack([(each - counts).ravel() for each in probed], axis=1)
    # The least-norm solution: a column of zeros gets a zero.
    times = np.linalg.lstsq(change, (wanted - counts).ravel())[0]
    return np.clip(times @ probes, LEAST, MOST)


def _error(wanted: Floats, counts: Integers) -> float:
    return float(np.mean((wanted - counts) ** 2))


def _moved(base: Measurement, step: Floats) -> Correction:
    """The correction of a measurement, changed by two fractions and a current in nA."""
    excitation, inhibition, current = step.tolist()
    return base.correction.moved(excitation, inhibition, current)


def _best(measured: Sequence[Mapping[str, Measurement]]) -> dict[str, Measurement]:
    """For each population the measurement with the least error, the earliest of equal ones."""
    return {name: min((each[name] for each in measured), key=_by_error) for name in measured[0]}


def _by_error(measurement: Measurement) -> float:
    return measurement.error
