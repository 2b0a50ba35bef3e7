"""A settings file: JSON with settings, and a program for a task, such as `volr search` writes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from volr.checks.annotations import shown
from volr.checks.json_values import entries_of, read_json
from volr.checks.names import named
from volr.errors import DataError, ModelError
from volr.experiments.settings import Settings, given, settings_from
from volr.experiments.settings_errors import naming
from volr.experiments.tasks import task as find_task
from volr.neurons import NEURON_MODELS, parameter_names
from volr.system.incoming import format_of, read_whole
from volr.system.storage import failing_as

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENTRIES = ("settings", "task", "program")
_OF_A_SEARCH = (
    *("condition", "on", "trial", "values", "validation accuracy", "unless told", "trials"),
)
"""Entries that a search writes beside its best settings, and that are not read here."""


@dataclass(frozen=True, kw_only=True)
class SettingsFile:
    """The contents of a settings file: ``settings`` by name, and a ``program`` for a ``task``.

    It is read only once, since it may be a pipe.
    """

    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    task: str | None = None
    program: str | None = None

    def program_for(self, task: str) -> str | None:
        """Its program, if it has one for this task."""
        return self.program if self.task == task else None


def settings_with(file: SettingsFile, *others: Mapping[str, Any]) -> Settings:
    """The settings of a file, changed by each of ``others``. The last one wins, and None changes
    nothing. Neuron parameters are changed one by one: the others keep the values of the file.
    ``ModelError`` is raised where another neuron has none of that name.
    """
    changes: dict[str, Any] = dict(file.settings)
    parameters: dict[str, float] = {}
    for each in (file.settings, *others):
        changes |= given(each)
        parameters |= each.get("neuron_parameters") or {}
    changes["neuron_parameters"] = parameters
    _check_kept(file, changes.get("neuron"))
    return Settings(**changes)


def _check_kept(file: SettingsFile, neuron: str | None) -> None:
    """Raise ``ModelError`` for parameters in the file that ``neuron``, given elsewhere, lacks."""
    model = {each.name: each for each in NEURON_MODELS}.get(neuron or "")
    own: Mapping[str, float] = file.settings.get("neuron_parameters", {})
    lacking = [] if model is None else [each for each in own if each not in parameter_names(model)]
    if lacking:
        raise ModelError(
            f"{neuron} has no parameter {', '.join(map(repr, lacking))}, which the settings file "
            "gives",
            help="take it out of the file's neuron_parameters, or keep the file's neuron, "
            f"{file.settings.get('neuron', Settings().neuron)}",
        )


def read_settings(path: Path | None) -> SettingsFile:
    """A JSON file such as `volr search` writes, with its settings under ``"settings"``.

    Without a path it is an empty file. Raises ``DataError`` if the file cannot be read, has a value
    that a setting cannot have, or has an unknown entry.
    """
    if path is None:
        return SettingsFile()
    content = _read_object(path)
    settings = entries_of(content.get("settings"))
    if settings is None:
        raise DataError(
            f"{path} has no settings", help='it should be JSON such as {"settings": {"dt": 0.25}}'
        )
    for name in content:
        _check_entry(name, path)
    settings_from(settings, str(path))
    task, program = _text(content, "task", path), _text(content, "program", path)
    if program is not None and task is None:
        raise DataError(
            f"{path} has a program and does not say for which task",
            help='put the task beside it: "task": "xor"',
        )
    if task is not None:
        with naming(str(path)):
            find_task(task)
    return SettingsFile(settings=settings, task=task, program=program)


def _check_entry(name: str, path: Path) -> None:
    if name in {each.name for each in fields(Settings)}:
        raise DataError(
            f'{path}: {name!r} is a setting, and stands outside "settings"',
            help=f'move it into them: {{"settings": {{"{name}": …}}}}',
        )
    if name not in _OF_A_SEARCH:
        with naming(str(path)):
            named("entry of a settings file", name, dict.fromkeys(ENTRIES), DataError)


def _text(content: Mapping[str, Any], name: str, path: Path) -> str | None:
    """An entry that is a text, or None."""
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise DataError(f"{path}: the {name} is {shown(value)}, not a text")
    return value


def _read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one for any other JSON."""
    with failing_as(DataError, f"cannot read {path}"):
        data = read_whole(path, pipes=True)
    try:
        content = read_json(data)
    except ValueError as error:
        found = format_of(data, str(path))
        is_it = f": it is {found.name}" if found is not None else f": {error}"
        raise DataError(
            f"{path} is not JSON{is_it}",
            help='settings are JSON such as {"settings": {"dt": 0.25}}',
        ) from error
    return entries_of(content) or {}
