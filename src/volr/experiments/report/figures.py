"""An experiment's figures: accuracy, training, accuracy against time."""

from __future__ import annotations

import statistics
from itertools import zip_longest
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from volr.experiments.report.style import (
    DASHES,
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
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from volr.experiments.report.groups import Group
    from volr.experiments.report.style import Drawing
    from volr.experiments.study import Others

_ACCURACY = "test accuracy"
_MARKS = 6  # markers on each curve


def accuracy_figure(
    name: str, title: str, groups: Sequence[Group], others: Others | None = None
) -> Drawing:
    """A row for each group: its runs, its mean with the 95 % interval, and the mean of others."""

    def draw(figure: Figure) -> None:
        axes = panel(figure.add_subplot(), _ACCURACY)
        axes.grid(visible=False)
        axes.grid(axis="x")
        shown = [group.summary.chance for group in groups]
        for place, (group, (color, _)) in enumerate(zip(groups, _looks(groups), strict=True)):
            summary = group.summary
            theirs = others and others.reported(group.first.task, group.first.condition)
            if theirs is not None and theirs.mean is not None:
                axes.errorbar(
                    theirs.mean,
                    place + 0.22,
                    xerr=theirs.std,
                    fmt="D",
                    color=MUTED,
                    markerfacecolor="none",
                    markersize=4,
                    linewidth=0.9,
                )
                shown += [theirs.mean - (theirs.std or 0.0), theirs.mean + (theirs.std or 0.0)]
            values = [run.row.accuracy for run in group.runs]
            axes.plot(values, [place - 0.2] * len(values), "|", color=color, markersize=5)
            half = summary.half or 0.0
            axes.errorbar(summary.mean, place, xerr=half, fmt="o", color=color, markersize=5)
            shown += [*values, summary.mean - half, summary.mean + half]
        chance = statistics.fmean(group.summary.chance for group in groups)
        axes.axvline(chance, color=MUTED, linestyle=":", linewidth=1.0)
        axes.annotate(
            "chance",
            (chance, 1.0),
            (2, -1),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            va="top",
            fontsize=SMALL,
            color=MUTED,
        )
        axes.set_yticks(range(len(groups)), [visible(group.label) for group in groups])
        axes.set_ylim(len(groups) - 0.45, -0.75)
        # The interval of a few runs may go beyond 0 and 1.
        low, high = max(0.0, min(shown)), min(1.0, max(shown))
        room = 0.04 * (high - low) + 0.005
        axes.set_xlim(low - room, high + room)

    means = "; ".join(f"{group.label} {group.summary.mean:.4f}" for group in groups)
    diamonds = f", diamonds the {others.title}'s means with their deviations" if others else ""
    caption = f"Dots are means with their 95 % intervals, strokes the single runs{diamonds}."
    height = 0.9 + 0.36 * len(groups)
    return drawing(name, title, f"Means: {means}.", draw, caption=caption, height=height)


def training_figure(name: str, title: str, groups: Sequence[Group]) -> Drawing | None:
    """Loss and validation accuracy by epoch, mean and range over the runs; None without them."""
    kept = [group for group in groups if any(run.history for run in group.runs)]
    if not kept:
        return None

    def draw(figure: Figure) -> None:
        top, bottom = figure.subplots(2, 1, sharex=True)
        panel(top, "", "training loss")
        panel(bottom, "epoch", "validation accuracy")
        top.set_yscale("log")
        top.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        top.yaxis.set_minor_locator(NullLocator())
        bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
        for number, (group, (color, dash)) in enumerate(zip(kept, _looks(kept), strict=True)):
            histories = [run.history for run in group.runs if run.history]
            losses = [[epoch.loss for epoch in history] for history in histories]
            rights = [
                [
                    epoch.validation_accuracy
                    for epoch in history
                    if epoch.validation_accuracy is not None
                ]
                for history in histories
            ]
            _band(top, losses, color, dash, group.label, number)
            _band(bottom, [each for each in rights if each], color, dash, group.label, number)
        low, high = top.get_ylim()
        # If the axis has few powers of ten, it shows other round numbers too.
        few = high < 1000.0 * low
        top.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
        below(figure, top)

    losses = "; ".join(
        f"{group.label} ends at the loss {_mean_of_last(group):.4g}" for group in kept
    )
    height = 3.9 + 0.2 * ((len(kept) + 1) // 2)
    caption = "Mean and range over the runs; the validation samples are a part of the training set."
    description = f"Mean over the runs: {losses}."
    return drawing(name, title, description, draw, caption=caption, height=height)


def over_time_figure(name: str, title: str, groups: Sequence[Group]) -> Drawing | None:
    """Accuracy if the outputs had been read earlier; None if no group is spiking."""
    kept = [group for group in groups if any(run.over_time for run in group.runs)]
    if not kept:
        return None

    def draw(figure: Figure) -> None:
        axes = panel(figure.add_subplot(), "simulated time, ms", _ACCURACY)
        for number, (group, (color, dash)) in enumerate(zip(kept, _looks(kept), strict=True)):
            runs = [run for run in group.runs if run.over_time]
            curves = [run.over_time for run in runs]
            _band(axes, curves, color, dash, group.label, number, step=runs[0].dt)
        for group in groups:
            if not group.first.neuron:
                axes.axhline(group.summary.mean, color=MUTED, linewidth=0.9, linestyle="--")
                axes.annotate(
                    visible(group.label),
                    (1.0, group.summary.mean),
                    (0, 2),
                    xycoords=axes.get_yaxis_transform(),
                    textcoords="offset points",
                    ha="right",
                    fontsize=SMALL,
                    color=MUTED,
                )
                break
        axes.set_xlim(left=0.0)
        below(figure, axes)

    settling = "; ".join(f"{group.label} reaches {_settling(group)}" for group in kept)
    height = 2.6 + 0.2 * ((len(kept) + 1) // 2)
    caption = "If the outputs' spikes were read earlier: mean and range over the runs."
    return drawing(name, title, f"{settling}.", draw, caption=caption, height=height)


def _looks(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """A colour for each condition and source, a dash for each neuron."""
    trained = list(dict.fromkeys(group.trained for group in groups))
    neurons = list(dict.fromkeys(group.first.neuron for group in groups if group.first.neuron))
    return [
        (
            SERIES[trained.index(group.trained) % len(SERIES)],
            DASHES[neurons.index(group.first.neuron) % len(DASHES)]
            if group.first.neuron
            else DASHES[0],
        )
        for group in groups
    ]


def _band(
    axes: Axes,
    curves: Iterable[Sequence[float]],
    color: str,
    dash: str,
    label: str,
    number: int,
    *,
    step: float = 1.0,
) -> None:
    """The mean of curves and their range; some may be shorter than others.

    The markers of curve ``number`` are between those of the others, so that curves on top of each
    other can be distinguished.
    """
    places = [[each for each in values if each is not None] for values in zip_longest(*curves)]
    x = [step * (place + 1) for place in range(len(places))]
    mean = [statistics.fmean(values) for values in places]
    apart = max(1, len(x) // _MARKS)
    axes.plot(
        x,
        mean,
        dash,
        color=color,
        marker=MARKERS[number % len(MARKERS)],
        markersize=3.5,
        markevery=(number * apart // len(MARKERS) % len(x), apart) if x else None,
        label=visible(label),
    )
    low, high = [min(values) for values in places], [max(values) for values in places]
    axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0.0)


def _mean_of_last(group: Group) -> float:
    return statistics.fmean(run.history[-1].loss for run in group.runs if run.history)


def _settling(group: Group) -> str:
    """The final accuracy of the first run, and when it is within half a point of it."""
    run = next(run for run in group.runs if run.over_time)
    end = run.over_time[-1]
    first = next(k for k, each in enumerate(run.over_time) if abs(each - end) <= 0.005)
    return f"{end:.4f}, within 0.005 of it after {(first + 1) * run.dt:g} ms"
