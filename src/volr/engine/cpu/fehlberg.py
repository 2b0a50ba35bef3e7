"""``IFCondExp`` as NEST integrates it: Runge–Kutta–Fehlberg 4(5) with a step that adapts.

What ``volr.engine.reference`` does, neuron by neuron, in the same order of operations, so that
spikes are NEST's. It is several times as much work as the quadrature in
``volr.engine.cpu.membranes`` and has no derivative, so that only simulation comes here.

Each neuron has steps of its own. All neurons that are not yet at the end of a time step try their
next one together, so that the loops over them become vector code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.compiler import njit
from volr.engine.cpu.membranes import fire
from volr.neurons.if_cond_exp import RKF_ERROR, RKF_RESULT, RKF_STAGES, TOLERANCES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INDEX = np.uintp
# As an array: a loop over it compiles in a fraction of the time that tuples take.
_STAGES = np.array([[*row, *[0.0] * (6 - len(row))] for row in RKF_STAGES])
_RESULT, _ERROR = np.array(RKF_RESULT), np.array(RKF_ERROR)
_V, _G_E, _G_I = (float(tolerance) for tolerance in TOLERANCES)


@njit(nogil=True, error_model="numpy")
def _weigh(into: NDArray[Any], weights: NDArray[Any], slopes: NDArray[Any], count: int) -> None:
    """The weighted sum of the first ``count`` rows of ``slopes``, in their order."""
    into[:] = 0.0
    for k in range(_INDEX(count)):
        weight = weights[k]
        for n in range(_INDEX(len(into))):
            into[n] += weight * slopes[k, n]


@njit(nogil=True, error_model="numpy")
def _try(
    v: NDArray[Any],
    g_e: NDArray[Any],
    g_i: NDArray[Any],
    held: NDArray[Any],
    lift: NDArray[Any],
    h: NDArray[Any],
    count: np.uintp,
    leak: float,
    reversals: tuple[float, float],
    taus: tuple[float, float],
    cm: float,
    bound: float,
    inner: NDArray[Any],
    slopes: NDArray[Any],
    x: NDArray[Any],
    error: NDArray[Any],
) -> None:
    """A step of ``h`` of the first ``count`` neurons: ``x`` becomes the mean slopes.

    ``x`` and the rows of ``slopes`` have three parts: V, g_E and g_I of all neurons. ``held`` is 1
    where the membrane does not move. Each loop writes to one array only, or it would not become
    vector code.
    """
    size = _INDEX(count)
    twice = size + size
    u, e, i = inner[0], inner[1], inner[2]
    for stage in range(_INDEX(6)):
        _weigh(x, _STAGES[stage], slopes, stage)
        slope = slopes[stage]
        for n in range(size):
            u[n] = min(v[n] + h[n] * x[n], bound)
        for n in range(size):
            e[n] = g_e[n] + h[n] * x[size + n]
        for n in range(size):
            i[n] = g_i[n] + h[n] * x[twice + n]
        for n in range(size):
            inward = -u[n] * cm * leak + e[n] * (reversals[0] - u[n]) + i[n] * (reversals[1] - u[n])
            inward += lift[n] * cm
            slope[n] = 0.0 if held[n] > 0.0 else inward / cm
        for n in range(size):
            slope[size + n] = -e[n] / taus[0]
        for n in range(size):
            slope[twice + n] = -i[n] / taus[1]
    _weigh(x, _ERROR, slopes, 6)
    for n in range(size):
        error[n] = max(
            abs(h[n] * x[n]) / _V, abs(h[n] * x[size + n]) / _G_E, abs(h[n] * x[twice + n]) / _G_I
        )
    _weigh(x, _RESULT, slopes, 6)


@njit(nogil=True, cache=True, error_model="numpy")
def run_cond_adaptive(
    drive: NDArray[Any],
    inhibition: NDArray[Any],
    membrane: NDArray[Any],
    state: NDArray[np.uint8],
    total: NDArray[Any],
    lift: NDArray[Any],
    stimuli: int,
    steps: int,
    dt: float,
    leak: float,
    reversals: tuple[float, float],
    taus: tuple[float, float],
    cm: float,
    threshold: float,
    keep: float,
    back: float,
    hold: bool,
    refractory: int,
    mean: float,
) -> None:
    """As ``run_cond``; ``drive`` and ``inhibition`` do not change."""
    size = len(lift)
    v, rest = np.zeros(size, drive.dtype), np.zeros(size, drive.dtype)
    fired = np.empty(size, drive.dtype)
    g_e, g_i, next_h = np.empty(size), np.empty(size), np.empty(size)
    # Of those that are not yet at the end of the time step, side by side: which they are, V and
    # conductances, the time that has passed, and the step that they try.
    which, y0, y1, y2 = np.empty(size, np.uintp), np.empty(size), np.empty(size), np.empty(size)
    held, raised, now, h = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    inner, slopes = np.empty((3, size)), np.empty((6, 3 * size))
    x, error = np.empty(3 * size), np.empty(size)
    bound = threshold if hold else np.inf
    for b in range(stimuli):
        v[:] = 0
        rest[:] = 0
        g_e[:] = 0
        g_i[:] = 0
        next_h[:] = dt
        base = _INDEX(b * size)
        for j in range(_INDEX(size)):
            total[base + j] = 0
        for t in range(steps):
            row = _INDEX((b * steps + t) * size)
            for j in range(_INDEX(size)):
                which[j], now[j] = j, 0.0
                y0[j], y1[j], y2[j] = v[j], g_e[j], g_i[j]
                held[j] = 1.0 if hold and rest[j] > 0 else 0.0
                raised[j] = lift[j]
                h[j] = min(next_h[j], dt)
            left = _INDEX(size)
            while left > 0:
                _try(
                    y0, y1, y2, held, raised, h, left, leak, reversals, taus, cm, bound,
                    inner, slopes, x[: 3 * left], error,
                )  # fmt: skip
                kept = _INDEX(0)
                for n in range(left):
                    j, off, tried = which[n], error[n], h[n]
                    factor = 1.0
                    if off > 1.1:
                        factor = max(0.9 * off ** (-1 / 5), 0.2)
                    else:
                        y0[n] += tried * x[n]
                        y1[n] += tried * x[left + n]
                        y2[n] += tried * x[left + left + n]
                        # A longer one than dt is never tried.
                        if off < 0.5 and tried < dt:
                            factor = min(max(0.9 * off ** (-1 / 6), 1.0), 5.0) if off > 0 else 5.0
                        if tried >= dt - now[n]:
                            membrane[row + j] = y0[n]
                            g_e[j] = y1[n] + drive[row + j]
                            g_i[j] = y2[n] - inhibition[row + j]
                            next_h[j] = tried * factor
                            continue
                        now[n] += tried
                    which[kept], now[kept] = j, now[n]
                    y0[kept], y1[kept], y2[kept] = y0[n], y1[n], y2[n]
                    held[kept], raised[kept] = held[n], raised[n]
                    h[kept] = min(tried * factor, dt - now[n])
                    kept += _INDEX(1)
                left = kept
            fire(
                membrane, state, row, v, rest, fired, total, base, size,
                threshold, keep, back, hold, refractory, mean,
            )  # fmt: skip
