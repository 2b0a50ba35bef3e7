"""Stimuli through a program: from input spikes to the times of all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.engine.cpu.arrivals import NEVER
from volr.engine.cpu.spike_by_spike import run_once
from volr.engine.cpu.work import scratch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Booleans, Floats
    from volr.engine.cpu.single_spikes.program import Program
    from volr.engine.encoding import Trains
    from volr.engine.schedule import Schedule


@dataclass(frozen=True, eq=False)
class Times:
    """When the neurons of some stimuli spike, and the last membranes of those that cannot.

    ``steps`` int32 ``[stimulus, neuron]`` of all populations side by side, −1 where there is no
    spike; ``finals`` ``[stimulus, output]``, V − v_rest in mV.
    """

    schedule: Schedule
    steps: NDArray[np.int32]
    finals: Floats

    def of(self, name: str) -> NDArray[np.int32]:
        """The steps in which the neurons of a population spike, ``[stimulus, unit]``."""
        sizes = self.schedule.sizes
        names = list(sizes)
        first = sum(sizes[each] for each in names[: names.index(name)])
        return self.steps[:, first : first + sizes[name]]

    def totals(self, name: str) -> Floats:
        """The spike counts of a layer, or its last membranes: ``[stimulus, unit]``."""
        first = 0
        for layer in self.schedule.layers:
            if layer.name == name:
                if not layer.spiking:
                    return self.finals[:, first : first + layer.size]
                break
            first += 0 if layer.spiking else layer.size
        return (self.of(name) != NEVER).astype(np.float64)

    def spikes(self, name: str) -> Booleans:
        """``[time, stimulus, unit]``."""
        return np.arange(self.schedule.steps)[:, None, None] == self.of(name)


def run(programs: Sequence[Program], schedule: Schedule, shown: Trains) -> Times | None:
    """Run some stimuli by the first program for which all numbers stay exact; None if none is.

    A membrane that is too large for single precision is seen, and the next program, in double
    precision, starts again.
    """
    fires = shown.trains.any(axis=0)
    at = np.where(fires, shown.trains.argmax(axis=0), NEVER).astype(np.int32)
    stimuli, inputs = shown.levels.shape
    neurons = sum(schedule.sizes.values())
    outputs = sum(layer.size for layer in schedule.layers if not layer.spiking)
    for program in programs:
        whole = neurons + len(program.views)
        times = scratch(stimuli * whole, np.dtype(np.int32), "times").reshape(stimuli, whole)
        times[:, :inputs] = at[shown.levels]
        times[:, neurons:] = times[:, program.views]
        finals = np.empty((stimuli, outputs), program.dtype)
        limit = program.dtype.type(program.limit)
        if run_once(program.arrays, times, finals, stimuli, schedule.steps, limit):
            return Times(schedule, times, program.unit * finals.astype(np.float64))
    return None
