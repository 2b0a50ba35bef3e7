"""Steps, durations and delays: what fits, and delays by projection."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

from volr.checks.annotations import as_float, shown

TOLERANCE = 1e-9
MOST_STEPS = 1_000_000
"""A stimulus, or a delay, of more steps than this is refused."""


def steps_of_delay(name: str, delays: Mapping[str, float], usual: float, dt: float) -> int:
    """The steps that the projection of this name takes: ``usual``, ms, without a delay of its
    own.
    """
    return round(delays.get(name, usual) / dt)


def timing_problems(dt: float, duration: float, delay: float) -> list[str]:
    """What is wrong with a step, duration and delay (ms), in words.

    A delay that equals a wrong step is not reported again, because it may be its default.
    """
    given = {"dt": dt, "duration": duration, "delay": delay}
    wrong = [
        f"{k} is {v} ms, not {'above 0' if math.isfinite(v) else 'finite'}"
        for k, v in given.items()
        if not (math.isfinite(v) and v > 0) and (k == "dt" or repr(v) != repr(dt))
    ]
    if not wrong:
        wrong = [
            f"{name} is {given[name]:g} ms, more than {MOST_STEPS:,} steps of {dt:g} ms"
            for name in ("duration", "delay")
            if given[name] / dt > MOST_STEPS
        ]
    if not wrong:
        wrong = [
            f"{name} {given[name]:g} ms is not a whole number of steps of {dt:g} ms"
            for name in ("duration", "delay")
            if not is_multiple(given[name], dt)
        ]
    return wrong


def delay_problems(delays: object, projections: set[str], dt: float) -> list[str]:
    """What is wrong with delays, ms, by the name of one of the ``projections``, in words."""
    if not isinstance(delays, Mapping):
        return [f"delays is {shown(delays)}, not delays in ms by the name of a projection"]
    wrong: list[str] = []
    for name, given in cast("Mapping[object, object]", delays).items():
        delay = as_float(given)
        if name not in projections:
            wrong.append(f"there is a delay of {shown(name)}, which is no projection")
        elif delay is None or not (math.isfinite(delay) and delay > 0):
            wrong.append(f"the delay of {name} is {shown(given)}, not a time above 0 ms")
        elif delay / dt > MOST_STEPS:
            wrong.append(f"the delay of {name}, {delay:g} ms, is more than {MOST_STEPS:,} steps")
        elif not is_multiple(delay, dt):
            wrong.append(
                f"the delay of {name}, {delay:g} ms, is not a whole number of steps of {dt:g} ms"
            )
    return wrong


def is_multiple(value: float, step: float) -> bool:
    """Whether ``value`` is a whole number of steps, at least one, up to rounding."""
    ratio = value / step
    return round(ratio) >= 1 and abs(ratio - round(ratio)) <= TOLERANCE * ratio
