"""The figures of a transfer: the rates that it wanted and those that were measured."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.experiments.report.style import (
    BLUE,
    DASHES,
    INK,
    MARKERS,
    MUTED,
    SERIES,
    SMALL,
    below,
    drawing,
    panel,
)
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from volr.experiments.report.groups import Group
    from volr.experiments.report.style import Drawing
    from volr.transfer import PopulationReport


def transfer_figures(group: Group) -> tuple[Drawing, ...]:
    """Wanted and measured rates, means over the runs, and the rate curves of the first run.

    Empty if nothing was transferred.
    """
    reports = [run.transfer for run in group.runs if run.transfer is not None]
    if not reports:
        return ()
    populations = [
        replace(
            same[0],
            wanted=statistics.fmean(each.wanted for each in same),
            measured=statistics.fmean(each.measured for each in same),
        )
        for same in zip(*(report.populations for report in reports), strict=False)
    ]
    return (
        rates_figure(f"rates-{group.name}", f"Rates of {group.label}", populations),
        curves_figure(
            f"curves-{group.name}",
            f"Rate curves of {group.label}, seed {group.first.seed}",
            reports[0].populations,
        ),
    )


def rates_figure(name: str, title: str, populations: Sequence[PopulationReport]) -> Drawing:
    """The mean rate of each population, wanted and measured."""

    def draw(figure: Figure) -> None:
        axes: Any = panel(figure.add_subplot(), "mean rate, Hz")  # whose types lack `bar_label`
        axes.grid(visible=False)
        axes.grid(axis="x")
        places = np.arange(len(populations))
        wanted = [each.wanted for each in populations]
        measured = [each.measured for each in populations]
        outline = {"color": "none", "edgecolor": MUTED, "linewidth": 1.2}
        for bars in (
            axes.barh(places - 0.19, wanted, height=0.34, label="wanted", **outline),
            axes.barh(places + 0.19, measured, height=0.34, label="measured", color=BLUE),
        ):
            axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=SMALL)
        axes.set_yticks(places, [visible(each.name) for each in populations])
        axes.invert_yaxis()
        axes.margins(x=0.12)
        below(figure, axes)

    listed = "; ".join(
        f"{each.name} {each.wanted:.1f} Hz wanted, {each.measured:.1f} measured"
        for each in populations
    )
    height = 1.1 + 0.42 * len(populations)
    return drawing(name, title, f"{listed}.", draw, caption="", height=height)


def curves_figure(name: str, title: str, populations: Sequence[PopulationReport]) -> Drawing:
    """The rate curve of each population: the measured rate for each wanted rate."""

    def draw(figure: Figure) -> None:
        axes = panel(figure.add_subplot(), "wanted rate, Hz", "measured rate, Hz")
        most = 0.0
        for number, each in enumerate(populations):
            axes.plot(
                each.wanted_curve,
                each.measured_curve,
                MARKERS[number % len(MARKERS)] + DASHES[0],
                color=SERIES[number % len(SERIES)],
                markersize=3,
                linewidth=1.0,
                label=visible(each.name),
            )
            most = max([most, *each.wanted_curve])
        # It is on top, since a population with the wanted rates would hide it.
        axes.plot(
            (0.0, most),
            (0.0, most),
            color=INK,
            linewidth=1.0,
            linestyle=DASHES[1],
            zorder=3,
            label="as wanted",
        )
        axes.set_xlim(left=0.0)
        axes.set_ylim(bottom=0.0)
        below(figure, axes, columns=3)

    listed = "; ".join(f"{each.name}: correlation {each.correlation:.3f}" for each in populations)
    caption = (
        "Means over the neurons and stimuli of which such a rate was wanted. "
        "The dashed line is where both are equal."
    )
    return drawing(name, title, f"{listed}.", draw, caption=caption, height=2.9)
