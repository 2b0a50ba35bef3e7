"""Stimuli as the spike trains of the inputs, in the form that takes the least work.

    Encoded  ::=  Trains | Spikes

Under constant currents there are only as many spike trains as there are levels of current, a few
dozen. They are simulated once, always in float64, and a stimulus is a list of train numbers. First
spikes have a train for each level, and one for each neuron of the clock. Random spikes are kept as
spikes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from volr.engine.cpu.buffers import bytes_per_value, empty_memory
from volr.engine.cpu.dynamics import forward, lift_of
from volr.engine.cpu.events import list_spikes, list_trains
from volr.engine.cpu.work import compiled
from volr.engine.schedule import Layer, Schedule
from volr.models.activations import input_levels as whole_levels
from volr.models.coding import ConstantCurrent, Poisson, input_levels, poisson_spikes
from volr.models.first_spike import FirstSpike, input_steps, one_spike_each
from volr.models.spike_trains import SpikeTrains
from volr.neurons import NeuronsByUnit
from volr.neurons.response import count_levels
from volr.system.memory import check_room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.checks.arrays import Booleans, Floats
    from volr.engine.cpu.buffers import Memory
    from volr.engine.cpu.events import Events
    from volr.models.coding import InputCoding
    from volr.models.spike_trains import Stimuli
    from volr.neurons import NeuronModel


@dataclass(frozen=True, eq=False)
class Trains:
    """``levels`` int32 ``[batch, unit]``: which column of ``trains`` ``[time, level]``, 0 or 1.

    Neurons under constant currents emit them, unless they are ``given``.
    """

    levels: NDArray[np.int32]
    trains: NDArray[np.uint8]
    given: bool = False

    def __len__(self) -> int:
        return len(self.levels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Steps, stimuli, inputs."""
        return len(self.trains), *self.levels.shape

    def part(self, first: int, last: int) -> Trains:
        return Trains(self.levels[first:last], self.trains, self.given)

    def spelled_out(self) -> NDArray[np.uint8]:
        """``[time, batch, unit]``."""
        return self.trains[:, self.levels]

    def density(self) -> float:
        """The share of inputs that spike in a step, estimated from some stimuli."""
        looked_at = self.levels[:_LOOKED_AT]
        return float(self.trains.mean(axis=0)[looked_at].mean()) if looked_at.size else 0.0


