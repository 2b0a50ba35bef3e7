"""What the engine's kernels leave open, measured: the very arrays that run, with other currents.

v_rest   the membranes that are recorded where there is no current at all
delays   a source spikes in the first step, and all other weights are zero: when does its target
         respond?
dt       the duration of a stimulus over the number of steps that a run has
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.readback import Answer, Asked, Told
from volr.engine.cpu.tiles import empty_like
from volr.engine.encoding import constant_levels
from volr.engine.simulation import Ready, simulate
from volr.models.coding import Poisson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats
    from volr.engine.schedule import Layer, Schedule, Term

WITHOUT_CURRENT = "measured in a simulation without any current"
SINGLE_SPIKE = "measured: the first response to a single source"
STEPS = "measured: the duration of a stimulus divided by the steps of a run"


def resting(prepared: Ready) -> tuple[int, dict[str, Floats]]:
    """How many steps a run has, and the membranes, mV ``[unit]``, of each layer where nothing
    happens.
    """
    names = tuple(layer.name for layer in prepared.schedule.layers)
    inputs = sum(size for _, size in prepared.schedule.inputs)
    found = simulate(_without_currents(prepared), np.zeros((1, inputs)), membranes=names)
    traces = found.membranes
    return (
        len(next(iter(traces.values()))) if traces else prepared.schedule.steps,
        {name: trace[0, 0] for name, trace in traces.items()},
    )


def resting_inputs(schedule: Schedule) -> Answer[float]:
    """The membrane, mV, of input neurons where nothing happens."""
    if schedule.input_neuron.i_offset != 0.0:
        return Told("its input neurons have an i_offset, so they are never at rest")
    # The first level is no current.
    return Asked(
        float(constant_levels(schedule.input_neuron, schedule.dt, schedule.steps).membranes[0, 0]),
        WITHOUT_CURRENT,
    )


def delay(
    prepared: Ready,
    thresholds: Mapping[str, float],
    layer: Layer,
    term: Term,
    weights: Floats,
    timing: tuple[float, Floats],
) -> Answer[float]:
    """How long after a spike of its source the membranes of a layer move, ms.

    One neuron spikes, that with the largest of the ``weights`` ``[post, pre]``. All weights of
    other projections are zero, and nothing else has a current that could move a membrane.
    ``timing`` is dt, ms, and the membranes at rest, mV ``[unit]``.
    """
    dt, resting_at = timing
    size = np.abs(weights)
    post, pre = np.unravel_index(int(size.argmax()), size.shape)
    neuron, rest = layer.neurons.at(int(post)), float(resting_at[post])
    largest = float(weights[post, pre])
    if largest == 0.0:
        return Told("all weights are zero, so nothing arrives")
    if not neuron.is_moved_at_rest(largest):
        return Told("inhibition does not move a membrane at rest")
    probe = _with_one_projection(prepared, term, 0.1 * neuron.unit_weight / abs(largest))
    schedule = probe.schedule
    stimulus = np.zeros((1, sum(size for _, size in schedule.inputs)))
    source = term.source
    if source in thresholds:
        # Far more than lifts it to its threshold in the first step, whatever leaks away.
        probe.lifts[source][pre] = (
            10.0 * thresholds[source] * (1.0 + 1.0 / schedule.dt + 1.0 / neuron.tau_m)
        )
    else:
        stimulus[0, schedule.input_units(source).start + int(pre)] = 1.0
    found = simulate(probe, stimulus, spikes=(layer.name,), membranes=(layer.name,))
    membrane = found.membranes[layer.name][:, 0, post]
    moved = (membrane != rest) | found.spikes[layer.name][:, 0, post]
    if not moved.any():
        return Asked(math.inf, SINGLE_SPIKE)
    # What currents and conductances take up moves the membrane from the next step on.
    late = 0 if neuron.moves_at_once else 1
    return Asked((int(moved.argmax()) - late) * dt, SINGLE_SPIKE)


def _without_currents(prepared: Ready) -> Ready:
    # Random spikes of the probability 0 are none; input neurons might have an i_offset.
    lifts = {name: np.zeros_like(lift) for name, lift in prepared.lifts.items()}
    return replace(prepared, lifts=lifts, coding=_each_step(prepared.schedule))


def _each_step(schedule: Schedule) -> Poisson:
    """The coding in which the value 1 is a spike in every step, and 0 none."""
    return Poisson(rate_max=1000.0 / schedule.dt)


def _with_one_projection(prepared: Ready, term: Term, factor: float) -> Ready:
    """What runs, but for one projection without weights and currents; its weights times a factor,
    which makes what arrives large enough to be seen."""
    schedule = prepared.schedule
    tiles: dict[str, tuple[NDArray[Any], ...]] = {}
    for each in schedule.layers:
        for other in each.terms:
            kept = factor if other.weight == term.weight else 0.0
            tiles[other.weight] = tuple(
                # Where a cache line begins, as those that it is made of.
                np.multiply(tile, kept, out=empty_like(tile))
                for tile in prepared.tiles[other.weight]
            )
    slowest = max(other.delay for each in schedule.layers for other in each.terms)
    schedule = replace(schedule, steps=max(schedule.steps, slowest + 2))
    return replace(_without_currents(prepared), schedule=schedule, tiles=tiles)
