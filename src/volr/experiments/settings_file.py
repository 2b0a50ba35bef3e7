"""A settings file: JSON with settings, and a program for a task, such as `volr search` writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from volr.errors import DataError
from volr.experiments.settings import Settings, given, settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SettingsFile:
    """What a settings file says: ``told``, of the settings, and a ``program`` for a ``task``.

    It is read once: a pipe can be read no second time.
    """

    told: Mapping[str, Any] = field(default_factory=dict[str, Any])
    task: str | None = None
    program: str | None = None

    def program_for(self, task: str) -> str | None:
        """Its program, if it has one and is about this task."""
        return self.program if self.task == task else None


def settings_told(file: SettingsFile, *told: Mapping[str, Any]) -> Settings:
    """The settings of a file with what is ``told`` beside it: the last has the say, and None says
    nothing.
    """
    changes: dict[str, Any] = dict(file.told)
    for each in told:
        changes |= given(each)
    return replace(Settings(), **changes)


def read_settings(path: Path | None) -> SettingsFile:
    """A JSON file such as `volr search` writes: settings are under ``"settings"``; without a path,
    a file that says nothing.

    Raises ``DataError`` where the file cannot be read or says what no setting can be.
    """
    if path is None:
        return SettingsFile()
    content = _read_object(path)
    told = content.get("settings")
    if not isinstance(told, dict):
        raise DataError(
            f"{path} has no settings", help='it should be JSON such as {"settings": {"dt": 0.25}}'
        )
    entries = cast("dict[str, Any]", told)
    settings_from(entries, str(path))
    task, program = content.get("task"), content.get("program")
    return SettingsFile(
        told=entries,
        task=task if isinstance(task, str) else None,
        program=program if isinstance(program, str) else None,
    )


def _read_object(path: Path) -> dict[str, Any]:
    """A file's JSON object; an empty one where it is JSON of another kind."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}") from error
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}