@dataclass(frozen=True, eq=False)
class Spikes:
    """``spikes`` uint8 ``[time, batch, unit]``, 0 or 1."""

    spikes: NDArray[np.uint8]

    def __len__(self) -> int:
        return self.spikes.shape[1]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Steps, stimuli, inputs."""
        steps, stimuli, units = self.spikes.shape
        return steps, stimuli, units

    def part(self, first: int, last: int) -> Spikes:
        return Spikes(self.spikes[:, first:last])

    def spelled_out(self) -> NDArray[np.uint8]:
        """``[time, batch, unit]``."""
        return self.spikes

    def density(self) -> float:
        """The share of inputs that spike in a step, estimated from some stimuli."""
        looked_at = self.spikes[:, :_LOOKED_AT]
        return np.count_nonzero(looked_at) / max(1, looked_at.size)


Encoded: TypeAlias = Trains | Spikes

_LOOKED_AT = 4


def encode(
    schedule: Schedule, coding: InputCoding, values: Stimuli, *, seed: int = 0, first: int = 0
) -> Encoded:
    """The input spikes of ``values`` ``[batch, unit]`` in [0, 1], or spike trains; row i is number
    ``first + i``.
    """
    if isinstance(values, SpikeTrains):
        return Spikes(values.lasting(schedule.steps).view(np.uint8))
    match coding:
        case ConstantCurrent():
            return trains_of(schedule, levels_of(schedule, coding, values))
        case Poisson():
            spikes = poisson_spikes(
                coding, schedule.dt, schedule.steps, values, seed=seed, first=first
            )
            return Spikes(spikes.view(np.uint8))
        case FirstSpike(levels=levels):
            return _first_spikes(schedule, levels, values)


def _first_spikes(schedule: Schedule, levels: int, values: Floats) -> Trains:
    """A train for each value of an input, 0 … ``levels``, and one for each neuron of the clock."""
    which = whole_levels(values, levels).astype(np.int32)
    clock = np.arange(levels + 1, levels + 1 + len(schedule.clock), dtype=np.int32)
    at = np.concatenate([input_steps(levels, np.arange(levels + 1)), schedule.clock])
    trains = one_spike_each(schedule.steps, at).view(np.uint8)
    return Trains(
        np.concatenate([which, np.tile(clock, (len(which), 1))], axis=1), trains, given=True
    )


def levels_of(schedule: Schedule, coding: ConstantCurrent, values: Floats) -> NDArray[np.int32]:
    """The number of the train that stands for each value, in the same shape."""
    return input_levels(coding, schedule.input_neuron, schedule.dt, schedule.steps, values).astype(
        np.int32
    )


def trains_of(schedule: Schedule, levels: NDArray[np.int32]) -> Trains:
    """The trains with these numbers."""
    spikes = constant_levels(schedule.input_neuron, schedule.dt, schedule.steps).spikes
    return Trains(levels, spikes.view(np.uint8))


@dataclass(frozen=True, eq=False)
class Levels:
    """What neurons do under each current of ``volr.neurons.response.count_levels``.

    ``spikes`` bool and ``membranes`` mV, after the reset, both ``[time, level]``.
    """

    spikes: Booleans
    membranes: Floats


@lru_cache(maxsize=32)
def constant_levels(neuron: NeuronModel, dt: float, steps: int) -> Levels:
    """Simulate one neuron for each level of current."""
    _, currents = count_levels(neuron, dt, steps)
    size = len(currents)
    # The neurons' memory, spikes and membranes, and one array of these on the way.
    (alone,) = schedule_under(neuron, dt, steps, size).layers
    each = bytes_per_value(alone, np.dtype(np.float64)) + 1 + 2 * 8
    check_room(
        {"input populations": each * steps * size},
        f"for the {size:,} spike trains of {steps:,} steps that inputs can have",
        help="a shorter duration or a larger dt needs less, and makes another network",
    )
    compiled(("levels", type(neuron)), lambda: _under(neuron, dt, 1, currents))
    memory = _under(neuron, dt, steps, currents)
    spikes = (memory.state.reshape(steps, size) & 1).astype(np.bool_)
    neurons = NeuronsByUnit((neuron,))
    membranes = after_reset(neurons, memory.membrane.reshape(steps, size), spikes)
    for each in (spikes, membranes):
        each.setflags(write=False)
    return Levels(spikes, membranes)


def _under(neuron: NeuronModel, dt: float, steps: int, currents: Floats) -> Memory:
    """Neurons that get nothing but a constant current each, nA."""
    size = len(currents)
    schedule = schedule_under(neuron, dt, steps, size)
    (layer,) = schedule.layers
    memory = empty_memory(layer, steps * size, size, np.dtype(np.float64))
    for drive in memory.drives:
        drive[:] = 0.0
    lift = lift_of(neuron, dt) * (neuron.i_offset + currents)
    forward(schedule, layer, memory, lift, 1, differentiable=False)
    return memory


def schedule_under(neuron: NeuronModel, dt: float, steps: int, size: int) -> Schedule:
    """A population of ``size`` neurons that nothing leads to."""
    layer = Layer("input", size, (), "", neuron, spiking=True)
    return Schedule((), (layer,), (), neuron, dt, steps)


def after_reset(neurons: NeuronsByUnit, membrane: NDArray[Any], spikes: Booleans) -> Floats:
    """The membranes in mV after the reset, from V − v_rest before it, both ``[…, unit]``."""
    match neurons.first.reset:
        case "hard":
            back = neurons.of(lambda each: each.v_reset - each.v_rest)
            left = np.where(spikes, back, membrane)
        case "subtract":
            left = membrane - neurons.of(lambda each: each.theta) * spikes
    return neurons.of(lambda each: each.v_rest) + left.astype(np.float64)


def list_inputs(
    encoded: Encoded, events: Events, start: int, first: int, last: int, steps: int
) -> None:
    """List the spikes of stimuli ``first`` to ``last`` in the inputs from number ``start`` on."""
    match encoded:
        case Trains():
            list_trains(
                encoded.levels.reshape(-1),
                encoded.trains.reshape(-1),
                np.asarray(encoded.trains.any(axis=0)),
                first,
                last,
                steps,
                events.size,
                start,
                encoded.levels.shape[1],
                events.block,
                events.index,
                events.begin,
            )
        case Spikes():
            spikes = encoded.spikes
            step_stride, stimulus_stride, unit_stride = spikes.strides
            if unit_stride != 1 or step_stride < 0 or stimulus_stride < 0:
                spikes = np.ascontiguousarray(spikes)
                step_stride, stimulus_stride, _ = spikes.strides
            # The bytes from the first number to the last, with what lies between them.
            reach = sum((n - 1) * m for n, m in zip(spikes.shape, spikes.strides, strict=True))
            list_spikes(
                as_strided(spikes, (reach + 1 if spikes.size else 0,), (1,)),
                start,
                stimulus_stride,
                step_stride,
                first,
                last,
                steps,
                events.size,
                events.block,
                events.index,
                events.begin,
            )
