"""The tables of a report."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING, cast

from volr.experiments.measurement import LOOKED_AT
from volr.experiments.report.parts import Cell, number, table, text
from volr.experiments.study import Reported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from volr.experiments.report.groups import Group
    from volr.experiments.report.parts import Table
    from volr.experiments.results import Run
    from volr.experiments.store.folder import Entry
    from volr.experiments.study import Others

_NONE = "–"


def result_table(groups: Sequence[Group], others: Others | None = None) -> Table:
    """The accuracy of every condition, beside that of ``others``."""
    rows: list[list[Cell]] = []
    for group in groups:
        summary, row = group.summary, group.first
        beside: list[Cell] = []
        if others is not None:
            theirs = others.reported(row.task, row.condition) or Reported()
            beside = [Cell(f"{theirs}".replace(" ", "\u00a0") or _NONE, theirs.mean)]
        rows.append(
            [
                text(summary.task),
                text(summary.condition),
                text(summary.source),
                text(summary.backend),
                text(summary.neuron or _NONE),
                number(summary.mean, ".4f"),
                *spread(group),
                number(summary.n),
                *beside,
                number(summary.chance, ".3f"),
            ]
        )
    columns = (
        *("task", "condition", "trained on", "measured on", "neuron", "mean"),
        *("deviation", "95 % interval", "runs"),
        *(() if others is None else (others.title,)),
        "chance",
    )
    return table("Test accuracy", columns, rows)


def spread(group: Group) -> tuple[Cell, Cell]:
    """The standard deviation, and half the width of the 95 % interval of the mean."""
    summary = group.summary
    half = summary.half
    interval = Cell(_NONE) if half is None else Cell(f"±\u00a0{half:.4f}", half)
    return number(summary.std, ".4f"), interval


def activity_table(groups: Sequence[Group]) -> Table:
    """The operations of a network for one stimulus, after NeuroBench; means over the runs."""
    rows: list[list[Cell]] = []
    for group in groups:
        found = [run.activity for run in group.runs if run.activity is not None]
        if not found:
            continue
        names = dict.fromkeys(name for each in found for name in each.spikes)
        spikes = {
            name: statistics.fmean(each.spikes.get(name, 0.0) for each in found) for name in names
        }
        listed = ", ".join(f"{name} {mean:.1f}" for name, mean in spikes.items())
        rows.append(
            [
                text(group.label),
                text("AC" if group.first.neuron else "MAC"),
                number(sum(spikes.values()), ",.1f"),
                text(listed),
                number(statistics.fmean(each.effective for each in found), ",.0f"),
                number(statistics.fmean(each.dense for each in found), ",.0f"),
                number(statistics.fmean(each.sparsity for each in found), ".4f"),
            ]
        )
    columns = (
        *("condition", "operation", "spikes a stimulus", "by population"),
        *("effective operations", "dense operations", "activation sparsity"),
    )
    return table(
        "What a stimulus costs, in NeuroBench's terms (Yik et al. 2025): synaptic operations are "
        "accumulations (AC) where spikes arrive and multiply-accumulations (MAC) in an ANN; "
        "effective ones leave out zeros, dense ones count every synapse in every step. For an ANN "
        f"“spikes” are activations that are not 0. Of the first {LOOKED_AT} test stimuli.",
        columns,
        rows,
        folded="What a stimulus costs",
    )


def run_table(runs: Sequence[Run]) -> Table:
    """Every single run."""
    rows = [
        [
            text(run.row.task),
            text(run.row.condition),
            text(run.row.source),
            text(run.row.backend),
            text(run.row.neuron or _NONE),
            number(run.row.seed),
            number(run.row.accuracy, ".4f"),
            number(run.row.samples, ","),
            number(run.row.ties, ".4f"),
            number(len(run.history) or None),
            number(run.row.seconds, ".1f"),
        ]
        for run in runs
    ]
    columns = (
        *("task", "condition", "trained on", "measured on", "neuron", "seed", "accuracy"),
        *("samples", "ties", "epochs", "seconds"),
    )
    return table("Every run", columns, rows, folded="Every run")


def settings_table(entries: Sequence[Entry]) -> Table:
    """The settings of each condition that differ from the defaults of ``Settings``."""
    rows: dict[tuple[str, ...], list[Cell]] = {}
    for each in entries:
        row, settings = each.run.row, dict(each.spec["settings"])
        settings.pop("neuron", None)
        if settings:
            named = ", ".join(f"{name} {_in_words(value)}" for name, value in settings.items())
            cells = (row.task, row.condition, row.source, row.neuron or _NONE, named)
            rows[cells] = [text(cell) for cell in cells]
    title = "Settings that differ from the defaults of any network"
    columns = ("task", "condition", "trained on", "neuron", "settings")
    return table(title, columns, list(rows.values()), folded=title)


# Entries that belong to the last command only; the runs have their own seeds and settings.
_OF_THE_COMMAND = {"command", "tasks", "earlier", "seeds", "conditions", "settings", "quick", "on"}


def version_table(plan: Mapping[str, Any]) -> Table:
    """The versions and the machine of the plan, and any other entries."""
    rows: list[list[Cell]] = []
    for key, value in plan.items():
        match value:
            case _ if key in _OF_THE_COMMAND:
                pass
            case dict():
                entries = cast("Mapping[str, object]", value)
                rows += [
                    [text(f"{key}: {name}"), text(_in_words(each))]
                    for name, each in entries.items()
                ]
            case _:
                rows.append([text(key), text(_in_words(value))])
    title = "What it was made with"
    return table(title, ("what", "value"), rows, folded=title)


def _in_words(value: object) -> str:
    """A value of a JSON file in words."""
    match value:
        case str():
            return value
        case list():
            return ", ".join(map(_in_words, cast("Sequence[object]", value)))
        case _:
            return json.dumps(value, ensure_ascii=False)
