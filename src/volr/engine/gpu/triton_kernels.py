"""One population over time in one kernel each way: ``volr.engine.gpu.recurrence.unroll`` in Triton.

A program has ``block`` of the ``cells``, which are all neurons of all stimuli, and goes over their
steps with the whole state in registers. Arrays are flat ``[time, batch, unit]``. What it writes for
the way back are the membranes, before the reset, and, for conductances, those at the start of each
step; all other state is linear, and found again.

A neuron that ``rests`` is refractory for 1 step or more, and then ``hard`` holds its membrane.
``numbers`` holds the constants in the type of the arrays, since Triton takes a float argument for
float32. It begins with those of every neuron,

    0 threshold   1 reset   2 theta   (from v_rest, mV; what a spike costs, mV)
    3 reach       4 height  (of the surrogate: width · theta, mV; its value at the threshold, 1/mV)

and goes on with those of the model, from 5. ``channels`` is the number of synapses' states, 0 to 2.
"""

# pyright: reportMissingModuleSource=false
# Triton need not be installed; its stub in typings/ is enough to check this file.

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def slope(v: tl.tensor, numbers: tl.tensor, shape: tl.constexpr) -> tl.tensor:
    """dS/dV, 1/mV; the shapes are numbered as in ``volr.engine.surrogates``."""
    x = tl.abs(v - tl.load(numbers)) / tl.load(numbers + 3)
    height = tl.load(numbers + 4)
    if shape == 0:
        value = height * tl.maximum(1.0 - x, 0.0)
    elif shape == 1:
        value = tl.where(x < 1.0, height, 0.0)
    elif shape == 2:
        value = height / ((1.0 + x) * (1.0 + x))
    else:
        value = height / (1.0 + x * x)
    return value


@triton.jit
def fire(
    v: tl.tensor,
    left: tl.tensor,
    numbers: tl.tensor,
    refractory: tl.tensor,
    spiking: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor]:
    """Where neurons spike, and how many refractory steps are left to them after this one."""
    fires = (left == 0) & (v >= tl.load(numbers)) & spiking
    return fires, tl.where(fires, refractory, tl.maximum(left - 1, 0))


@triton.jit
def reset(v: tl.tensor, fires: tl.tensor, numbers: tl.tensor, hard: tl.constexpr) -> tl.tensor:
    """V after the step."""
    if hard:
        after = tl.where(fires, tl.load(numbers + 1), v)
    else:
        after = tl.where(fires, v - tl.load(numbers + 2), v)
    return after


@triton.jit
def resting_at_end(
    spikes: tl.tensor,
    at: tl.tensor,
    inside: tl.tensor,
    cells: tl.tensor,
    scan: tl.tensor,
    spiking: tl.constexpr,
    block: tl.constexpr,
) -> tl.tensor:
    """How many steps, counted back from the last, ``at``, are refractory after a spike.

    It is among the last ``scan``, the lesser of the steps and those of refractoriness.
    """
    resting = tl.full([block], 0, tl.int32)
    if spiking:
        for back in range(scan):
            fires = tl.load(spikes + at, mask=inside, other=0.0) > 0.0
            resting = tl.where(fires, back, resting)
            at -= cells
    return resting


@triton.jit
def derivative(
    after: tl.tensor,
    resting: tl.tensor,
    at: tl.tensor,
    inside: tl.tensor,
    cells: tl.tensor,
    refractory: tl.tensor,
    spikes: tl.tensor,
    membranes: tl.tensor,
    numbers: tl.tensor,
    by_spikes: tl.tensor,
    by_membranes: tl.tensor,
    spiking: tl.constexpr,
    rests: tl.constexpr,
    hard: tl.constexpr,
    from_spikes: tl.constexpr,
    from_membranes: tl.constexpr,
    shape: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor]:
    """The derivative by V before the reset from that after it, and ``resting`` one step earlier."""
    delta = after
    active = resting == 0
    if spiking and rests:
        # The spike that is as far away as its refractoriness reaches comes into sight.
        earlier = at - tl.cast(refractory, tl.int64) * cells
        fires = tl.load(spikes + earlier, mask=inside & (earlier >= 0), other=0.0) > 0.0
        resting = tl.where(fires, refractory, resting)
        active = resting == 0
        resting = tl.maximum(resting - 1, 0)
    if spiking and hard:
        fires = tl.load(spikes + at, mask=inside, other=0.0) > 0.0
        delta = tl.where(fires, 0.0, delta)
    if spiking and from_spikes:
        v = tl.load(membranes + at, mask=inside, other=0.0)
        error = tl.load(by_spikes + at, mask=inside, other=0.0)
        delta += tl.where(active, error * slope(v, numbers, shape), 0.0)
    if from_membranes:
        delta += tl.load(by_membranes + at, mask=inside, other=0.0)
    if spiking and hard and rests:
        delta = tl.where(active, delta, 0.0)
    return delta, resting


