"""The runs of an experiment in groups: runs of a group differ only in their seed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.experiments.conditions import CONDITIONS
from volr.experiments.results import Summary, summarise
from volr.experiments.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from volr.experiments.condition import Condition
    from volr.experiments.results import Row, Run


@dataclass(frozen=True, eq=False)
class Group:
    """Runs of one task, condition, source, back end and neuron, by seed; at least one.

    ``name`` is unique in an experiment, of letters, digits and hyphens.
    """

    name: str
    runs: tuple[Run, ...]

    @property
    def first(self) -> Row:
        return self.runs[0].row

    @property
    def summary(self) -> Summary:
        [summary] = summarise([run.row for run in self.runs])
        return summary

    @property
    def is_exact(self) -> bool:
        """Whether its networks compute the whole numbers of others, by first spikes."""
        return any(run.differing is not None for run in self.runs)

    @property
    def trained(self) -> str:
        """The condition, with the source if it is not the usual one."""
        row = self.first
        # The source of training in the loop is the simulator that it is measured on.
        usual = row.source in {"torch", "engine"} or bool(row.neuron and row.source == row.backend)
        return row.condition if usual else f"{row.condition}, {row.source}"

    @property
    def label(self) -> str:
        """``trained`` and the neuron."""
        return ", ".join(part for part in (self.trained, self.first.neuron) if part)


@dataclass(frozen=True, eq=False)
class TaskGroups:
    """The groups of one task; ``name`` is like that of a group."""

    name: str
    task: str
    groups: tuple[Group, ...]


def by_task(
    runs: Iterable[Run], conditions: Iterable[Condition] = CONDITIONS
) -> tuple[TaskGroups, ...]:
    """All runs by task and group, in the order of ``TASKS`` and ``conditions``."""
    names = [*dict.fromkeys(each.name for each in conditions)]
    tasks: dict[str, dict[tuple[str, ...], list[Run]]] = {}
    for run in sorted(runs, key=lambda each: _place(each, names)):
        row = run.row
        key = (row.condition, row.source, row.backend, row.neuron)
        tasks.setdefault(row.task, {}).setdefault(key, []).append(run)
    return tuple(_task(number, task, each) for number, (task, each) in enumerate(tasks.items(), 1))


def _task(number: int, task: str, found: Mapping[tuple[str, ...], list[Run]]) -> TaskGroups:
    name = slug(task, f"{number}")
    groups = [
        Group(slug(name, f"{place}", key[0], key[-1]), tuple(runs))
        for place, (key, runs) in enumerate(found.items(), 1)
    ]
    return TaskGroups(name, task, tuple(groups))


def slug(*parts: str) -> str:
    """A name of letters, digits and hyphens, for files and elements."""
    named = (re.sub(r"[^a-z0-9]+", "-", part.casefold()).strip("-") for part in parts)
    return "-".join(part for part in named if part)


_TASKS = [task.name for task in TASKS]


def _place(run: Run, conditions: Sequence[str]) -> tuple[object, ...]:
    row = run.row
    return (
        *_in(_TASKS, row.task),
        *_in(conditions, row.condition),
        row.neuron,
        # PyTorch is the usual source.
        *_in(["torch"], row.source),
        row.backend,
        row.seed,
    )


def _in(names: Sequence[str], name: str) -> tuple[int, str]:
    """The place of a name. Names that are not in the list come last, in alphabetical order."""
    return (names.index(name), "") if name in names else (len(names), name)
