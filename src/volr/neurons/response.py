"""How a neuron answers a constant current, step by step.

Without synapses all neuron models are the same membrane. From v_reset, k steps under the current I
end at

    V_k = v_rest + (v_reset − v_rest) a^k + R I (1 − a^k),    a = e^(−dt/τ_m)

(without leak V_k = v_reset + k I dt/c_m), so with the reset ``hard`` the least current that fires
every k steps is

    I_k = (v_thresh − v_rest − (v_reset − v_rest) a^k) / (R (1 − a^k)):

the response is a staircase, and these are its edges. Refractoriness adds its steps to each
interval. Everything follows from V after k steps; no simulation is needed.

With the reset ``subtract`` each interval starts from what the one before left over. There is no
closed form, but the response is a staircase too, whose edges are found by bisection.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from volr.checks.arrays import Floats, Integers
    from volr.neurons import NeuronModel

# Halvings of the range of currents: an edge is found to some 1e-9 of it.
_HALVINGS = 32


def edge_currents(neuron: NeuronModel, dt: float, start: float, steps: Floats) -> Floats:
    """The least current, nA, that takes V from ``start`` mV to the threshold in ``steps`` steps."""
    time = steps * dt
    missing = neuron.fires_at() - neuron.v_rest
    missing = missing - (start - neuron.v_rest) * np.exp(-time / neuron.tau_m)
    if not neuron.leaks:
        return missing * neuron.cm / time - neuron.i_offset
    return missing / (-neuron.resistance * np.expm1(-time / neuron.tau_m)) - neuron.i_offset


def spike_count(neuron: NeuronModel, dt: float, steps: int, current: Floats) -> Integers:
    """Spikes in the first ``steps`` steps from rest under a constant current (nA, any shape)."""
    if neuron.reset == "subtract":
        return _simulated_count(neuron, dt, steps, current)
    ladder = np.arange(1, steps + 1, dtype=np.float64)
    first = _steps_to_spike(neuron, dt, neuron.v_rest, ladder, current)
    interval = _steps_to_spike(neuron, dt, neuron.v_reset, ladder, current)
    interval += neuron.refractory_steps(dt)
    return np.where(first <= steps, 1 + (steps - first) // interval, 0)


def _steps_to_spike(
    neuron: NeuronModel, dt: float, start: float, ladder: Floats, current: Floats
) -> Integers:
    """Steps from ``start`` to the threshold; one more than the ladder's last where never."""
    edges = edge_currents(neuron, dt, start, ladder)
    # With v_reset below v_rest the edges fall with k; above it they may not, so the first k that
    # suffices is looked for in the running minimum.
    falling = np.minimum.accumulate(edges)
    return len(ladder) - np.searchsorted(falling[::-1], current, side="right") + 1


def _simulated_count(neuron: NeuronModel, dt: float, steps: int, current: Floats) -> Integers:
    """``spike_count`` of a neuron with the reset ``subtract``, step by step."""
    threshold, pause = neuron.fires_at() - neuron.v_rest, 1 + neuron.refractory_steps(dt)
    decay, pull = neuron.decay(dt), neuron.rise(dt) * (neuron.i_offset + current)
    v = np.zeros(current.shape)
    ready = np.zeros(current.shape, dtype=np.int64)  # the first step that may have a spike again
    counts = np.zeros(current.shape, dtype=np.int64)
    for k in range(steps):
        v = v * decay + pull
        spike = v >= threshold
        if pause > 1:
            spike &= ready <= k
            ready = np.where(spike, k + pause, ready)
        v -= neuron.theta * spike
        counts += spike
    return counts


# A coding asks before every batch, and a search is slow.
@lru_cache(maxsize=64)
def count_levels(neuron: NeuronModel, dt: float, steps: int) -> tuple[Integers, Floats]:
    """Every spike count that a constant current can give, rising, and a current that gives it.

    Returns ``(counts, currents)``, both ``[level]``, read-only, the currents in nA. Each current
    lies in the middle of its stair, as far from a tie at the threshold as it can be; the silent
    level, count 0, is the zero current, or what takes i_offset away where that alone would fire.
    """
    # The stairs are those of the whole current, of which i_offset is a part.
    bare = replace(neuron, i_offset=0.0)
    if neuron.reset == "subtract":
        levels, low, high = _found_stairs(bare, dt, steps)
    else:
        levels, low, high = _known_stairs(bare, dt, steps)
    firing = levels > 0
    alone = spike_count(bare, dt, steps, np.array([neuron.i_offset]))[0]
    silent = -neuron.i_offset if alone else 0.0
    levels = np.append(0, levels[firing])
    currents = np.append(silent, ((low + high) / 2.0)[firing] - neuron.i_offset)
    levels.setflags(write=False)
    currents.setflags(write=False)
    return levels, currents


def _known_stairs(neuron: NeuronModel, dt: float, steps: int) -> tuple[Integers, Floats, Floats]:
    """Counts, rising, and the lowest and the highest current of each, from the closed form."""
    ladder = np.arange(1, steps + 1, dtype=np.float64)
    edges = np.unique(
        np.concatenate(
            [
                edge_currents(neuron, dt, neuron.v_rest, ladder),
                edge_currents(neuron, dt, neuron.v_reset, ladder),
            ]
        )
    )
    # Above the last edge the neuron fires as fast as it ever will: half a stair more suffices.
    inside = np.append((edges[:-1] + edges[1:]) / 2.0, edges[-1] * 1.5)
    counts = spike_count(neuron, dt, steps, inside)
    levels, first = np.unique(counts, return_index=True)
    last = len(counts) - 1 - np.unique(counts[::-1], return_index=True)[1]
    return levels, edges[first], np.append(edges, edges[-1] * 2.0)[last + 1]


def _found_stairs(neuron: NeuronModel, dt: float, steps: int) -> tuple[Integers, Floats, Floats]:
    """Counts from 1, and the lowest and the highest current of each, by bisection.

    More current is never fewer spikes, so the edge of n spikes is the least current that gives n.
    """
    fastest = neuron.most_spikes(dt, steps)
    # What cannot reach the threshold in any time, 0 without leak; and what certainly gives the most
    # spikes.
    rheobase = (neuron.v_thresh - neuron.v_rest) / neuron.resistance
    strongest = np.array(2.0 * rheobase if neuron.leaks else neuron.theta / neuron.rise(dt))
    while spike_count(neuron, dt, steps, strongest - neuron.i_offset) < fastest:
        strongest *= 2.0
    wanted = np.arange(1, fastest + 1)
    low = np.full(fastest, rheobase - neuron.i_offset)
    high = np.full(fastest, float(strongest) - neuron.i_offset)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        enough = spike_count(neuron, dt, steps, middle) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    # As in the closed form, half a stair more is enough for the last.
    ends = np.append(high[1:], high[-1] * 2.0)
    stairs = ends > high
    return wanted[stairs], high[stairs], ends[stairs]
