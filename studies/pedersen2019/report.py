"""What the study adds to the page of an experiment: the ablation, and the original's neuron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.pedersen2019.conditions import ABLATION
from studies.pedersen2019.figures import theory_figures
from studies.pedersen2019.recipe import LADDER
from studies.pedersen2019.theory import comparisons, theory
from studies.pedersen2019.thesis import THESIS

from volr.backends import simulator
from volr.errors import VolrError
from volr.experiments.report.figures import accuracy_figure
from volr.experiments.report.parts import Cell, Figures, Section, Words, number, table, text
from volr.experiments.report.tables import spread
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studies.pedersen2019.theory import Comparison

    from volr.experiments.report.groups import Group, TaskGroups
    from volr.experiments.report.parts import Part, Table

_STEPS = {each.name for each in ABLATION}
_NONE = "–"


def sections(tasks: Sequence[TaskGroups]) -> list[Section]:
    """The ablation, where one has been run, and the original's neuron in any case."""
    return [*_ablation(tasks), _theory()]


def _ablation(tasks: Sequence[TaskGroups]) -> list[Section]:
    steps = {
        each: found
        for each in tasks
        if (found := [group for group in each.groups if group.first.condition in _STEPS])
    }
    if not steps:
        return []
    parts: tuple[Part, ...] = (
        Words(
            "The original's recipe, and what each repair of it is worth: from the original to ours "
            "one repair after the other, and ours without one of them each."
        ),
        ablation_table([group for found in steps.values() for group in found]),
        Figures(
            tuple(
                accuracy_figure(f"ablation-{each.name}", f"Repairs on {each.task}", found, THESIS)
                for each, found in steps.items()
            )
        ),
    )
    return [Section("ablation", "The original's method", parts)]


def _theory() -> Section:
    try:
        with simulator("engine") as engine:
            found = theory(engine, "engine")
    except VolrError as error:
        said = Words(f"The figures of the original are missing: {visible(error.message)}")
        return Section("theory", "The original's neuron", (said,))
    parts: tuple[Part, ...] = (
        Words(
            "Its conductance-based neuron (C 1 nF, τ 20 ms, rest −65 mV, threshold −50 mV), "
            f"simulated on the {found.on} in steps of 0.1 ms without refractoriness."
        ),
        Figures(theory_figures(found)),
        comparison_table(comparisons(found)),
    )
    return Section("theory", "The original's neuron", parts)


def ablation_table(groups: Sequence[Group]) -> Table:
    """Every step of the original's method; a rung of the ladder with what it adds to the last."""
    below: dict[tuple[str, str], float] = {}
    rows: list[list[Cell]] = []
    for group in sorted(groups, key=_rung):
        summary = group.summary
        key = (summary.task, summary.neuron)
        is_rung = summary.condition in LADDER
        gain = summary.mean - below[key] if is_rung and key in below else None
        if is_rung:
            below[key] = summary.mean
        rows.append(
            [
                text(summary.task),
                text(summary.condition),
                text(summary.neuron or _NONE),
                number(summary.mean, ".4f"),
                *spread(group),
                number(gain, "+.4f"),
                number(summary.n),
            ]
        )
    columns = (
        *("task", "step", "neuron", "mean", "deviation", "95 % interval"),
        *("gained by the step", "runs"),
    )
    return table("The original's method, step by step", columns, rows)


def _rung(group: Group) -> int:
    names = list(LADDER)
    return names.index(group.first.condition) if group.first.condition in names else len(names)


def comparison_table(found: Sequence[Comparison]) -> Table:
    """The theory figures' numbers beside the original's."""
    rows = [
        [text(each.label), number(each.ours, ".4g"), text(each.said or _NONE)] for each in found
    ]
    return table("Its numbers, and ours", ("quantity", "here", "original"), rows)
