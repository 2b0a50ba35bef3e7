"""The tables of a report."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING, cast

from volr.experiments.measurement import LOOKED_AT
from volr.experiments.original import LADDER
from volr.experiments.report.parts import Cell, number, table, text
from volr.experiments.report.thesis import in_words, reported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from volr.experiments.report.groups import Group
    from volr.experiments.report.parts import Table
    from volr.experiments.results import Run
    from volr.experiments.store.folder import Entry
    from volr.experiments.theory import Comparison

_NONE = "–"


def result_table(groups: Sequence[Group]) -> Table:
    """Every condition, beside the original's number."""
    rows: list[list[Cell]] = []
    for group in groups:
        summary, row = group.summary, group.first
        theirs = in_words(row.task, row.condition)
        known = reported(row.task, row.condition)
        rows.append(
            [
                text(summary.task),
                text(summary.condition),
                text(summary.source),
                text(summary.backend),
                text(summary.neuron or _NONE),
                number(summary.mean, ".4f"),
                *_spread(group),
                number(summary.n),
                Cell(theirs.replace(" ", "\u00a0") or _NONE, None if known is None else known.mean),
                number(summary.chance, ".3f"),
            ]
        )
    columns = (
        *("task", "condition", "trained on", "measured on", "neuron", "mean"),
        *("deviation", "95 % interval", "runs", "original", "chance"),
    )
    return table("Test accuracy", columns, rows)


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
                *_spread(group),
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


def _spread(group: Group) -> tuple[Cell, Cell]:
    summary = group.summary
    half = summary.half
    interval = Cell(_NONE) if half is None else Cell(f"±\u00a0{half:.4f}", half)
    return number(summary.std, ".4f"), interval


def activity_table(groups: Sequence[Group]) -> Table:
    """What a network does for one stimulus, after NeuroBench, means over the runs."""
    rows: list[list[Cell]] = []
    for group in groups:
        found = [run.activity for run in group.runs if run.activity is not None]
        if not found:
            continue
        names = dict.fromkeys(name for each in found for name in each.spikes)
        spikes = {
            name: statistics.fmean(each.spikes.get(name, 0.0) for each in found) for name in names
        }
        told = ", ".join(f"{name} {mean:.1f}" for name, mean in spikes.items())
        rows.append(
            [
                text(group.label),
                text("AC" if group.first.neuron else "MAC"),
                number(sum(spikes.values()), ",.1f"),
                text(told),
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


def comparison_table(found: Sequence[Comparison]) -> Table:
    """The theory figures' numbers beside the original's."""
    rows = [
        [
            text(each.label),
            number(each.ours, ".4g"),
            text(each.said or _NONE),
        ]
        for each in found
    ]
    return table("Its numbers, and ours", ("quantity", "here", "original"), rows)


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
    """What conditions were made with that are not made as any network is unless told."""
    rows: dict[tuple[str, ...], list[Cell]] = {}
    for each in entries:
        row, settings = each.run.row, dict(each.told["settings"])
        settings.pop("neuron", None)
        if settings:
            said = ", ".join(f"{name} {_said(value)}" for name, value in settings.items())
            told = (row.task, row.condition, row.source, row.neuron or _NONE, said)
            rows[told] = [text(cell) for cell in told]
    title = "Settings that differ from the defaults of any network"
    columns = ("task", "condition", "trained on", "neuron", "settings")
    return table(title, columns, list(rows.values()), folded=title)


# Of the last command alone; the runs have their own seeds and settings.
_OF_THE_COMMAND = {"command", "tasks", "earlier", "seeds", "conditions", "settings", "quick", "on"}


def version_table(plan: Mapping[str, Any]) -> Table:
    """The versions and the machine of the plan, and whatever else it may say of these."""
    rows: list[list[Cell]] = []
    for key, value in plan.items():
        match value:
            case _ if key in _OF_THE_COMMAND:
                pass
            case dict():
                entries = cast("Mapping[str, object]", value)
                rows += [
                    [text(f"{key}: {name}"), text(_said(each))] for name, each in entries.items()
                ]
            case _:
                rows.append([text(key), text(_said(value))])
    title = "What it was made with"
    return table(title, ("what", "value"), rows, folded=title)


def _said(value: object) -> str:
    """A value of a JSON file in words."""
    match value:
        case str():
            return value
        case list():
            return ", ".join(map(_said, cast("Sequence[object]", value)))
        case _:
            return json.dumps(value, ensure_ascii=False)
