"""One population by itself, under drives that are given: for the tests of its kernels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.engine.examples import NEURONS

from volr.engine.cpu.buffers import empty_memory
from volr.engine.cpu.dynamics import forward, lift_of
from volr.engine.schedule import Layer, Schedule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.checks.arrays import Floats
    from volr.engine.cpu.buffers import Memory
    from volr.neurons import NeuronModel

# What drives each about as much as it can take, in the unit of its weights.
STRENGTH = {"delta": 5.0, "exp": 2.0, "exp two decays": 2.0, "cond": 0.04}


@dataclass(frozen=True)
class Population:
    """``drives`` ``[time, batch, unit]`` for each channel, and biases ``currents`` ``[unit]``."""

    schedule: Schedule
    drives: tuple[Floats, ...]
    currents: Floats

    @property
    def neuron(self) -> NeuronModel:
        return self.layer.neuron

    @property
    def layer(self) -> Layer:
        return self.schedule.layers[0]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Steps, stimuli, neurons."""
        steps, stimuli, units = self.drives[0].shape
        return steps, stimuli, units

    def lift(self, dtype: type[Any] = np.float64) -> NDArray[Any]:
        lift = lift_of(self.neuron, self.schedule.dt) * (self.neuron.i_offset + self.currents)
        return lift.astype(dtype)

    def after_run(self, *, differentiable: bool = True, dtype: type[Any] = np.float64) -> Memory:
        """What the kernel leaves."""
        steps, stimuli, units = self.shape
        values = steps * stimuli * units
        memory = empty_memory(self.layer, values, stimuli * units, np.dtype(dtype))
        for room, drive in zip(memory.drives, self.drives, strict=True):
            room[:] = drive.swapaxes(0, 1).reshape(-1)
        lift = self.lift(dtype)
        forward(self.schedule, self.layer, memory, lift, stimuli, differentiable=differentiable)
        return memory

    def in_time(self, flat: NDArray[Any]) -> NDArray[Any]:
        """``[time, batch, unit]`` from the flat ``[stimulus, step, unit]`` of a memory."""
        steps, stimuli, units = self.shape
        return flat.reshape(stimuli, steps, units).swapaxes(0, 1)


def population(
    kind: str,
    *,
    reset: str = "hard",
    refractory: int = 0,
    spiking: bool = True,
    steps: int = 30,
    stimuli: int = 3,
    units: int = 13,
) -> Population:
    """A population whose size fills no vector; some drives are 0, as most are."""
    rng = np.random.default_rng([refractory, steps, units])
    changes: Any = {"reset": reset, "tau_refrac": 0.5 * refractory}
    neuron: NeuronModel = replace(NEURONS[kind], **changes)
    drives: list[Floats] = []
    for sign in neuron.channels:
        drawn = rng.normal(0.4, 1.0, (steps, stimuli, units)) * STRENGTH[kind]
        drawn *= rng.random(drawn.shape) < 0.7
        drives.append(drawn if sign == 0 else sign * abs(drawn) * (1.0 if sign > 0 else 0.4))
    layer = Layer("neurons", units, (), "bias", neuron, spiking=spiking)
    schedule = Schedule((), (layer,), ("neurons",), neuron, 0.5, steps)
    return Population(schedule, tuple(drives), rng.normal(0.3, 0.3, units))
