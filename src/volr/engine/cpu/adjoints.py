"""The neuron models backwards: backpropagation through time, population by population.

Each kernel goes over the steps of some stimuli from the last to the first. ``membrane`` and
``state`` are what ``volr.engine.cpu.membranes`` left, flat ``[stimulus, step, unit]``; ``returned``
is the derivative of the loss by the spikes of this population, through those it projects to, or
empty; ``weight_of_total``, ``[stimulus, unit]``, the derivative by its spike count or by the mean
of its membrane. The derivative by the drive takes the place of ``membrane``, and that by the
``lift`` of each neuron is added to ``bias`` ``[unit]``.

With S a spike, h the surrogate for dS/dV, and λ the derivative by the membrane after the reset,

    δ[t] = h[t] ∂L/∂S[t] + keep[t] λ[t],    keep[t] = 1, or 0 where a hard reset forgot V
    λ[t − 1] = a δ[t]

A refractory neuron does not answer, h = 0, and under a hard reset does not integrate, δ = 0.

The file is long because each neuron model has a kernel of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.compiler import njit
from volr.engine.cpu.membranes import cond_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INDEX = np.uintp


@njit(nogil=True, inline="always", error_model="numpy")
def _backwards(steps: int) -> NDArray[np.int64]:
    """The steps from the last to the first, as an array.

    Read from an array, the steps do not show LLVM that the loop over them counts down. Where it
    sees that, it asks once, before that loop, whether the arrays of the loops inside overlap. The
    answer is always that they may, so it makes no vector code, and that took three times as long.
    """
    return np.arange(steps - 1, -1, -1)


@njit(nogil=True, inline="always", error_model="numpy")
def _derivative(
    membrane: NDArray[Any],
    state: NDArray[np.uint8],
    returned: NDArray[Any],
    weight_of_total: NDArray[Any],
    row: np.uintp,
    base: np.uintp,
    after: NDArray[Any],
    slope: NDArray[Any],
    bit: NDArray[Any],
    size: int,
    keep: float,
    hold: bool,
    refractory: int,
    mean: float,
    shape: int,
    threshold: float,
    per_width: float,
    height: float,
) -> None:
    """``membrane[row:]`` ← δ, from ``after``, which is λ.

    The surrogate is ``height`` at the threshold and of the ``shape`` with that number in
    ``volr.engine.surrogates``; ``per_width`` is 1 / (width · theta). Many short loops over few
    arrays: those become vector code, one long loop does not.
    """
    # Numba has `one` in float64 beside float32 too, so surrogates are computed in that.
    one, zero = keep * 0 + 1, keep * 0
    if mean != zero:
        for j in range(_INDEX(size)):
            membrane[row + j] = mean * weight_of_total[base + j] + after[j]
        return
    for j in range(_INDEX(size)):
        slope[j] = (membrane[row + j] - threshold) * per_width
    if shape == 0:
        for j in range(_INDEX(size)):
            slope[j] = height * max(one - abs(slope[j]), zero)
    elif shape == 1:
        for j in range(_INDEX(size)):
            slope[j] = height if abs(slope[j]) < one else zero
    elif shape == 2:
        for j in range(_INDEX(size)):
            far = one + abs(slope[j])
            slope[j] = height / (far * far)
    else:
        for j in range(_INDEX(size)):
            slope[j] = height / (one + slope[j] * slope[j])
    if len(returned) > 0:
        for j in range(_INDEX(size)):
            slope[j] *= weight_of_total[base + j] + returned[row + j]
    else:
        for j in range(_INDEX(size)):
            slope[j] *= weight_of_total[base + j]
    # Not `one`: this stays in the type of the arrays.
    lost = membrane.dtype.type(1) - keep
    # A bit becomes a number by being stored: int32 · float32 would be float64.
    for j in range(_INDEX(size)):
        bit[j] = np.int32(state[row + j]) & np.int32(1)
    for j in range(_INDEX(size)):
        after[j] -= after[j] * (lost * bit[j])
    if refractory:
        for j in range(_INDEX(size)):
            bit[j] = np.int32(state[row + j]) >> np.int32(1)
        for j in range(_INDEX(size)):
            slope[j] -= slope[j] * bit[j]
        if hold:
            for j in range(_INDEX(size)):
                after[j] -= after[j] * bit[j]
    for j in range(_INDEX(size)):
        membrane[row + j] = slope[j] + after[j]


@njit(nogil=True, cache=True, error_model="numpy")
def return_delta(
    membrane: NDArray[Any],
    state: NDArray[np.uint8],
    returned: NDArray[Any],
    weight_of_total: NDArray[Any],
    bias: NDArray[Any],
    stimuli: int,
    steps: int,
    window: int,
    decay: float,
    keep: float,
    hold: bool,
    refractory: int,
    mean: float,
    shape: int,
    threshold: float,
    per_width: float,
    height: float,
) -> None:
    """``IFCurrDelta``."""
    size = len(bias)
    after, slope = np.empty(size, membrane.dtype), np.empty(size, membrane.dtype)
    bit = np.empty(size, membrane.dtype)
    backwards = _backwards(steps)
    for b in range(stimuli):
        after[:] = 0
        base = _INDEX(b * size)
        for t in backwards:
            if (t + 1) % window == 0:
                after[:] = 0
            row = _INDEX((b * steps + t) * size)
            _derivative(
                membrane, state, returned, weight_of_total, row, base, after, slope, bit, size,
                keep, hold, refractory, mean, shape, threshold, per_width, height,
            )  # fmt: skip
            for j in range(_INDEX(size)):
                bias[j] += membrane[row + j]
            for j in range(_INDEX(size)):
                after[j] = decay * membrane[row + j]


@njit(nogil=True, cache=True, error_model="numpy")
def return_exp(
    membrane: NDArray[Any],
    inhibition: NDArray[Any],
    state: NDArray[np.uint8],
    returned: NDArray[Any],
    weight_of_total: NDArray[Any],
    bias: NDArray[Any],
    stimuli: int,
    steps: int,
    window: int,
    decay: float,
    decay_e: float,
    decay_i: float,
    rise_e: float,
    rise_i: float,
    keep: float,
    hold: bool,
    refractory: int,
    mean: float,
    shape: int,
    threshold: float,
    per_width: float,
    height: float,
) -> None:
    """``IFCurrExp``: the drive of a step moves the membrane from the next step on.

    With μ the derivative by a current after the step, which is that by what arrives in it,
    μ[t − 1] = b μ[t] + p δ[t]. ``inhibition`` gets the derivative by what arrives there, or is
    empty.
    """
    size = len(bias)
    both = len(inhibition) > 0
    after, slope = np.empty(size, membrane.dtype), np.empty(size, membrane.dtype)
    bit = np.empty(size, membrane.dtype)
    e, i = np.empty(size, membrane.dtype), np.empty(size, membrane.dtype)
    backwards = _backwards(steps)
    for b in range(stimuli):
        after[:] = 0
        e[:] = 0
        i[:] = 0
        base = _INDEX(b * size)
        for t in backwards:
            if (t + 1) % window == 0:
                after[:] = 0
                e[:] = 0
                i[:] = 0
            row = _INDEX((b * steps + t) * size)
            _derivative(
                membrane, state, returned, weight_of_total, row, base, after, slope, bit, size,
                keep, hold, refractory, mean, shape, threshold, per_width, height,
            )  # fmt: skip
            for j in range(_INDEX(size)):
                bias[j] += membrane[row + j]
            if both:
                for j in range(_INDEX(size)):
                    inhibition[row + j] = i[j]
                    i[j] = decay_i * i[j] + rise_i * membrane[row + j]
            for j in range(_INDEX(size)):
                after[j] = decay * membrane[row + j]
            for j in range(_INDEX(size)):
                delta = membrane[row + j]
                membrane[row + j] = e[j]
                e[j] = decay_e * e[j] + rise_e * delta


@njit(nogil=True, cache=True, error_model="numpy")
def return_cond(
    drive: NDArray[Any],
    inhibition: NDArray[Any],
    membrane: NDArray[Any],
    state: NDArray[np.uint8],
    returned: NDArray[Any],
    weight_of_total: NDArray[Any],
    bias: NDArray[Any],
    lift: NDArray[Any],
    stimuli: int,
    steps: int,
    window: int,
    numbers: tuple[float, ...],
    back: float,
    keep: float,
    hold: bool,
    refractory: int,
    mean: float,
    shape: int,
    threshold: float,
    per_width: float,
    height: float,
) -> None:
    """``IFCondExp``: the derivatives of the formula in ``volr.engine.cpu.membranes.run_cond``.

    ``drive`` and ``inhibition`` hold the conductances at the beginning of each step and get the
    derivatives by what arrives in it.
    """
    size = len(bias)
    zero = keep * 0
    after, slope = np.empty(size, membrane.dtype), np.empty(size, membrane.dtype)
    bit = np.empty(size, membrane.dtype)
    e, i = np.empty(size, membrane.dtype), np.empty(size, membrane.dtype)
    leak, reversal_e, reversal_i, decay_e, decay_i = numbers[:5]
    _, begin_e, begin_i, _, e_0, i_0 = numbers[5:11]
    _, at_e_1, at_i_1, _, e_1, i_1 = numbers[11:17]
    _, at_e_2, at_i_2, _, e_2, i_2 = numbers[17:23]
    at_e, at_i = begin_e * decay_e, begin_i * decay_i
    backwards = _backwards(steps)
    for b in range(stimuli):
        after[:] = 0
        e[:] = 0
        i[:] = 0
        base = _INDEX(b * size)
        for t in backwards:
            if (t + 1) % window == 0:
                after[:] = 0
                e[:] = 0
                i[:] = 0
            row = _INDEX((b * steps + t) * size)
            _derivative(
                membrane, state, returned, weight_of_total, row, base, after, slope, bit, size,
                keep, hold, refractory, mean, shape, threshold, per_width, height,
            )  # fmt: skip
            for j in range(_INDEX(size)):
                delta = membrane[row + j]
                g_e, g_i = drive[row + j], inhibition[row + j]
                drive[row + j] = e[j]
                inhibition[row + j] = -i[j]
                # The membrane that the step began with, after the reset of the one before.
                v = zero
                if t > 0:
                    earlier = row - _INDEX(size) + j
                    v = membrane[earlier]
                    if state[earlier] & 1:
                        v = keep * v + back
                end, conductance, left_0, left_1, left_2, first, second = cond_step(
                    g_e, g_i, lift[j], numbers
                )
                by_end = (
                    1
                    - left_0
                    - left_1 * (leak + g_e * at_e_1 + g_i * at_i_1)
                    - left_2 * (leak + g_e * at_e_2 + g_i * at_i_2)
                )
                by_e = (
                    by_end * at_e * (reversal_e - end) / conductance
                    - e_0 * left_0 * (v - end)
                    + left_1 * (at_e_1 * (reversal_e - end) - e_1 * first)
                    + left_2 * (at_e_2 * (reversal_e - end) - e_2 * second)
                )
                by_i = (
                    by_end * at_i * (reversal_i - end) / conductance
                    - i_0 * left_0 * (v - end)
                    + left_1 * (at_i_1 * (reversal_i - end) - i_1 * first)
                    + left_2 * (at_i_2 * (reversal_i - end) - i_2 * second)
                )
                bias[j] += delta * (by_end / conductance + left_1 + left_2)
                after[j] = left_0 * delta
                e[j] = decay_e * e[j] + by_e * delta
                i[j] = decay_i * i[j] + by_i * delta
