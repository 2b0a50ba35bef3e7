"""What a spiking network computes, as a plain NumPy program in float64: the specification.

Everything else that simulates is compared with it, NEST included. It is written to be read, not to
be fast: population by population, since a network has no cycles, and step by step.

Within this file V is relative to v_rest, as in NEST, so that rounding is alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.models.arrays import Booleans, Floats
from volr.models.coding import check_stimuli, input_drive
from volr.models.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.models.model import SpikingModel
    from volr.network import Population

Synapses: TypeAlias = tuple[Floats, Floats]
"""What excitation and inhibition have left behind, ``[batch, unit]`` each: nA, or µS."""


@dataclass(frozen=True)
class Trace:
    """All that happened in a simulation, by population.

    ``spikes`` bool ``[time, batch, unit]``; ``membranes`` float64 ``[time, batch, unit]`` in mV,
    after the step and its reset. An input that is given as spikes has no membrane.
    """

    spikes: Mapping[str, Booleans]
    membranes: Mapping[str, Floats]


def simulate(model: SpikingModel, stimuli: Floats, *, seed: int = 0) -> Trace:
    """Simulate each stimulus (``[batch, unit]``, values in [0, 1]) from rest, on its own.

    ``seed`` matters to random codings only. Raises ``DataError`` for stimuli that do not fit.
    """
    check_stimuli(stimuli, model.network.input_size)
    drive = input_drive(model, stimuli, seed=seed)
    spikes: dict[str, Booleans] = dict(drive.spikes)
    membranes: dict[str, Floats] = {}
    for population in model.network.populations:
        name = population.name
        if name in drive.spikes:
            continue
        if name in drive.currents:
            currents = drive.currents[name]
        else:
            currents = np.tile(model.parameters[bias_name(population)], (len(stimuli), 1))
        arriving = _arriving(model, population, spikes, len(stimuli))
        spikes[name], membranes[name] = _run(model, name, currents, arriving)
    return Trace(spikes, membranes)


def _arriving(
    model: SpikingModel, population: Population, spikes: Mapping[str, Booleans], batch: int
) -> tuple[Floats, Floats]:
    """The positive and the negative weights that arrive, each ``[time, batch, unit]``.

    A spike of step k arrives in step k + d.
    """
    shape = (model.steps, batch, population.size)
    positive, negative = np.zeros(shape), np.zeros(shape)
    d = model.delay_steps
    for projection in model.network.incoming[population.name]:
        weights = model.parameters[weight_name(projection)]
        sent = spikes[projection.source][: max(model.steps - d, 0)].astype(np.float64)
        positive[d:] += sent @ np.maximum(weights, 0.0).T
        negative[d:] += sent @ np.minimum(weights, 0.0).T
    return positive, negative


def _run(
    model: SpikingModel, name: str, currents: Floats, arriving: tuple[Floats, Floats]
) -> tuple[Booleans, Floats]:
    """Spikes and membranes (mV) of one population under ``currents``, nA ``[batch, unit]``."""
    neuron, dt = model.neuron, model.dt
    positive, negative = arriving
    threshold = neuron.v_thresh - neuron.v_rest if model.is_spiking(name) else np.inf
    refractory_steps = neuron.refractory_steps(dt)
    spikes = np.empty(positive.shape, dtype=np.bool_)
    membranes = np.empty(positive.shape)

    v = np.zeros(currents.shape)
    synapses = (np.zeros(currents.shape), np.zeros(currents.shape))
    resting = np.zeros(currents.shape, dtype=np.int64)  # refractory steps that are left
    for k in range(model.steps):
        moved, synapses = step(
            neuron, dt, v, synapses, neuron.i_offset + currents, (positive[k], negative[k])
        )
        spike = (resting == 0) & (moved >= threshold)
        if neuron.reset == "hard":
            v = np.where(resting > 0, v, moved)
            v = np.where(spike, neuron.v_reset - neuron.v_rest, v)
        else:
            v = np.where(spike, moved - neuron.theta, moved)
        resting = np.where(spike, refractory_steps, np.maximum(resting - 1, 0))
        spikes[k], membranes[k] = spike, neuron.v_rest + v
    return spikes, membranes


def step(
    neuron: NeuronModel, dt: float, v: Floats, synapses: Synapses, current: Floats, arrive: Synapses
) -> tuple[Floats, Synapses]:
    """V and the synapses one step later, before threshold and reset.

    ``v`` mV above rest, ``current`` nA; ``arrive``, the sums of the positive and of the negative
    weights that arrive in this step. All ``[batch, unit]``.
    """
    match neuron:
        case IFCurrDelta():
            return step_curr_delta(neuron, dt, v, current, arrive), synapses
        case IFCurrExp():
            return step_curr_exp(neuron, dt, v, synapses, current, arrive)
        case IFCondExp():
            return step_cond_exp(neuron, dt, v, synapses, current, arrive)


def step_curr_delta(
    neuron: IFCurrDelta, dt: float, v: Floats, current: Floats, arrive: Synapses
) -> Floats:
    """V ← V a + R (1 − a) I + s."""
    return v * neuron.decay(dt) + neuron.rise(dt) * current + (arrive[0] + arrive[1])


def step_curr_exp(
    neuron: IFCurrExp, dt: float, v: Floats, synapses: Synapses, current: Floats, arrive: Synapses
) -> tuple[Floats, Synapses]:
    """V ← V a + p_E I_E + p_I I_I + R (1 − a) I,  then  I_x ← b_x I_x + s_x."""
    i_e, i_i = synapses
    p_e, p_i = neuron.synaptic_rises(dt)
    b_e, b_i = neuron.synaptic_decays(dt)
    v = v * neuron.decay(dt) + i_e * p_e + i_i * p_i + current * neuron.rise(dt)
    return v, (b_e * i_e + arrive[0], b_i * i_i + arrive[1])


def step_cond_exp(
    neuron: IFCondExp, dt: float, v: Floats, synapses: Synapses, current: Floats, arrive: Synapses
) -> tuple[Floats, Synapses]:
    """V ← V∞ + E(0) (V − V∞) + ∫ E(t) (B(t) − A(t) V∞) dt,  then  g_x ← e^(−dt/τ_x) g_x + |s_x|."""
    g_e, g_i = synapses
    tau_e, tau_i = neuron.tau_syn_E, neuron.tau_syn_I
    e_e, e_i = neuron.e_rev_E - neuron.v_rest, neuron.e_rev_I - neuron.v_rest

    def a(t: float) -> Floats:
        conductance = g_e * np.exp(-t / tau_e) + g_i * np.exp(-t / tau_i)
        return 1.0 / neuron.tau_m + conductance / neuron.cm

    def b(t: float) -> Floats:
        return (g_e * np.exp(-t / tau_e) * e_e + g_i * np.exp(-t / tau_i) * e_i + current) / (
            neuron.cm
        )

    def left(t: float) -> Floats:
        """E(t) = exp(−∫_t^dt A): of a membrane at t, what is left at dt."""
        charge = g_e * tau_e * (np.exp(-t / tau_e) - np.exp(-dt / tau_e))
        charge = charge + g_i * tau_i * (np.exp(-t / tau_i) - np.exp(-dt / tau_i))
        return np.exp(-(dt - t) / neuron.tau_m - charge / neuron.cm)

    end = b(dt) / a(dt)
    pull = np.zeros(v.shape)
    for node in (0.5 - np.sqrt(1 / 12), 0.5 + np.sqrt(1 / 12)):
        t = node * dt
        pull += dt / 2 * left(t) * (b(t) - a(t) * end)
    v = end + left(0.0) * (v - end) + pull
    return v, (np.exp(-dt / tau_e) * g_e + arrive[0], np.exp(-dt / tau_i) * g_i - arrive[1])
