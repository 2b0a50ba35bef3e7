"""The neuron models step by step: ``volr.engine.reference`` as loops over plain arrays.

Each kernel runs one population over all steps of some stimuli. ``drive``, a flat
``[stimulus, step, unit]``, holds what arrives in each step and becomes the membrane V − v_rest at
the end of the step and before the reset, in place. ``state``, of the same shape, gets bit 0 where a
neuron spikes and bit 1 where it is refractory. ``total`` ``[stimulus, unit]`` becomes the spike
count, or the mean of V − v_rest.

    lift        what the constant currents add to the membrane in a step, [unit]
    keep, back  after a spike V is keep · V + back: 0 and the reset, or 1 and minus a spike's cost
    hold        whether a refractory membrane stays at ``back``
    mean        1 / steps where the mean of V is wanted, or 0 where spikes are counted

All numbers are of the type of the arrays, so that float32 stays float32.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.compiler import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INDEX = np.uintp


@njit(nogil=True, inline="always", error_model="numpy")
def fire(
    drive: NDArray[Any],
    state: NDArray[np.uint8],
    row: np.uintp,
    v: NDArray[Any],
    rest: NDArray[Any],
    fired: NDArray[Any],
    total: NDArray[Any],
    base: np.uintp,
    size: int,
    threshold: float,
    keep: float,
    back: float,
    hold: bool,
    refractory: int,
    mean: float,
) -> None:
    """Threshold, reset and refractoriness of one step; ``drive`` holds the new membranes.

    Many short loops over few arrays: those become vector code, one long loop does not.
    """
    one, zero = drive.dtype.type(1), drive.dtype.type(0)
    if refractory == 0:
        for j in range(_INDEX(size)):
            fired[j] = one if drive[row + j] >= threshold else zero
        for j in range(_INDEX(size)):
            state[row + j] = drive[row + j] >= threshold
    else:
        if hold:
            for j in range(_INDEX(size)):
                held, x = v[j], drive[row + j]
                drive[row + j] = held if rest[j] > zero else x
        for j in range(_INDEX(size)):
            fired[j] = one if drive[row + j] >= threshold else zero
        for j in range(_INDEX(size)):
            fired[j] = zero if rest[j] > zero else fired[j]
        for j in range(_INDEX(size)):
            state[row + j] = np.uint8(fired[j] > zero) | (np.uint8(rest[j] > zero) << np.uint8(1))
        full = drive.dtype.type(refractory)
        for j in range(_INDEX(size)):
            rest[j] = max(rest[j] - one, zero) + fired[j] * full
    for j in range(_INDEX(size)):
        x = drive[row + j]
        v[j] = keep * x + back if fired[j] > zero else x
    if mean != zero:
        for j in range(_INDEX(size)):
            total[base + j] += mean * drive[row + j]
    else:
        for j in range(_INDEX(size)):
            total[base + j] += fired[j]


@njit(nogil=True, cache=True, error_model="numpy")
def run_delta(
    drive: NDArray[Any],
    state: NDArray[np.uint8],
    total: NDArray[Any],
    lift: NDArray[Any],
    stimuli: int,
    steps: int,
    decay: float,
    threshold: float,
    keep: float,
    back: float,
    hold: bool,
    refractory: int,
    mean: float,
) -> None:
    """``IFCurrDelta``."""
    size = len(lift)
    v, rest = np.empty(size, drive.dtype), np.empty(size, drive.dtype)
    fired = np.empty(size, drive.dtype)
    for b in range(stimuli):
        v[:] = 0
        rest[:] = 0
        base = _INDEX(b * size)
        for j in range(_INDEX(size)):
            total[base + j] = 0
        for t in range(steps):
            row = _INDEX((b * steps + t) * size)
            for j in range(_INDEX(size)):
                drive[row + j] = lift[j] + decay * v[j] + drive[row + j]
            fire(
                drive, state, row, v, rest, fired, total, base, size,
                threshold, keep, back, hold, refractory, mean,
            )  # fmt: skip


@njit(nogil=True, cache=True, error_model="numpy")
def run_exp(
    drive: NDArray[Any],
    inhibition: NDArray[Any],
    state: NDArray[np.uint8],
    total: NDArray[Any],
    lift: NDArray[Any],
    stimuli: int,
    steps: int,
    decay: float,
    decay_e: float,
    decay_i: float,
    rise_e: float,
    rise_i: float,
    threshold: float,
    keep: float,
    back: float,
    hold: bool,
    refractory: int,
    mean: float,
) -> None:
    """``IFCurrExp``.

    ``inhibition`` is what arrives through negative weights, where it has a decay of its own; or it
    is empty, and ``drive`` is all that arrives.
    """
    size = len(lift)
    both = len(inhibition) > 0
    v, rest = np.empty(size, drive.dtype), np.empty(size, drive.dtype)
    fired = np.empty(size, drive.dtype)
    e, i = np.empty(size, drive.dtype), np.empty(size, drive.dtype)
    for b in range(stimuli):
        v[:] = 0
        rest[:] = 0
        e[:] = 0
        i[:] = 0
        base = _INDEX(b * size)
        for j in range(_INDEX(size)):
            total[base + j] = 0
        for t in range(steps):
            row = _INDEX((b * steps + t) * size)
            if both:
                for j in range(_INDEX(size)):
                    x = decay * v[j] + rise_e * e[j] + rise_i * i[j] + lift[j]
                    e[j] = decay_e * e[j] + drive[row + j]
                    i[j] = decay_i * i[j] + inhibition[row + j]
                    drive[row + j] = x
            else:
                for j in range(_INDEX(size)):
                    x = decay * v[j] + rise_e * e[j] + lift[j]
                    e[j] = decay_e * e[j] + drive[row + j]
                    drive[row + j] = x
            fire(
                drive, state, row, v, rest, fired, total, base, size,
                threshold, keep, back, hold, refractory, mean,
            )  # fmt: skip


@njit(nogil=True, inline="always", error_model="numpy")
def cond_step(
    g_e: float, g_i: float, lift: float, numbers: tuple[float, ...]
) -> tuple[float, float, float, float, float, float, float]:
    """The parts of the formula of ``IFCondExp`` for a step that begins with g_E and g_I.

    V∞ and A(dt); E(0), and E times its weight at the two nodes; B − A V∞ at the two nodes. So
    V ← V∞ + E(0) (V − V∞) + the two products of the latter.
    """
    leak, pull_e, pull_i, decay_e, decay_i = numbers[:5]
    _, begin_e, begin_i, leak_0, e_0, i_0 = numbers[5:11]
    weight_1, at_e_1, at_i_1, leak_1, e_1, i_1 = numbers[11:17]
    weight_2, at_e_2, at_i_2, leak_2, e_2, i_2 = numbers[17:23]
    at_e, at_i = begin_e * decay_e, begin_i * decay_i
    conductance = leak + g_e * at_e + g_i * at_i
    end = (g_e * at_e * pull_e + g_i * at_i * pull_i + lift) / conductance
    return (
        end,
        conductance,
        math.exp(-(leak_0 + g_e * e_0 + g_i * i_0)),
        weight_1 * math.exp(-(leak_1 + g_e * e_1 + g_i * i_1)),
        weight_2 * math.exp(-(leak_2 + g_e * e_2 + g_i * i_2)),
        g_e * at_e_1 * (pull_e - end) + g_i * at_i_1 * (pull_i - end) + (lift - leak * end),
        g_e * at_e_2 * (pull_e - end) + g_i * at_i_2 * (pull_i - end) + (lift - leak * end),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def run_cond(
    drive: NDArray[Any],
    inhibition: NDArray[Any],
    membrane: NDArray[Any],
    state: NDArray[np.uint8],
    total: NDArray[Any],
    lift: NDArray[Any],
    stimuli: int,
    steps: int,
    numbers: tuple[float, ...],
    threshold: float,
    keep: float,
    back: float,
    hold: bool,
    refractory: int,
    mean: float,
) -> None:
    """``IFCondExp``, with the ``numbers`` of ``volr.engine.cpu.dynamics.quadrature``.

    ``drive`` and ``inhibition``, the positive and the negative weights that arrive, become the
    conductances at the beginning of each step; the membranes go to ``membrane``.
    """
    size = len(lift)
    v, rest = np.empty(size, drive.dtype), np.empty(size, drive.dtype)
    fired = np.empty(size, drive.dtype)
    e, i = np.empty(size, drive.dtype), np.empty(size, drive.dtype)
    decay_e, decay_i = numbers[3:5]
    for b in range(stimuli):
        v[:] = 0
        rest[:] = 0
        e[:] = 0
        i[:] = 0
        base = _INDEX(b * size)
        for j in range(_INDEX(size)):
            total[base + j] = 0
        for t in range(steps):
            row = _INDEX((b * steps + t) * size)
            for j in range(_INDEX(size)):
                g_e, g_i = e[j], i[j]
                end, _, left_0, left_1, left_2, first, second = cond_step(
                    g_e, g_i, lift[j], numbers
                )
                membrane[row + j] = end + left_0 * (v[j] - end) + left_1 * first + left_2 * second
                e[j] = decay_e * g_e + drive[row + j]
                i[j] = decay_i * g_i - inhibition[row + j]
                drive[row + j] = g_e
                inhibition[row + j] = g_i
            fire(
                membrane, state, row, v, rest, fired, total, base, size,
                threshold, keep, back, hold, refractory, mean,
            )  # fmt: skip
