"""What was asked for, and with what: the part of an experiment's folder that a reader checks."""

from __future__ import annotations

import platform
import shlex
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from volr import __version__
from volr.cores import cores
from volr.experiments.settings import settings_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.conditions import Plan

PACKAGES = (
    *("numpy", "torch", "numba", "nest-simulator", "pynn", "brian2", "neuron", "futhark-ffi"),
    *("distributed", "optuna"),
)


def described(plan: Plan, command: Sequence[str]) -> dict[str, Any]:
    """The plan as JSON, with the command, the versions of what computes, and the machine."""
    return {
        **surroundings(command),
        "tasks": dict(plan.tasks),
        "seeds": list(plan.seeds),
        "conditions": [each.label for each in plan.conditions],
        "on": plan.on,
        "settings": [settings_json(each) for each in plan.settings],
    }


def surroundings(command: Sequence[str]) -> dict[str, Any]:
    """The command, the time, the versions of what computes, and the machine."""
    return {
        "command": shlex.join(["volr", *command[1:]]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"volr": __version__, "python": platform.python_version(), **_versions()},
        "machine": {"system": platform.platform(), "cores": cores()},
    }


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
