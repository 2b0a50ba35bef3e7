"""The plan of an experiment as JSON, with its command, versions and machine."""

from __future__ import annotations

import platform
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from volr.checks.json_values import entries_of
from volr.experiments.settings import settings_json
from volr.experiments.versions import versions
from volr.system.cores import cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from volr.experiments.plan import ExperimentPlan


def plan_json(plan: ExperimentPlan, command: Sequence[str]) -> dict[str, Any]:
    """The plan as JSON, with the command, the versions of all software, and the machine."""
    return {
        **surroundings(command),
        "tasks": dict(plan.tasks),
        "seeds": list(plan.seeds),
        "conditions": [each.label for each in plan.conditions],
        "on": plan.on,
        "settings": [settings_json(each) for each in plan.settings],
        "quick": plan.quick,
    }


def commands(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entries of all commands that filled a folder, from the first to the last.

    There are several if an experiment was interrupted and continued. ``plan`` is as it was read,
    and may have any content.
    """
    earlier = plan.get("earlier")
    if isinstance(earlier, list):
        for each in cast("list[object]", earlier):
            if (entries := entries_of(each)) is not None:
                yield entries
    yield plan


def surroundings(command: Sequence[str]) -> dict[str, Any]:
    """The command, the time, the versions of all software, and the machine."""
    return {
        "command": shlex.join(command),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": dict(versions()),
        "machine": {"system": platform.platform(), "cores": cores()},
    }
