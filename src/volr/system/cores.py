"""How many cores this process may use."""

from __future__ import annotations

import os

from volr.errors import BackendError

LIMIT = "VOLR_CORES"
"""The environment variable that limits the cores, for several Volr processes side by side."""


def cores() -> int:
    """All that the system lets this process use, or ``VOLR_CORES`` where that is fewer.

    Raises ``BackendError`` where ``VOLR_CORES`` is no whole number from 1 up.
    """
    there = _there()
    configured = os.environ.get(LIMIT, "")
    if not configured:
        return there
    # Digits of any script are decimal; more of them than a number of cores has are too many.
    if not (configured.isascii() and configured.isdecimal() and configured.strip("0")):
        raise BackendError(
            f"{LIMIT} is {configured!r}, and a number of cores is a whole number from 1 up",
            help=f"set it to one from 1 to {there}, or unset it",
        )
    return there if len(configured.lstrip("0")) > len(f"{there}") else min(int(configured), there)


def _there() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)
