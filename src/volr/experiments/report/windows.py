"""The windows of a network with first spikes: one stimulus, layer after layer, spike by spike.

Each population has a row, from the inputs down to the last one that spikes. Its window has a step
for each level and one for 0. In it, each neuron spikes once: the largest value first, and 0 at the
end. The neurons of a row stand in the order of their spikes, so bright ones are above dark
ones. The clock's spikes are lines through all rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from volr.exact.decoding import telling
from volr.experiments.report.stimuli import draw_membranes
from volr.experiments.report.style import (
    MUTED,
    PAPER,
    RULE,
    SERIES,
    SMALL,
    WIDTH,
    drawing,
    panel,
)
from volr.models.first_spike import FirstSpike, starts, values_of
from volr.source import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from volr.checks.arrays import Integers
    from volr.experiments.report.stimuli import ShownStimulus
    from volr.experiments.report.style import Drawing
    from volr.models.model import SpikingModel

# The height of a row without the gap to the next one, of 1.
_FILLED = 0.86


def windows_figure(
    name: str,
    what: str,
    model: SpikingModel,
    shown: ShownStimulus,
    *,
    width: float = WIDTH,
) -> Drawing:
    """The single spikes of one stimulus in their windows, and below them the outputs' membranes.

    ``width`` is in inches. Raises ``TypeError`` for a model with another coding.
    """
    coding = model.coding
    if not isinstance(coding, FirstSpike):
        raise TypeError(f"the coding {coding.name} has no windows")
    levels, network = coding.levels, model.network
    begin = starts(network, levels, model.delay_steps_of)
    names = telling(model)
    values = {
        each: values_of(shown.spikes[each][:, None], begin[each], levels)[0] for each in names
    }

    def draw(figure: Figure) -> None:
        rows, membranes = figure.subplots(
            2, 1, sharex=True, height_ratios=(max(2.0, 0.62 * len(names)), 1.0)
        )
        panel(rows).grid(visible=False)
        panel(membranes, "time step", "outputs, mV").grid(visible=False)
        for place, each in enumerate(names):
            _window(rows, begin[each], levels, place)
            _spikes(rows, begin[each], levels, values[each], place, stroke)
        rows.set_ylim(len(names) - 0.5 * (1 - _FILLED), -0.5)
        labels = [f"{visible(each)} ({network[each].size})" for each in names]
        middles = [place + _FILLED / 2 for place in range(len(names))]
        rows.set_yticks(middles, labels, fontsize=SMALL)
        rows.tick_params(length=0)
        for axes in (rows, membranes):
            for step in ticks:
                axes.axvline(step, color=MUTED, linewidth=0.6, linestyle=(0, (2, 3)), zorder=0)
        for step in ticks:
            rows.plot(step, -0.32, "v", color=MUTED, markersize=3, clip_on=False)
        if ticks:
            rows.annotate(
                "clock",
                (ticks[0], -0.32),
                (-5, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=SMALL,
                color=MUTED,
            )
        above_rest = shown.membranes - model.neuron.v_rest
        times = np.arange(len(above_rest), dtype=np.float64)
        draw_membranes(membranes, shown, times, above_rest)
        membranes.set_xlim(-0.08 * model.steps, 1.03 * model.steps)
        figure.legend(loc="outside lower left", ncols=2)

    ticks: list[int] = []
    if network.clock is not None:
        ticks = sorted(set(np.nonzero(shown.spikes[network.clock])[0].tolist()))
    # Points: strokes of neighbouring steps stay apart.
    stroke = min(5.0, max(1.2, 30.0 * width / model.steps))
    neurons = sum(map(len, values.values()))
    where = ", ".join(f"{visible(each)} {begin[each]}" for each in names)
    right = "right" if shown.label == shown.answer else "wrong"
    return drawing(
        name,
        f"{what}: a stimulus of the label {shown.label}, from bright to dark",
        f"The answer is {shown.answer}, which is {right}. Each of {neurons:,} neurons spikes once, "
        f"in a window of {levels + 1} steps; the windows begin in the steps {where}.",
        draw,
        caption=f"Each of {neurons:,} neurons spikes once, in the window of its population. A "
        f"neuron of the largest value, {levels}, spikes at its beginning, and one of 0, in grey, "
        "at its end. Neurons are in the order of their spikes. Triangles and dotted lines are the "
        "spikes of the clock. The membranes of the outputs end at the logits: the answer is "
        f"{shown.answer}, which is {right}.",
        height=1.9 + 0.5 * len(names),
        width=width,
    )


def _window(axes: Axes, begin: int, levels: int, place: int) -> None:
    """A window as a grey field, with the largest value and 0 beside it."""
    field = Rectangle(
        (begin - 0.5, place), levels + 1, _FILLED, facecolor=RULE, alpha=0.45, linewidth=0
    )
    axes.add_patch(field)
    for at, value, side in ((begin - 0.5, levels, "right"), (begin + levels + 0.5, 0, "left")):
        axes.annotate(
            f"{value}",
            (at, place + _FILLED / 2),
            (-2 if side == "right" else 2, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=SMALL - 1,
            color=MUTED,
            # A line of the clock may run behind it.
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.5},
        )


def _spikes(
    axes: Axes, begin: int, levels: int, values: Integers, place: int, stroke: float
) -> None:
    """A stroke for each neuron, the one with the largest value first."""
    ordered = np.sort(values)[::-1]
    tops = place + _FILLED * np.arange(len(ordered)) / len(ordered)
    feet = tops + _FILLED / len(ordered)
    color = SERIES[place % len(SERIES)]
    for kind, chosen in ((color, ordered > 0), (MUTED, ordered == 0)):
        steps = begin + levels - ordered[chosen]
        # One path with breaks is far shorter in SVG than a stroke for each spike.
        breaks = np.full(len(steps), np.nan)
        x = np.stack([steps, steps, breaks], axis=1).ravel()
        y = np.stack([tops[chosen], feet[chosen], breaks], axis=1).ravel()
        axes.plot(x, y, color=kind, linewidth=stroke, solid_capstyle="butt")
