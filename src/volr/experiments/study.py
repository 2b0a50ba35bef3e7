"""What a study of its own adds to experiments: conditions, and more on the page of the report.

A study is a package outside Volr that gives the commands `experiment` and `report` a ``Study``
(``volr.cli.app.command_line``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.experiments.conditions import CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from volr.experiments.conditions import Condition
    from volr.experiments.report.groups import TaskGroups
    from volr.experiments.report.parts import Section


@dataclass(frozen=True)
class Reported:
    """An accuracy that somebody else reports: its mean and standard deviation, as far as they are
    known. ``words`` stand for them where there is no number.
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
    """The accuracies of others, which stand beside those of an experiment.

    ``title`` is that of their column, ``about`` a sentence without its full stop that says what
    they are. ``reported`` gives the one for a task and a condition, or None.
    """

    title: str
    about: str
    reported: Callable[[str, str], Reported | None]


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is measured and shown.

    ``conditions``    all that can be asked for by name, in the order of tables
    ``measured``      those that are measured unless told otherwise, in the order of their runs
    ``neuron``        the neuron model unless told otherwise; None for that of ``Settings``
    ``looked_at``     conditions whose spikes the report shows: of the first that has a model
    ``others``        the accuracies of others
    ``apart``         conditions that stand in the study's own sections alone
    ``sections``      these sections, made of the experiment's groups of runs
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
