"""How a neuron answers a constant current, step by step, in closed form.

From v_reset, k steps under the current I end at

    V_k = v_rest + (v_reset − v_rest) a^k + R I (1 − a^k),    a = e^(−dt/τ_m)

so the least current that fires every k steps is I_k = (v_thresh − v_rest − (v_reset − v_rest) a^k)
/ (R (1 − a^k)): the response is a staircase, and these are its edges. Refractoriness adds its steps
to each interval. Everything follows from V after k steps; no simulation is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from volr.models.arrays import Floats, Integers
    from volr.models.neurons import IFCurrDelta


def edge_currents(neuron: IFCurrDelta, dt: float, start: float, steps: Floats) -> Floats:
    """The least current, nA, that takes V from ``start`` mV to the threshold in ``steps`` steps."""
    time = steps * dt
    missing = neuron.v_thresh - neuron.v_rest
    missing = missing - (start - neuron.v_rest) * np.exp(-time / neuron.tau_m)
    return missing / (-neuron.resistance * np.expm1(-time / neuron.tau_m)) - neuron.i_offset


def spike_count(neuron: IFCurrDelta, dt: float, steps: int, current: Floats) -> Integers:
    """Spikes in the first ``steps`` steps from rest under a constant current (nA, any shape)."""
    ladder = np.arange(1, steps + 1, dtype=np.float64)
    first = _steps_to_spike(neuron, dt, neuron.v_rest, ladder, current)
    interval = _steps_to_spike(neuron, dt, neuron.v_reset, ladder, current)
    interval += neuron.refractory_steps(dt)
    return np.where(first <= steps, 1 + (steps - first) // interval, 0)


def _steps_to_spike(
    neuron: IFCurrDelta, dt: float, start: float, ladder: Floats, current: Floats
) -> Integers:
    """Steps from ``start`` to the threshold; one more than the ladder's last where never."""
    edges = edge_currents(neuron, dt, start, ladder)
    # With v_reset below v_rest the edges fall with k; above it they may not, so the first k that
    # suffices is looked for in the running minimum.
    falling = np.minimum.accumulate(edges)
    return len(ladder) - np.searchsorted(falling[::-1], current, side="right") + 1


def count_levels(neuron: IFCurrDelta, dt: float, steps: int) -> tuple[Integers, Floats]:
    """Every spike count that a constant current can give, rising, and a current that gives it.

    Returns ``(counts, currents)``, both ``[level]``, the currents in nA. Each current lies in the
    middle of its stair, as far from a tie at the threshold as it can be; the silent level, count 0,
    is the zero current.
    """
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
    low = edges[first]
    high = np.append(edges, edges[-1] * 2.0)[last + 1]
    currents = (low + high) / 2.0
    if levels[0] == 0:
        currents[0] = 0.0
        return levels, currents
    return np.concatenate([[0], levels]), np.concatenate([[0.0], currents])
