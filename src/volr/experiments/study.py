"""What a study adds to experiments: conditions, and sections of the report.

A study is a package outside Volr that gives the commands `experiment` and `report` a ``Study``
(``volr.cli.app.command_line``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.experiments.conditions import CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from volr.experiments.condition import Condition
    from volr.experiments.report.groups import TaskGroups
    from volr.experiments.report.parts import Section


@dataclass(frozen=True)
class Reported:
    """An accuracy that others report: its mean and standard deviation, as far as they are known.

    ``words`` are shown if there is no number.
    """

    mean: float | None = None
    std: float | None = None
    words: str = ""

    def __str__(self) -> str:
        if self.mean is None:
            return self.words
        return f"{self.mean:.3f}" if self.std is None else f"{self.mean:.3f} ± {self.std:.3f}"


@dataclass(frozen=True, kw_only=True)
class Others:
    """The accuracies of others, shown beside those of an experiment.

    ``title`` is the title of their column. ``about`` is a sentence about them, without its full
    stop. ``reported`` gives the accuracy for a task and a condition, or None.
    """

    title: str
    about: str
    reported: Callable[[str, str], Reported | None]


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is measured and shown.

    ``conditions``    all conditions that can be chosen by name, in the order of tables
    ``measured``      those that are measured by default, in the order of their runs
    ``neuron``        the default neuron model; None for that of ``Settings``
    ``looked_at``     the conditions whose spikes the report shows: those of the first with a model
    ``others``        the accuracies of others
    ``apart``         conditions that are only in the study's own sections
    ``sections``      these sections, from the experiment's groups of runs
    """

    conditions: tuple[Condition, ...] = CONDITIONS
    measured: tuple[Condition, ...] = CONDITIONS
    neuron: str | None = None
    looked_at: tuple[str, ...] = ("snn-transferred", "snn-finetuned", "snn-surrogate", "snn-random")
    others: Others | None = None
    apart: Collection[str] = ()
    sections: Callable[[Sequence[TaskGroups]], Sequence[Section]] = lambda _tasks: ()


VOLR = Study()
"""Volr's own experiments."""
