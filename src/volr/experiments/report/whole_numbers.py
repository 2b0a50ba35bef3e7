"""What quantisation cost, and that first spikes cost nothing."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from volr.experiments.report.parts import number, table, text
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.report.groups import Group
    from volr.experiments.report.parts import Cell, Table


def agreement(group: Group) -> str:
    """How many test samples get another label than in the quantised network, in a sentence."""
    runs = [run for run in group.runs if run.differing is not None]
    different = sum(run.differing or 0 for run in runs)
    samples = sum(run.row.samples for run in runs)
    over = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    return (
        f"{visible(group.label)}: of {samples:,} test samples in {over}, {different:,} have "
        "another label than in the quantised network."
    )


def quantisation_table(groups: Sequence[Group]) -> Table:
    """What quantisation changes in each population, on training samples; means over the runs."""
    rows: list[list[Cell]] = []
    for group in groups:
        reports = [run.quantisation for run in group.runs if run.quantisation is not None]
        # Runs of one program, whose populations are the same.
        names = dict.fromkeys(each.name for report in reports for each in report.populations)
        for name in names:
            found = [each for report in reports for each in report.populations if each.name == name]
            rows.append(
                [
                    text(group.label),
                    text(name),
                    number(found[0].size),
                    text(_listed([report.levels for report in reports])),
                    text(_listed([report.percentile for report in reports])),
                    number(statistics.fmean(each.clipped for each in found), ".4f"),
                    number(statistics.fmean(each.error for each in found), ".4f"),
                ]
            )
    columns = (
        *("condition", "population", "neurons", "levels", "full, percentile"),
        *("clipped", "error"),
    )
    return table(
        "What quantisation changes, on training samples. The percentile of a neuron's activations "
        "that all levels together reach; the share of activations above it, which is clipped; and "
        "the root of the mean square of all changes, relative to that of the activations.",
        columns,
        rows,
        folded="What quantisation changes",
    )


def _listed(values: Sequence[float]) -> str:
    """The different values, ascending."""
    return ", ".join(f"{each:g}" for each in sorted(set(values)))
