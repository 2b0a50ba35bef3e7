"""``IFCondExp`` in Triton: the nonlinear part of ``volr.engine.gpu.triton_kernels``.

``numbers`` goes on with, from 5,

    5 c_m/τ_m   6 dt/(2 c_m)   7, 8 the reversal potentials from v_rest   9, 10 b_E, b_I

and then, for the start of a step, the two nodes of the quadrature and the end of a step (11, 16,
21, 26), d_E, d_I, s_E, s_I and the leak, as in ``volr.neurons.if_cond_exp.Instant``.
"""

# pyright: reportMissingModuleSource=false

from __future__ import annotations

import triton
import triton.language as tl

from volr.engine.gpu.triton_kernels import derivative, fire, reset, resting_at_end


@triton.jit
def _kept(e: tl.tensor, i: tl.tensor, instant: tl.tensor) -> tl.tensor:
    """E at an instant: what is left at the end of the step of a distance from the goal."""
    spent = e * tl.load(instant + 2) + i * tl.load(instant + 3)
    return tl.exp(-(tl.load(instant + 4) + spent))


@triton.jit
def _surplus(
    e: tl.tensor,
    i: tl.tensor,
    goal: tl.tensor,
    constant: tl.tensor,
    numbers: tl.tensor,
    instant: tl.tensor,
) -> tl.tensor:
    """B − A V∞ at an instant, nA."""
    surplus = constant - tl.load(numbers + 5) * goal
    surplus = surplus + e * tl.load(instant) * (tl.load(numbers + 7) - goal)
    return surplus + i * tl.load(instant + 1) * (tl.load(numbers + 8) - goal)


@triton.jit
def _goal(e: tl.tensor, i: tl.tensor, constant: tl.tensor, numbers: tl.tensor) -> tl.tensor:
    """V∞ − v_rest, mV."""
    left_e = tl.load(numbers + 26)
    left_i = tl.load(numbers + 27)
    conductance = tl.load(numbers + 5) + e * left_e + i * left_i
    inflow = constant + e * (left_e * tl.load(numbers + 7)) + i * (left_i * tl.load(numbers + 8))
    return inflow / conductance


@triton.jit
def forward_conductances(
    drive: tl.tensor,
    inhibition: tl.tensor,
    push: tl.tensor,
    numbers: tl.tensor,
    spikes: tl.tensor,
    membranes: tl.tensor,
    excited: tl.tensor,
    inhibited: tl.tensor,
    cells: tl.tensor,
    units: tl.tensor,
    steps: tl.tensor,
    refractory: tl.tensor,
    spiking: tl.constexpr,
    rests: tl.constexpr,
    hard: tl.constexpr,
    block: tl.constexpr,
) -> None:
    """``push`` ``[unit]`` are the constant currents, nA; ``excited`` and ``inhibited`` become the
    conductances at the start of each step, µS."""
    scale = tl.load(numbers + 6)
    decay_e = tl.load(numbers + 9)
    decay_i = tl.load(numbers + 10)
    at = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = at < cells
    constant = tl.load(push + at % units, mask=inside, other=0.0)
    v = tl.full([block], 0.0, constant.dtype)
    e = tl.full([block], 0.0, constant.dtype)
    i = tl.full([block], 0.0, constant.dtype)
    left = tl.full([block], 0, tl.int32)
    for _ in range(steps):
        tl.store(excited + at, e, mask=inside)
        tl.store(inhibited + at, i, mask=inside)
        before = v
        goal = _goal(e, i, constant, numbers)
        v = goal + _kept(e, i, numbers + 11) * (v - goal)
        for node in tl.static_range(2):
            instant = numbers + 16 + 5 * node
            surplus = _surplus(e, i, goal, constant, numbers, instant)
            v = v + scale * _kept(e, i, instant) * surplus
        e = decay_e * e + tl.load(drive + at, mask=inside, other=0.0)
        i = decay_i * i + tl.load(inhibition + at, mask=inside, other=0.0)
        if spiking and hard and rests:
            v = tl.where(left == 0, v, before)
        tl.store(membranes + at, v, mask=inside)
        fires, left = fire(v, left, numbers, refractory, spiking)
        if spiking:
            tl.store(spikes + at, fires.to(constant.dtype), mask=inside)
            v = reset(v, fires, numbers, hard)
        at += cells


