"""``IFCondExp`` as NEST integrates it: Runge–Kutta–Fehlberg 4(5) with a step that adapts.

What ``volr.engine.reference`` does, neuron by neuron, in the same order of operations, so that
spikes are NEST's. It is a dozen times as much work as the quadrature in
``volr.engine.cpu.membranes`` and has no derivative, so that only simulation comes here.
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
    g_e, g_i, h = np.empty(size), np.empty(size), np.empty(size)
    slopes = np.empty((6, 3))
    bound = threshold if hold else np.inf
    for b in range(stimuli):
        v[:] = 0
        rest[:] = 0
        g_e[:] = 0
        g_i[:] = 0
        h[:] = dt
        base = _INDEX(b * size)
        for j in range(_INDEX(size)):
            total[base + j] = 0
        for t in range(steps):
            row = _INDEX((b * steps + t) * size)
            for j in range(size):
                y0, y1, y2 = float(v[j]), g_e[j], g_i[j]
                held = hold and rest[j] > 0
                now = 0.0
                while now < dt:
                    left = dt - now
                    last = h[j] >= left
                    tried = left if last else h[j]
                    for stage in range(6):
                        x0, x1, x2 = 0.0, 0.0, 0.0
                        for k in range(stage):
                            x0 += _STAGES[stage, k] * slopes[k, 0]
                            x1 += _STAGES[stage, k] * slopes[k, 1]
                            x2 += _STAGES[stage, k] * slopes[k, 2]
                        u = min(y0 + tried * x0, bound)
                        e, i = y1 + tried * x1, y2 + tried * x2
                        inward = -u * cm * leak + e * (reversals[0] - u) + i * (reversals[1] - u)
                        inward += lift[j] * cm
                        slopes[stage, 0] = 0.0 if held else inward / cm
                        slopes[stage, 1] = -e / taus[0]
                        slopes[stage, 2] = -i / taus[1]
                    x0, x1, x2 = 0.0, 0.0, 0.0
                    d0, d1, d2 = 0.0, 0.0, 0.0
                    for k in range(6):
                        x0 += _RESULT[k] * slopes[k, 0]
                        x1 += _RESULT[k] * slopes[k, 1]
                        x2 += _RESULT[k] * slopes[k, 2]
                        d0 += _ERROR[k] * slopes[k, 0]
                        d1 += _ERROR[k] * slopes[k, 1]
                        d2 += _ERROR[k] * slopes[k, 2]
                    error = max(
                        abs(tried * d0) / _V, abs(tried * d1) / _G_E, abs(tried * d2) / _G_I
                    )
                    if error > 1.1:
                        h[j] = tried * max(0.9 * error ** (-1 / 5), 0.2)
                        continue
                    factor = 1.0
                    if error < 0.5:
                        factor = min(max(0.9 * error ** (-1 / 6), 1.0), 5.0) if error > 0 else 5.0
                    y0, y1, y2 = y0 + tried * x0, y1 + tried * x1, y2 + tried * x2
                    h[j] = tried * factor
                    now = dt if last else now + tried
                membrane[row + _INDEX(j)] = y0
                g_e[j] = y1 + drive[row + _INDEX(j)]
                g_i[j] = y2 - inhibition[row + _INDEX(j)]
            fire(
                membrane, state, row, v, rest, fired, total, base, size,
                threshold, keep, back, hold, refractory, mean,
            )  # fmt: skip
