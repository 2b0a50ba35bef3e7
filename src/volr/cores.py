"""How many cores this process may use."""

from __future__ import annotations

import os

LIMIT = "VOLR_CORES"
"""The environment variable that says so; whoever runs several of us side by side sets it."""


def cores() -> int:
    """What ``VOLR_CORES`` says, else all that the system lets this process use; at least 1."""
    limit = os.environ.get(LIMIT, "")
    if limit.isdecimal() and int(limit) > 0:
        return int(limit)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)
