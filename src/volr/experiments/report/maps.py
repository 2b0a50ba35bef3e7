"""Pictures of what has channels and axes: rates as maps, and kernels.

A pixel is a neuron, or a weight. Its colour is the more opaque the larger it is, so that pictures
serve light and dark pages.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.colors import to_rgb

from volr.experiments.report.style import BLUE, MUTED, ORANGE, RULE, SMALL, drawing
from volr.models.parameters import weight_name
from volr.network.connectors import Convolution, Pooled
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from volr.checks.arrays import Booleans, Floats
    from volr.experiments.report.style import Drawing
    from volr.models.model import SpikingModel
    from volr.network import Network, Projection

_COLUMNS, _ROWS = 10, 12
"""The most channels of a population, and the most populations, that a figure has."""


def rate_figure(
    name: str, what: str, model: SpikingModel, spikes: Mapping[str, Booleans]
) -> Drawing | None:
    """The rates of all populations that have channels and axes, for one stimulus.

    ``spikes`` are bool ``[time, unit]`` by population. None where no population has axes.
    """
    network = model.network
    names = [p.name for p in network.populations if len(p.shape) > 1 and p.name in spikes][:_ROWS]
    if not names:
        return None
    seconds = model.steps * model.dt / 1000.0
    rates = {
        each: spikes[each].sum(axis=0).reshape(network[each].shape) / seconds for each in names
    }
    top = {each: float(rates[each].max()) for each in names}
    rows = [(_label(network, each), _filled(rates[each], top[each])) for each in names]
    highest = ", ".join(f"{visible(each)} {top[each]:.0f}" for each in names)
    return drawing(
        name,
        f"{what}: rates as maps",
        f"Each picture is a channel, of the first {_COLUMNS}, and each pixel a neuron. The full "
        "colour is the highest rate of "
        f"the population in this stimulus, Hz: {highest}.",
        lambda figure: _pictures(figure, rows),
        height=0.25 + 0.62 * len(rows),
    )


def kernel_figure(name: str, what: str, model: SpikingModel) -> Drawing | None:
    """The kernels of the first convolution; None where there is none."""
    network = model.network
    found = next((each for each in network.projections if _kernel(each)), None)
    if found is None:
        return None
    weights = model.parameters[weight_name(found)]
    most = float(np.abs(weights).max()) or 1.0
    several = weights.shape[0] > 1 and weights.shape[1] > 1
    kernels = weights if several else weights.reshape(1, -1, *weights.shape[2:])
    rows = [
        (f"channel {number}" if several else visible(found.target), _filled(each, most))
        for number, each in enumerate(kernels[:_ROWS])
    ]
    return drawing(
        name,
        f"{what}: the kernels of {found.name}",
        f"Each picture is a kernel. Blue weights excite, orange ones inhibit, and the full colour "
        f"is {most:.3g} {model.neuron_of(found.target).weight_unit}.",
        lambda figure: _pictures(figure, rows),
        height=0.25 + 0.62 * len(rows),
    )


def _kernel(projection: Projection) -> bool:
    connector = projection.connector
    inner = connector.connector if isinstance(connector, Pooled) else connector
    return isinstance(inner, Convolution)


def _label(network: Network, name: str) -> str:
    axes = "×".join(map(str, network[name].shape))
    return f"{visible(name)}\n{axes}"


def _filled(values: Floats, most: float) -> list[Floats]:
    """Pictures ``[y, x, 4]`` of channels ``[channel, …]`` in blue, and orange below 0.

    A channel of one axis is one line.
    """
    maps = values.reshape(values.shape[0], -1, values.shape[-1])[:_COLUMNS]
    share = np.clip(maps / (most or 1.0), -1.0, 1.0)
    colours = np.where(share[..., None] < 0, to_rgb(ORANGE), to_rgb(BLUE))
    filled: Floats = np.concatenate([colours, np.abs(share)[..., None]], axis=-1)
    return list(filled)


def _pictures(figure: Figure, rows: Sequence[tuple[str, list[Floats]]]) -> None:
    columns = max(len(pictures) for _, pictures in rows)
    for row, (label, pictures) in enumerate(rows):
        for column, picture in enumerate(pictures):
            place = row * columns + column + 1
            # Matplotlib's types lack much of it.
            axes = cast("Any", figure).add_subplot(len(rows), columns, place)
            axes.set_xticks([])
            axes.set_yticks([])
            for side in ("top", "right", "bottom", "left"):
                axes.spines[side].set_visible(True)
                axes.spines[side].set_color(RULE)
            # A line of neurons is drawn high enough to be seen.
            tall = max(1, math.ceil(picture.shape[1] / 6 / picture.shape[0]))
            axes.imshow(np.repeat(picture, tall, axis=0), interpolation="nearest", aspect="equal")
            if column == 0:
                axes.set_ylabel(
                    label, rotation=0, ha="right", va="center", fontsize=SMALL, color=MUTED
                )
