"""Derivatives of a spiking network forwards in time: the oracle for those found backwards.

Along one direction of the parameters every quantity has a tangent, which goes through time beside
it. What the surrogate, the reset, refractoriness and the window do to derivatives is said here in
these terms, and no code is shared with the engine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.neurons import IFCondExp, IFCurrDelta, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.engine.schedule import Layer, Schedule
    from volr.engine.surrogates import Surrogate


@dataclass
class Dual:
    """A value and its tangent, of one shape."""

    value: Floats
    tangent: Floats


def area_one(surrogate: Surrogate, u: Floats) -> Floats:
    """The four shapes, as the literature writes them."""
    w = surrogate.width
    return {
        "triangle": np.maximum(0, 1 - np.abs(u) / w) / w,
        "rectangle": np.where(np.abs(u) < w, 1 / (2 * w), 0),
        "fast_sigmoid": 1 / (2 * w * (1 + np.abs(u) / w) ** 2),
        "atan": 1 / (math.pi * w * (1 + (u / w) ** 2)),
    }[surrogate.shape]


def respond_along(
    schedule: Schedule,
    values: Mapping[str, Floats],
    direction: Mapping[str, Floats],
    spikes: Floats,
    surrogate: Surrogate,
    window: int | None,
) -> dict[str, Dual]:
    """Counts, or means of the membrane, ``[batch, unit]`` of each layer, along a direction."""
    emitted: dict[str, Dual] = {}
    start = 0
    for name, size in schedule.inputs:
        part = spikes[:, :, start : start + size].astype(float)
        emitted[name] = Dual(part, np.zeros_like(part))
        start += size
    totals: dict[str, Dual] = {}
    for layer in schedule.layers:
        arriving = [
            _arriving(schedule, layer, values, direction, emitted, sign, window) for sign in (1, -1)
        ]
        current = Dual(values[layer.bias], direction[layer.bias])
        out, v = _run(schedule, layer, arriving, current, surrogate, window)
        emitted[layer.name] = out
        totals[layer.name] = (
            Dual(out.value.sum(axis=0), out.tangent.sum(axis=0))
            if layer.spiking
            else Dual(v.value.mean(axis=0), v.tangent.mean(axis=0))
        )
    return totals


def _arriving(
    schedule: Schedule,
    layer: Layer,
    values: Mapping[str, Floats],
    direction: Mapping[str, Floats],
    emitted: Mapping[str, Dual],
    sign: int,
    window: int | None,
) -> Dual:
    batch = next(iter(emitted.values())).value.shape[1]
    total = Dual(*(np.zeros((schedule.steps, batch, layer.size)) for _ in range(2)))
    for term in layer.terms:
        source, name = term.source, term.weight
        mine = (values[name] >= 0) == (sign > 0)
        w, dw = np.where(mine, values[name], 0), np.where(mine, direction[name], 0)
        for k in range(term.delay, schedule.steps):
            sent = k - term.delay
            s, ds = emitted[source].value[sent], emitted[source].tangent[sent]
            if window is not None and sent // window != k // window:
                ds = np.zeros_like(ds)
            total.value[k] += s @ w.T
            total.tangent[k] += ds @ w.T + s @ dw.T
    return total


def _run(
    schedule: Schedule,
    layer: Layer,
    arriving: list[Dual],
    current: Dual,
    surrogate: Surrogate,
    window: int | None,
) -> tuple[Dual, Dual]:
    """Spikes, and V − v_rest before the reset, ``[time, batch, unit]``."""
    neuron = schedule.layers[0].neuron
    shape = arriving[0].value.shape
    out, membranes = (Dual(np.zeros(shape), np.zeros(shape)) for _ in range(2))
    v, e, i = (Dual(np.zeros(shape[1:]), np.zeros(shape[1:])) for _ in range(3))
    resting = np.zeros(shape[1:], dtype=int)
    for k in range(schedule.steps):
        if window is not None and k % window == 0:
            v, e, i = (Dual(x.value, np.zeros_like(x.tangent)) for x in (v, e, i))
        arrive = [Dual(x.value[k], x.tangent[k]) for x in arriving]
        before = v
        v, e, i = _step(neuron, schedule.dt, [v, e, i, current, *arrive])
        held = (resting > 0) & layer.spiking & (neuron.reset == "hard")
        v = Dual(np.where(held, before.value, v.value), np.where(held, 0, v.tangent))
        membranes.value[k], membranes.tangent[k] = v.value, v.tangent
        if not layer.spiking:
            continue
        u = (v.value + neuron.v_rest - neuron.v_thresh) / neuron.theta
        answers = resting == 0
        fires = answers & (v.value >= neuron.v_thresh - neuron.v_rest)
        out.value[k] = fires
        out.tangent[k] = answers * area_one(surrogate, u) / neuron.theta * v.tangent
        if neuron.reset == "hard":
            reset = neuron.v_reset - neuron.v_rest
            v = Dual(np.where(fires, reset, v.value), np.where(fires, 0, v.tangent))
        else:
            v = Dual(v.value - neuron.theta * fires, v.tangent)
        resting = np.where(fires, neuron.refractory_steps(schedule.dt), np.maximum(resting - 1, 0))
    return out, membranes


def _step(neuron: NeuronModel, dt: float, given: list[Dual]) -> tuple[Dual, Dual, Dual]:
    """One step, its derivative by central differences: exact where it is linear."""
    h = 1e-5 if isinstance(neuron, IFCondExp) else 1.0
    here, above, below = (
        stepped(neuron, dt, *(x.value + offset * x.tangent for x in given)) for offset in (0, h, -h)
    )
    v, e, i = (Dual(x, (y - z) / (2 * h)) for x, y, z in zip(here, above, below, strict=True))
    return v, e, i


def stepped(
    neuron: NeuronModel,
    dt: float,
    v: Floats,
    e: Floats,
    i: Floats,
    current: Floats,
    more: Floats,
    less: Floats,
) -> tuple[Floats, Floats, Floats]:
    """V − v_rest and both currents or conductances after a step, by the neurons' docstrings.

    ``more`` and ``less`` are the positive and the negative weights that arrive, ``current`` is the
    bias.
    """
    a, resistance = math.exp(-dt / neuron.tau_m), neuron.tau_m / neuron.cm
    current = neuron.i_offset + current
    if isinstance(neuron, IFCurrDelta):
        return v * a + resistance * (1 - a) * current + more + less, e, i
    taus = np.array([neuron.numbers[key] for key in ("tau_syn_E", "tau_syn_I")])
    b_e, b_i = np.exp(-dt / taus)
    if isinstance(neuron, IFCondExp):
        return quadrature_step(neuron, dt, v, e, i, current), b_e * e + more, b_i * i - less
    p_e, p_i = resistance * taus / (neuron.tau_m - taus) * (a - np.exp(-dt / taus))
    v = v * a + p_e * e + p_i * i + resistance * (1 - a) * current
    return v, b_e * e + more, b_i * i + less


def quadrature_step(
    neuron: IFCondExp, dt: float, v: Floats, g_e: Floats, g_i: Floats, current: Floats
) -> Floats:
    """The smooth step of ``IFCondExp``'s docstring, written as it stands there."""

    def g(t: float) -> tuple[Floats, Floats]:
        return g_e * np.exp(-t / neuron.tau_syn_E), g_i * np.exp(-t / neuron.tau_syn_I)

    def a(t: float) -> Floats:
        e, i = g(t)
        return (neuron.cm / neuron.tau_m + e + i) / neuron.cm

    def b(t: float) -> Floats:
        e, i = g(t)
        pull = e * (neuron.e_rev_E - neuron.v_rest) + i * (neuron.e_rev_I - neuron.v_rest)
        return (pull + current) / neuron.cm

    def left(t: float) -> Floats:
        (e, i), (last_e, last_i) = g(t), g(dt)
        spent = neuron.tau_syn_E * (e - last_e) + neuron.tau_syn_I * (i - last_i)
        return np.exp(-(dt - t) / neuron.tau_m - spent / neuron.cm)

    goal = b(dt) / a(dt)
    moved = goal + left(0.0) * (v - goal)
    for node, weight in zip(*np.polynomial.legendre.leggauss(2), strict=True):
        t = dt * (1 + node) / 2
        moved = moved + dt / 2 * weight * left(t) * (b(t) - a(t) * goal)
    return moved
