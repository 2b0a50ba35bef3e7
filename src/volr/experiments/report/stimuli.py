"""What the neurons of a saved spiking model do for a few stimuli: rasters and membranes.

The engine simulates them again; its spikes are the same as NEST's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Record
from volr.experiments.report.style import BLUE, MUTED, ORANGE, SERIES, SMALL, drawing, panel
from volr.models.coding import decode_counts
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from volr.backends.base import Simulator
    from volr.checks.arrays import Booleans, Floats
    from volr.experiments.report.style import Drawing
    from volr.models.model import SpikingModel
    from volr.models.samples import Samples

SHOWN = 3
"""The number of stimuli."""


@dataclass(frozen=True, eq=False)
class ShownStimulus:
    """One stimulus: its ``label``, the ``answer``, and what the neurons did.

    ``spikes`` are bool ``[time, unit]`` by population. ``membranes``, mV ``[time, unit]``, and
    ``counts`` of spikes are those of all outputs.
    """

    label: int
    answer: int
    spikes: dict[str, Booleans]
    membranes: Floats
    counts: tuple[int, ...]


def activities(
    model: SpikingModel,
    samples: Samples,
    simulator: Simulator,
    *,
    seed: int = 0,
    most: int = SHOWN,
) -> tuple[ShownStimulus, ...]:
    """Simulate the first stimulus of each of the first labels, ``most`` at most."""
    _, firsts = np.unique(samples.labels, return_index=True)
    chosen = samples.take(np.sort(firsts)[:most])
    names = tuple(population.name for population in model.network.populations)
    outputs = model.network.outputs
    done = simulator.run(
        model, chosen.inputs, record=Record(spikes=names, membranes=outputs), seed=seed
    )
    answers, _ = decode_counts(done.output_values(model))
    membranes = np.concatenate([done.membranes[name] for name in outputs], axis=2)
    fired = np.concatenate([done.spikes[name] for name in outputs], axis=2)
    return tuple(
        ShownStimulus(
            label=int(label),
            answer=int(answers[place]),
            spikes={name: done.spikes[name][:, place] for name in names},
            membranes=membranes[:, place],
            counts=tuple(int(each) for each in fired[:, place].sum(axis=0)),
        )
        for place, label in enumerate(chosen.labels)
    )


def stimulus_figure(name: str, what: str, model: SpikingModel, shown: ShownStimulus) -> Drawing:
    """A raster of every population, and below it the membranes of the outputs: that of the answer,
    that of the label, and the others.
    """

    def draw(figure: Figure) -> None:
        raster, membranes = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1.0))
        panel(raster).grid(visible=False)
        panel(membranes, "time, ms", "outputs, mV")
        _raster(raster, list(shown.spikes.items()), model.dt)
        times = model.dt * np.arange(1, len(shown.membranes) + 1, dtype=np.float64)
        draw_membranes(membranes, shown, times, shown.membranes)
        membranes.set_xlim(0.0, model.duration)
        figure.legend(loc="outside lower left", ncols=2)

    right = "right" if shown.label == shown.answer else "wrong"
    counts = " ".join(f"{count}" for count in shown.counts)
    return drawing(
        name,
        f"{what}: a stimulus of the label {shown.label}",
        f"The answer is {shown.answer}, which is {right}. Spikes of the outputs: {counts}.",
        draw,
        height=4.4,
    )


def draw_membranes(axes: Axes, shown: ShownStimulus, times: Floats, membranes: Floats) -> None:
    """The outputs' membranes ``[time, unit]``: the answer's and the label's stand out."""
    colours = {shown.answer: BLUE, shown.label: ORANGE} | {shown.answer: BLUE}
    for unit, course in enumerate(membranes.T):
        if unit not in colours:
            axes.plot(times, course, color=MUTED, linewidth=0.5, alpha=0.45)
    for unit, color in colours.items():
        right = unit == shown.label
        axes.plot(
            times,
            membranes[:, unit],
            color=color,
            linewidth=1.2,
            label=f"output {unit}, {'the label' if right else 'the answer'}",
        )


def _raster(axes: Axes, spikes: Sequence[tuple[str, Booleans]], dt: float) -> None:
    """One stroke for each spike, and a gap between populations."""
    gap = max(1.0, 0.03 * sum(each.shape[1] for _, each in spikes))
    bottom = 0.0
    middles: list[float] = []
    labels: list[str] = []
    for number, (name, fired) in enumerate(spikes):
        # Small populations get enough room to be seen.
        units = fired.shape[1]
        height = max(1.0, 12.0 * gap / 3.0 / units)
        steps, neurons = np.nonzero(fired)
        times, feet = dt * (steps + 1), bottom + height * neurons
        # One path with breaks is far shorter in SVG than a stroke for each spike.
        x = np.stack([times, times, np.full(len(times), np.nan)], axis=1).ravel()
        y = np.stack([feet, feet + 0.8 * height, np.full(len(times), np.nan)], axis=1).ravel()
        axes.plot(x, y, color=SERIES[number % len(SERIES)], linewidth=0.9)
        middles.append(bottom + height * units / 2)
        labels.append(f"{visible(name)} ({units})")
        bottom += height * units + gap
    axes.set_ylim(-gap / 2, bottom - gap / 2)
    axes.set_yticks(middles, labels, fontsize=SMALL)
    axes.tick_params(length=0)