@triton.jit
def backward_conductances(
    push: tl.tensor,
    spikes: tl.tensor,
    membranes: tl.tensor,
    excited: tl.tensor,
    inhibited: tl.tensor,
    numbers: tl.tensor,
    by_spikes: tl.tensor,
    by_membranes: tl.tensor,
    by_drive: tl.tensor,
    by_inhibition: tl.tensor,
    by_push: tl.tensor,
    cells: tl.tensor,
    units: tl.tensor,
    steps: tl.tensor,
    last: tl.tensor,
    refractory: tl.tensor,
    scan: tl.tensor,
    window: tl.tensor,
    spiking: tl.constexpr,
    rests: tl.constexpr,
    hard: tl.constexpr,
    from_spikes: tl.constexpr,
    from_membranes: tl.constexpr,
    shape: tl.constexpr,
    block: tl.constexpr,
) -> None:
    """The way back of ``forward_conductances``; arguments as for ``backward_currents``.

    With ′ the derivative by g_x, x being E or I, the membrane at the end of a step has

        V′ = V∞′ (1 − E(0)) − s_x(0) E(0) (V − V∞)
             + dt/(2 c_m) Σ_n E(t_n) (d_x(t_n) (e_rev_x − V∞) − A V∞′ − s_x(t_n) (B − A V∞))
        V∞′ = d_x(dt) (e_rev_x − V∞) / A(dt)

    where A and B are those of the node, in µS and nA, and V on the right is that at the start.
    """
    leak = tl.load(numbers + 5)
    scale = tl.load(numbers + 6)
    pull_e = tl.load(numbers + 7)
    pull_i = tl.load(numbers + 8)
    decay_e = tl.load(numbers + 9)
    decay_i = tl.load(numbers + 10)
    cell = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = cell < cells
    constant = tl.load(push + cell % units, mask=inside, other=0.0)
    after = tl.full([block], 0.0, constant.dtype)
    to_e = tl.full([block], 0.0, constant.dtype)
    to_i = tl.full([block], 0.0, constant.dtype)
    total = tl.full([block], 0.0, constant.dtype)
    at = cell + last
    resting = resting_at_end(spikes, at, inside, cells, scan, spiking, block)
    for back in range(steps):
        delta, resting = derivative(
            after, resting, at, inside, cells, refractory,
            spikes, membranes, numbers, by_spikes, by_membranes,
            spiking, rests, hard, from_spikes, from_membranes, shape,
        )  # fmt: skip

        # The membrane at the start of the step is that after the reset of the step before.
        known = inside & (back < steps - 1)
        v = tl.load(membranes + at - cells, mask=known, other=0.0)
        if spiking:
            fires = tl.load(spikes + at - cells, mask=known, other=0.0) > 0.0
            v = reset(v, fires, numbers, hard)
        e = tl.load(excited + at, mask=inside, other=0.0)
        i = tl.load(inhibited + at, mask=inside, other=0.0)
        goal = _goal(e, i, constant, numbers)
        left_e = tl.load(numbers + 26)
        left_i = tl.load(numbers + 27)
        conductance = leak + e * left_e + i * left_i
        goal_by_e = left_e * (pull_e - goal) / conductance
        goal_by_i = left_i * (pull_i - goal) / conductance
        goal_by_push = 1.0 / conductance
        kept = _kept(e, i, numbers + 11)
        by_e = goal_by_e * (1.0 - kept) - tl.load(numbers + 13) * kept * (v - goal)
        by_i = goal_by_i * (1.0 - kept) - tl.load(numbers + 14) * kept * (v - goal)
        by_constant = goal_by_push * (1.0 - kept)
        for node in tl.static_range(2):
            instant = numbers + 16 + 5 * node
            there_e = tl.load(instant)
            there_i = tl.load(instant + 1)
            part = scale * _kept(e, i, instant)
            surplus = _surplus(e, i, goal, constant, numbers, instant)
            pulled = leak + e * there_e + i * there_i
            slope_e = there_e * (pull_e - goal) - pulled * goal_by_e
            slope_i = there_i * (pull_i - goal) - pulled * goal_by_i
            by_e += part * (slope_e - tl.load(instant + 2) * surplus)
            by_i += part * (slope_i - tl.load(instant + 3) * surplus)
            by_constant += part * (1.0 - pulled * goal_by_push)

        tl.store(by_drive + at, to_e, mask=inside)
        tl.store(by_inhibition + at, to_i, mask=inside)
        total += delta * by_constant
        crosses = (steps - 1 - back) % window == 0
        after = tl.where(crosses, 0.0, kept * delta)
        to_e = tl.where(crosses, 0.0, decay_e * to_e + by_e * delta)
        to_i = tl.where(crosses, 0.0, decay_i * to_i + by_i * delta)
        at -= cells
    tl.store(by_push + cell, total, mask=inside)
