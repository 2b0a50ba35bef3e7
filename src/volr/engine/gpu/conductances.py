"""One step of ``IFCondExp`` in PyTorch, and the numbers that it takes.

The formula is that of ``volr.neurons.IFCondExp``, V counted from v_rest. With g_x the
conductances at the start of the step, d_x(t) = e^(−t/τ_x) and s_x(t) = τ_x/c_m (d_x(t) − d_x(dt)),

    c_m A(t) = c_m/τ_m + Σ g_x d_x(t)
    c_m B(t) = I + Σ g_x d_x(t) (e_rev_x − v_rest)
    E(t) = exp(−(dt − t)/τ_m − Σ g_x s_x(t))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from volr.neurons import IFCondExp

# The nodes of Gauss-Legendre quadrature with two nodes, as fractions of the step.
_NODES = (0.5 - 0.5 / math.sqrt(3.0), 0.5 + 0.5 / math.sqrt(3.0))


@dataclass(frozen=True, slots=True)
class Instant:
    """Time t of a step: d_E and d_I, s_E and s_I in 1/µS, and ``leak``, which is (dt − t)/τ_m."""

    left: tuple[float, float]
    spent: tuple[float, float]
    leak: float


def instant(neuron: IFCondExp, dt: float, time: float) -> Instant:
    taus = (neuron.tau_syn_E, neuron.tau_syn_I)
    left_e, left_i = (math.exp(-time / tau) for tau in taus)
    # d(t) − d(dt) without the cancellation of two numbers that are almost the same.
    spent_e, spent_i = (
        -tau / neuron.cm * math.exp(-time / tau) * math.expm1(-(dt - time) / tau) for tau in taus
    )
    return Instant((left_e, left_i), (spent_e, spent_i), (dt - time) / neuron.tau_m)


def instants(neuron: IFCondExp, dt: float) -> tuple[Instant, Instant, Instant, Instant]:
    """The start of a step, the two nodes of the quadrature, the end."""
    first, second = (instant(neuron, dt, node * dt) for node in _NODES)
    return instant(neuron, dt, 0.0), first, second, instant(neuron, dt, dt)


def pulls(neuron: IFCondExp) -> tuple[float, float]:
    """The reversal potentials, from v_rest, mV."""
    return neuron.e_rev_E - neuron.v_rest, neuron.e_rev_I - neuron.v_rest


def moved(
    neuron: IFCondExp, dt: float, v: Tensor, g_e: Tensor, g_i: Tensor, current: Tensor
) -> Tensor:
    """V − v_rest, mV, after a step that began with the conductances ``g_e`` and ``g_i``, µS.

    ``current``, nA, is that of bias and offset together.
    """
    start, *nodes, end = instants(neuron, dt)
    leak = neuron.cm / neuron.tau_m
    pull_e, pull_i = pulls(neuron)
    conductance = leak + g_e * end.left[0] + g_i * end.left[1]
    inflow = current + g_e * (end.left[0] * pull_e) + g_i * (end.left[1] * pull_i)
    goal = inflow / conductance

    def kept(at: Instant) -> Tensor:
        return torch.exp(-(at.leak + g_e * at.spent[0] + g_i * at.spent[1]))

    v = goal + kept(start) * (v - goal)
    for at in nodes:
        # B − A V∞, in nA: what still drives the membrane away from its goal at this node.
        surplus = current - leak * goal
        surplus = surplus + g_e * at.left[0] * (pull_e - goal)
        surplus = surplus + g_i * at.left[1] * (pull_i - goal)
        v = v + (0.5 * dt / neuron.cm) * kept(at) * surplus
    return v
