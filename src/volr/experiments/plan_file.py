"""What was asked for, and with what: the part of an experiment's folder that a reader checks."""

from __future__ import annotations

import platform
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from volr.cores import cores
from volr.experiments.settings import settings_json
from volr.experiments.versions import versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.conditions import Plan


def described(plan: Plan, command: Sequence[str]) -> dict[str, Any]:
    """The plan as JSON, with the command, the versions of what computes, and the machine."""
    return {
        **surroundings(command),
        "tasks": dict(plan.tasks),
        "seeds": list(plan.seeds),
        "conditions": [each.label for each in plan.conditions],
        "on": plan.on,
        "settings": [settings_json(each) for each in plan.settings],
        "quick": plan.quick,
    }


def surroundings(command: Sequence[str]) -> dict[str, Any]:
    """The command, the time, the versions of what computes, and the machine."""
    return {
        "command": shlex.join(["volr", *command[1:]]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": dict(versions()),
        "machine": {"system": platform.platform(), "cores": cores()},
    }
