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

Arriving: TypeAlias = tuple[Floats, Floats]
"""The sums of the positive and of the negative weights that arrive."""

State: TypeAlias = tuple[Floats, ...]
"""What a model remembers besides V, ``[batch, unit]`` each, in the order of its equations."""


# Fehlberg's formula 4(5) (1969): the weights of the slopes so far in each stage, in the result of
# the fifth order, and in the estimate of its error. The equations do not name the time.
RKF_STAGES: tuple[tuple[float, ...], ...] = (
    (),
    (1 / 4,),
    (3 / 32, 9 / 32),
    (1932 / 2197, -7200 / 2197, 7296 / 2197),
    (439 / 216, -8.0, 3680 / 513, -845 / 4104),
    (-8 / 27, 2.0, -3544 / 2565, 1859 / 4104, -11 / 40),
)
RKF_RESULT = (16 / 135, 0.0, 6656 / 12825, 28561 / 56430, -9 / 50, 2 / 55)
RKF_ERROR = (1 / 360, 0.0, -128 / 4275, -2197 / 75240, 1 / 50, 2 / 55)
# 1e-3 of NEST's units: mV and, twice, nS.
TOLERANCES = np.array([1e-3, 1e-6, 1e-6])


@dataclass(frozen=True)
class Trace:
    """All that happened in a simulation, by population.

    ``spikes`` bool ``[time, batch, unit]``; ``membranes`` float64 ``[time, batch, unit]`` in mV,
    after the step and its reset; ``tested`` the same before, as it was compared with the threshold.
    An input that is given as spikes has no membrane.
    """

    spikes: Mapping[str, Booleans]
    membranes: Mapping[str, Floats]
    tested: Mapping[str, Floats]


def simulate(model: SpikingModel, stimuli: Floats, *, seed: int = 0) -> Trace:
    """Simulate each stimulus (``[batch, unit]``, values in [0, 1]) from rest, on its own.

    ``seed`` matters to random codings only. Raises ``DataError`` for stimuli that do not fit.
    """
    check_stimuli(stimuli, model.network.input_size)
    drive = input_drive(model, stimuli, seed=seed)
    spikes: dict[str, Booleans] = dict(drive.spikes)
    membranes: dict[str, Floats] = {}
    tested: dict[str, Floats] = {}
    for population in model.network.populations:
        name = population.name
        if name in drive.spikes:
            continue
        if name in drive.currents:
            currents = drive.currents[name]
        else:
            currents = np.tile(model.parameters[bias_name(population)], (len(stimuli), 1))
        arriving = _arriving(model, population, spikes, len(stimuli))
        run = _run(model, name, currents, arriving)
        spikes[name], membranes[name], tested[name] = run
    return Trace(spikes, membranes, tested)


