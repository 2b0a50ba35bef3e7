"""One step of ``IFCondExp`` in PyTorch.

The formula is that of ``volr.neurons.IFCondExp``, V counted from v_rest. With g_x the
conductances at the start of the step, d_x(t) = e^(−t/τ_x) and s_x(t) = τ_x/c_m (d_x(t) − d_x(dt)),
which are ``left`` and ``spent`` of an ``Instant``,

    c_m A(t) = c_m/τ_m + Σ g_x d_x(t)
    c_m B(t) = I + Σ g_x d_x(t) (e_rev_x − v_rest)
    E(t) = exp(−(dt − t)/τ_m − Σ g_x s_x(t))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from volr.neurons import IFCondExp
    from volr.neurons.if_cond_exp import Instant


def moved(
    neuron: IFCondExp, dt: float, v: Tensor, g_e: Tensor, g_i: Tensor, current: Tensor
) -> Tensor:
    """V − v_rest, mV, after a step that began with the conductances ``g_e`` and ``g_i``, µS.

    ``current``, nA, is that of bias and offset together.
    """
    start, *nodes, end = neuron.instants(dt)
    leak = neuron.cm / neuron.tau_m
    pull_e, pull_i = neuron.pulls
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
