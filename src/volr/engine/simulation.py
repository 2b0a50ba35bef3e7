"""Spiking models on the CPU, from stimuli to recordings, without a thought of derivatives.

A model is made ``ready`` once: its weights in tiles, its currents in steps. Stimuli then go through
in slices, each on a thread and each in memory of its own, so that what is not recorded is forgotten
as soon as the slice is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from volr.checks.arrays import Booleans, Floats
from volr.engine.cpu.buffers import (
    bytes_per_stimulus,
    empty_batch,
    neuron_steps,
    put_back,
    slice_size,
)
from volr.engine.cpu.connectors import in_tiles, synapses_of
from volr.engine.cpu.dynamics import lifts_of
from volr.engine.cpu.passes import forwards
from volr.engine.cpu.single_spikes import Program, programs_of, run
from volr.engine.cpu.work import compiled, everywhere, slices
from volr.engine.encoding import Encoded, Trains, after_reset, constant_levels, encode
from volr.engine.schedule import schedule_of
from volr.system.cores import cores
from volr.system.memory import check_room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.buffers import Batch, Memory
    from volr.engine.cpu.connectors import Tiles
    from volr.engine.cpu.single_spikes import Times
    from volr.engine.schedule import Layer, Schedule
    from volr.models.coding import InputCoding
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli

# A slice of a few large or long stimuli is cut smaller.
_SLICE_BYTES = 16_000_000
# Stimuli that are run spike by spike in a slice.
_SPIKE_BY_SPIKE = 64

Progress: TypeAlias = Callable[[int], None]
"""Told how many more stimuli are done."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A model in the form that the kernels take, with numbers of ``dtype``.

    Of a neuron model that has two forms, ``smooth`` is the one that training takes. ``programs``
    run it spike by spike, where that is possible: see ``volr.engine.cpu.single_spikes``. A copy
    with other numbers has none.
    """

    schedule: Schedule
    coding: InputCoding
    tiles: Tiles
    lifts: Mapping[str, NDArray[Any]]
    dtype: np.dtype[Any]
    smooth: bool
    programs: tuple[Program, ...] = field(default=(), init=False)


@dataclass(frozen=True, eq=False)
class Result:
    """What was kept of a simulation, by population.

    ``totals`` ``[batch, unit]`` of the layers that were asked for: spike counts, or V − v_rest, mV,
    where they do not spike, its mean or its last value; and counts of the inputs that were asked
    for. ``spikes``, and ``membranes`` in mV, after the step and its reset, ``[time, batch, unit]``.
    """

    totals: Mapping[str, Floats]
    spikes: Mapping[str, Booleans] = field(default_factory=dict[str, Booleans])
    membranes: Mapping[str, Floats] = field(default_factory=dict[str, Floats])


def ready(
    model: SpikingModel, dtype: type[np.floating[Any]] = np.float64, *, smooth: bool = False
) -> Ready:
    """The model for ``simulate``: by default in float64, and as simulators run it."""
    schedule, kind = schedule_of(model), np.dtype(dtype)
    arrays = {name: each.astype(kind) for name, each in model.parameters.items()}
    compiled(("tiles", kind), lambda: in_tiles(schedule, arrays))
    lifts = lifts_of(schedule, model.parameters, kind)
    found = Ready(schedule, model.coding, in_tiles(schedule, arrays), lifts, kind, smooth)
    if kind == np.float64:
        programs = programs_of(schedule, model.parameters, lifts, model.coding)
        object.__setattr__(found, "programs", programs)
    return found


def contents(model: Ready) -> dict[str, Floats]:
    """The weights that the kernels are given, spelled out again: ``[post, pre]`` by name, as
    precise as ``dtype`` is.
    """
    schedule = model.schedule
    weights: dict[str, Floats] = {}
    for layer in schedule.layers:
        for term in layer.terms:
            post, pre = layer.size, schedule.size(term.source)
            check_room({term.weight: 8 * post * pre}, "for the synapses, one by one")
            if model.programs:
                weights[term.weight] = model.programs[0].weights(term)
                continue
            synapses = synapses_of(term, layer.channels)
            weights[term.weight] = np.zeros((post, pre))
            for channel in model.tiles[term.weight]:
                weights[term.weight] += synapses.matrix(channel)
    return weights


def simulate(
    model: Ready,
    stimuli: Stimuli,
    *,
    seed: int = 0,
    first: int = 0,
    layers: tuple[str, ...] | None = None,
    counts: tuple[str, ...] = (),
    spikes: tuple[str, ...] = (),
    membranes: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Result:
    """Simulate each stimulus (``[batch, unit]``, values in [0, 1]) from rest, on its own.

    ``layers`` are those whose totals are wanted, all by default. ``counts`` names inputs,
    ``spikes`` and ``membranes`` populations to record. Raises ``ModelError`` where there is not the
    memory for it.
    """

    def encoded(start: int, last: int) -> Encoded:
        part, number = stimuli[start:last], first + start
        return encode(model.schedule, model.coding, part, seed=seed, first=number)

    return _run(model, encoded, len(stimuli), layers, counts, spikes, membranes, progress)


def simulate_encoded(model: Ready, encoded: Encoded) -> Result:
    """Simulate stimuli that are spike trains already."""

    def part(first: int, last: int) -> Encoded:
        return encoded.part(first, last)

    return _run(model, part, len(encoded), None, (), (), (), None)


def _run(
    model: Ready,
    encoded: Callable[[int, int], Encoded],
    count: int,
    layers: tuple[str, ...] | None,
    counts: tuple[str, ...],
    spikes: tuple[str, ...],
    membranes: tuple[str, ...],
    progress: Progress | None,
) -> Result:
    schedule, sizes = model.schedule, model.schedule.sizes
    result = empty_result(schedule, count, layers, counts, spikes, membranes)
    # Those programs have no membranes to record.
    programs = () if membranes else model.programs
    size = _SPIKE_BY_SPIKE if programs else _slice_size(schedule, model.dtype)
    if count and programs:
        compiled(
            ("once", len(programs)), lambda: _spike_by_spike(programs, schedule, encoded(0, 1))
        )
    elif count:
        kinds = (schedule.kinds, schedule.connectors, model.smooth, model.dtype, type(model.coding))
        key = (*kinds, max(sizes.values()) > 2**16)
        compiled(key, lambda: _forwards(model, encoded(0, 1)))

    def work(part: tuple[int, int]) -> None:
        first, last = part
        shown = encoded(first, last)
        record_inputs(result, schedule, shown, first, last)
        if (times := _spike_by_spike(programs, schedule, shown)) is not None:
            for layer in schedule.layers:
                if layer.name in result.totals:
                    result.totals[layer.name][first:last] = times.totals(layer.name)
                if layer.name in result.spikes:
                    result.spikes[layer.name][:, first:last] = times.spikes(layer.name)
            return
        batch = _forwards(model, shown)
        for layer in schedule.layers:
            name, memory = layer.name, batch.memory[layer.name]
            if name in result.totals:
                result.totals[name][first:last] = _totals(layer, memory, last - first)
            if name in result.spikes or name in result.membranes:
                shape = (last - first, schedule.steps, layer.size)
                fired = (memory.state.reshape(shape) & 1).astype(np.bool_)
                if name in result.spikes:
                    result.spikes[name][:, first:last] = fired.swapaxes(0, 1)
                if name in result.membranes:
                    after = after_reset(layer.neurons, memory.membrane.reshape(shape), fired)
                    result.membranes[name][:, first:last] = after.swapaxes(0, 1)
        put_back(batch)

    def tell(part: tuple[int, int]) -> None:
        if progress is not None:
            progress(part[1] - part[0])

    everywhere(work, slices(count, size), tell, size=count * neuron_steps(schedule))
    return result


def _spike_by_spike(
    programs: tuple[Program, ...], schedule: Schedule, shown: Encoded
) -> Times | None:
    return run(programs, schedule, shown) if programs and isinstance(shown, Trains) else None


def _totals(layer: Layer, memory: Memory, stimuli: int) -> NDArray[Any]:
    """Spike counts ``[stimulus, unit]``, or V − v_rest, mV: its mean, or its last value."""
    if layer.last:
        return memory.membrane.reshape(stimuli, -1, layer.size)[:, -1]
    return memory.total.reshape(stimuli, -1)


def _forwards(model: Ready, shown: Encoded) -> Batch:
    batch = empty_batch(model.schedule, len(shown), model.dtype, shown.density())
    whole = 0, len(shown)
    smooth = model.smooth
    forwards(model.schedule, shown, model.tiles, model.lifts, batch, *whole, differentiable=smooth)
    return batch


def _slice_size(schedule: Schedule, dtype: np.dtype[Any]) -> int:
    """Stimuli in a slice: fewer where they are long; ``ModelError`` where one is too many."""
    each = bytes_per_stimulus(schedule, dtype)
    check_room(
        {name: size * cores() for name, size in each.items()},
        f"to simulate {cores()} stimuli of {schedule.steps:,} steps at once",
        help="a shorter duration or a larger dt needs less, and makes another network",
    )
    return max(1, min(slice_size(schedule), _SLICE_BYTES // sum(each.values())))


def empty_result(
    schedule: Schedule,
    count: int,
    layers: tuple[str, ...] | None,
    counts: tuple[str, ...],
    spikes: tuple[str, ...],
    membranes: tuple[str, ...],
) -> Result:
    """Room for what is recorded of ``count`` stimuli; ``ModelError`` where there is none.

    Without ``layers``, the totals of all are.
    """
    sizes = schedule.sizes
    recorded = {name: schedule.steps * count * sizes[name] for name in spikes}
    for name in membranes:
        recorded[name] = recorded.get(name, 0) + 8 * schedule.steps * count * sizes[name]
    check_room(recorded, "for the recordings", help="record fewer populations or stimuli")
    names = tuple(layer.name for layer in schedule.layers) if layers is None else layers
    counted = (*names, *counts)
    return Result(
        totals={name: np.empty((count, sizes[name])) for name in counted},
        spikes={name: np.empty((schedule.steps, count, sizes[name]), np.bool_) for name in spikes},
        membranes={name: np.empty((schedule.steps, count, sizes[name])) for name in membranes},
    )


def record_inputs(
    result: Result, schedule: Schedule, shown: Encoded, first: int, last: int
) -> None:
    """Write into ``result`` what it keeps of the inputs, of stimuli ``first`` to ``last``."""
    for name, _ in schedule.inputs:
        units = schedule.input_units(name)
        if name in result.totals or name in result.spikes:
            spikes = shown.spelled_out()[:, :, units]
            if name in result.totals:
                result.totals[name][first:last] = spikes.sum(axis=0)
            if name in result.spikes:
                result.spikes[name][:, first:last] = spikes
        if name in result.membranes:
            result.membranes[name][:, first:last] = _input_membranes(schedule, shown, units)


def _input_membranes(schedule: Schedule, shown: Encoded, units: slice) -> Floats:
    """``[time, batch, unit]`` in mV; spikes that are given come from sources, which have none:
    NaN.
    """
    if not isinstance(shown, Trains) or shown.given:
        spikes = shown.spelled_out()[:, :, units]
        return np.full(spikes.shape, np.nan)
    levels = constant_levels(schedule.input_neuron, schedule.dt, schedule.steps)
    return levels.membranes[:, shown.levels[:, units]]