def _arriving(
    model: SpikingModel, population: Population, spikes: Mapping[str, Booleans], batch: int
) -> Arriving:
    """What arrives in each step, both parts ``[time, batch, unit]``.

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
    model: SpikingModel, name: str, currents: Floats, arriving: Arriving
) -> tuple[Booleans, Floats, Floats]:
    """Spikes and membranes (mV), after and before the reset, of one population.

    ``currents`` are in nA, ``[batch, unit]``.
    """
    neuron, dt = model.neuron, model.dt
    positive, negative = arriving
    threshold = neuron.fires_at() - neuron.v_rest if model.is_spiking(name) else np.inf
    refractory_steps = neuron.refractory_steps(dt)
    bound = threshold if neuron.reset == "hard" else np.inf
    spikes = np.empty(positive.shape, dtype=np.bool_)
    membranes = np.empty(positive.shape)
    tested = np.empty(positive.shape)

    v = np.zeros(currents.shape)
    state = initial(neuron, dt, currents.shape)
    left = np.zeros(currents.shape, dtype=np.int64)  # refractory steps
    for k in range(model.steps):
        held = (left > 0) & (neuron.reset == "hard")
        arrive = (positive[k], negative[k])
        moved, state = step(neuron, dt, v, state, neuron.i_offset + currents, arrive, held, bound)
        v = np.where(held, v, moved)
        tested[k] = neuron.v_rest + v
        spike = (left == 0) & (v >= threshold)
        after = neuron.v_reset - neuron.v_rest if neuron.reset == "hard" else v - neuron.theta
        v = np.where(spike, after, v)
        left = np.where(spike, refractory_steps, np.maximum(left - 1, 0))
        spikes[k], membranes[k] = spike, neuron.v_rest + v
    return spikes, membranes, tested


def initial(neuron: NeuronModel, dt: float, shape: tuple[int, ...]) -> State:
    """What the neurons remember at the start."""
    match neuron:
        case IFCurrDelta():
            return ()
        case IFCurrExp():
            return np.zeros(shape), np.zeros(shape)
        case IFCondExp():
            return np.zeros(shape), np.zeros(shape), np.full(shape, dt)


def step(
    neuron: NeuronModel,
    dt: float,
    v: Floats,
    state: State,
    current: Floats,
    arrive: Arriving,
    held: Booleans,
    bound: float = np.inf,
) -> tuple[Floats, State]:
    """V and what is remembered one step later, before threshold and reset.

    ``v`` mV above rest, ``current`` nA; ``held`` are the neurons whose V does not move, whatever
    the V that is returned. All ``[batch, unit]``. ``bound``, mV above rest, is where a V is reset.
    """
    match neuron:
        case IFCurrDelta():
            return step_curr_delta(neuron, dt, v, current, arrive), state
        case IFCurrExp():
            return step_curr_exp(neuron, dt, v, state, current, arrive)
        case IFCondExp():
            return step_cond_exp(neuron, dt, v, state, current, arrive, held, bound)


def step_curr_delta(
    neuron: IFCurrDelta, dt: float, v: Floats, current: Floats, arrive: Arriving
) -> Floats:
    """V ← V a + R (1 − a) I + s."""
    return v * neuron.decay(dt) + neuron.rise(dt) * current + (arrive[0] + arrive[1])


def step_curr_exp(
    neuron: IFCurrExp, dt: float, v: Floats, state: State, current: Floats, arrive: Arriving
) -> tuple[Floats, State]:
    """V ← V a + p_E I_E + p_I I_I + R (1 − a) I,  then  I_x ← b_x I_x + s_x."""
    i_e, i_i = state
    p_e, p_i = neuron.synaptic_rises(dt)
    b_e, b_i = neuron.synaptic_decays(dt)
    v = v * neuron.decay(dt) + i_e * p_e + i_i * p_i + current * neuron.rise(dt)
    return v, (b_e * i_e + arrive[0], b_i * i_i + arrive[1])


def step_cond_exp(
    neuron: IFCondExp,
    dt: float,
    v: Floats,
    state: State,
    current: Floats,
    arrive: Arriving,
    held: Booleans,
    bound: float,
) -> tuple[Floats, State]:
    """V, g_E, g_I by Runge–Kutta–Fehlberg 4(5) in steps of h until dt, then  g_x ← g_x + |s_x|."""
    g_e, g_i, h = state
    e_e, e_i = neuron.e_rev_E - neuron.v_rest, neuron.e_rev_I - neuron.v_rest

    def slope(y: Floats) -> Floats:
        v, g_e, g_i = np.minimum(y[0], bound), y[1], y[2]
        inward = -v * neuron.cm / neuron.tau_m + g_e * (e_e - v) + g_i * (e_i - v) + current
        moves = np.where(held, 0.0, inward / neuron.cm)
        return np.stack([moves, -g_e / neuron.tau_syn_E, -g_i / neuron.tau_syn_I])

    y, t = np.stack([v, g_e, g_i]), np.zeros(v.shape)
    while (going := t < dt).any():
        last = h >= dt - t
        tried = np.where(last, dt - t, h)
        slopes: list[Floats] = []
        for row in RKF_STAGES:
            slopes.append(slope(y + tried * _weighted(row, slopes, y)))
        error = np.abs(tried * _weighted(RKF_ERROR, slopes, y)) / TOLERANCES[:, None, None]
        e = error.max(axis=0)
        undone = e > 1.1
        with np.errstate(divide="ignore"):
            shorter = np.maximum(0.9 * e ** (-1 / 5), 0.2)
            longer = np.where(e < 0.5, np.clip(0.9 * e ** (-1 / 6), 1.0, 5.0), 1.0)
        done = going & ~undone
        y = np.where(done, y + tried * _weighted(RKF_RESULT, slopes, y), y)
        h = np.where(going, tried * np.where(undone, shorter, longer), h)
        t = np.where(done, np.where(last, dt, t + tried), t)
    return y[0], (y[1] + arrive[0], y[2] - arrive[1], h)


def _weighted(weights: tuple[float, ...], slopes: list[Floats], like: Floats) -> Floats:
    total = np.zeros(like.shape)
    for weight, slope in zip(weights, slopes, strict=True):
        total += weight * slope
    return total