@triton.jit
def forward_currents(
    drive: tl.tensor,
    inhibition: tl.tensor,
    push: tl.tensor,
    numbers: tl.tensor,
    spikes: tl.tensor,
    membranes: tl.tensor,
    cells: tl.tensor,
    units: tl.tensor,
    steps: tl.tensor,
    refractory: tl.tensor,
    channels: tl.constexpr,
    spiking: tl.constexpr,
    rests: tl.constexpr,
    hard: tl.constexpr,
    block: tl.constexpr,
) -> None:
    """``IFCurrDelta`` (no channels) and ``IFCurrExp``.

    ``push`` ``[unit]`` is what the constant currents add to the membrane in a step, mV. From 5 on:
    a, p_E, p_I, b_E, b_I. ``inhibition`` is read where there are two channels.
    """
    decay = tl.load(numbers + 5)
    rise_e = tl.load(numbers + 6)
    rise_i = tl.load(numbers + 7)
    decay_e = tl.load(numbers + 8)
    decay_i = tl.load(numbers + 9)
    at = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = at < cells
    constant = tl.load(push + at % units, mask=inside, other=0.0)
    v = tl.full([block], 0.0, constant.dtype)
    e = tl.full([block], 0.0, constant.dtype)
    i = tl.full([block], 0.0, constant.dtype)
    left = tl.full([block], 0, tl.int32)
    for _ in range(steps):
        arriving = tl.load(drive + at, mask=inside, other=0.0)
        before = v
        v = v * decay
        if channels == 0:
            v = v + constant + arriving
        if channels >= 1:
            v = v + rise_e * e
            e = decay_e * e + arriving
        if channels == 2:
            v = v + rise_i * i
            i = decay_i * i + tl.load(inhibition + at, mask=inside, other=0.0)
        if channels >= 1:
            v = v + constant
        if spiking and hard and rests:
            v = tl.where(left == 0, v, before)
        tl.store(membranes + at, v, mask=inside)
        fires, left = fire(v, left, numbers, refractory, spiking)
        if spiking:
            tl.store(spikes + at, fires.to(constant.dtype), mask=inside)
            v = reset(v, fires, numbers, hard)
        at += cells


@triton.jit
def backward_currents(
    spikes: tl.tensor,
    membranes: tl.tensor,
    numbers: tl.tensor,
    by_spikes: tl.tensor,
    by_membranes: tl.tensor,
    by_drive: tl.tensor,
    by_inhibition: tl.tensor,
    by_push: tl.tensor,
    cells: tl.tensor,
    steps: tl.tensor,
    last: tl.tensor,
    refractory: tl.tensor,
    scan: tl.tensor,
    window: tl.tensor,
    channels: tl.constexpr,
    spiking: tl.constexpr,
    rests: tl.constexpr,
    hard: tl.constexpr,
    from_spikes: tl.constexpr,
    from_membranes: tl.constexpr,
    shape: tl.constexpr,
    block: tl.constexpr,
) -> None:
    """The way back of ``forward_currents``.

    ``by_…`` is the derivative of the loss by that; ``by_push`` is ``[batch, unit]``. ``last`` is
    where the last step begins, steps · cells − cells, which Triton itself would take for 32 bits;
    ``scan`` is the lesser of ``steps`` and ``refractory``. ``window`` is as many steps as there are
    where it is not given.
    """
    decay = tl.load(numbers + 5)
    rise_e = tl.load(numbers + 6)
    rise_i = tl.load(numbers + 7)
    decay_e = tl.load(numbers + 8)
    decay_i = tl.load(numbers + 9)
    cell = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = cell < cells
    after = tl.full([block], 0.0, decay.dtype)
    e = tl.full([block], 0.0, decay.dtype)
    i = tl.full([block], 0.0, decay.dtype)
    total = tl.full([block], 0.0, decay.dtype)
    at = cell + last
    resting = resting_at_end(spikes, at, inside, cells, scan, spiking, block)
    for back in range(steps):
        delta, resting = derivative(
            after, resting, at, inside, cells, refractory,
            spikes, membranes, numbers, by_spikes, by_membranes,
            spiking, rests, hard, from_spikes, from_membranes, shape,
        )  # fmt: skip
        total += delta
        crosses = (steps - 1 - back) % window == 0
        after = tl.where(crosses, 0.0, decay * delta)
        if channels == 0:
            tl.store(by_drive + at, delta, mask=inside)
        if channels >= 1:
            tl.store(by_drive + at, e, mask=inside)
            e = tl.where(crosses, 0.0, decay_e * e + rise_e * delta)
        if channels == 2:
            tl.store(by_inhibition + at, i, mask=inside)
            i = tl.where(crosses, 0.0, decay_i * i + rise_i * delta)
        at -= cells
    tl.store(by_push + cell, total, mask=inside)
