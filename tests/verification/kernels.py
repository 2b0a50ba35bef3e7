"""Mistakes with kernels and pools to plant, each in a projection of its own.

Each is a connector and weights as a back end with that mistake has them. Windows that reach not all
of the source, and strides of three, leave room for mistakes that keep the shape of the target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.network.connectors import AveragePool, Connector, Convolution, Pooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Floats

ModelT = TypeVar("ModelT", ArtificialModel, SpikingModel, ArtificialModel | SpikingModel)
SOURCE = (3, 6, 9)


@dataclass(frozen=True)
class Planted:
    """A projection to ``target``: as it is right and as it is wrong, and what is said of that."""

    said: str
    right: Connector
    target: tuple[int, ...]
    weights: Callable[[Floats], Floats] = lambda w: w
    wrong: Connector | None = None


def _memory(weights: Floats, one: int, other: int) -> Floats:
    return np.swapaxes(weights, one, other).reshape(weights.shape)


def _shifted(weights: Floats) -> Floats:
    """A kernel of three rows and columns, one column later in a window that is larger by two."""
    return np.pad(weights, [(0, 0), (0, 0), (1, 1), (2, 0)])


def _other(weights: Floats, axis: int, one: int, other: int) -> Floats:
    order = list(range(weights.shape[axis]))
    order[one], order[other] = other, one
    return np.take(weights, order, axis)


POOL = AveragePool((2, 3), (3, 3))
MISTAKES = {
    "flipped": Planted(
        "the kernel is flipped", Convolution((3, 2)), (2, 4, 8), lambda w: w[:, :, ::-1, ::-1]
    ),
    "rows": Planted(
        "the rows of the kernel are flipped",
        Convolution((3, 2)),
        (2, 4, 8),
        lambda w: w[:, :, ::-1],
    ),
    "columns": Planted(
        "the columns of the kernel are flipped",
        Convolution((2, 3), (2, 2)),
        (2, 3, 4),
        lambda w: w[:, :, :, ::-1],
    ),
    "axes": Planted(
        "the axes of the kernel are exchanged",
        Convolution((3, 3), pad=(1, 0)),
        (2, 6, 7),
        lambda w: w.swapaxes(2, 3),
    ),
    "memory": Planted(
        "the axes of the kernel are exchanged",
        Convolution((3, 2)),
        (2, 4, 8),
        lambda w: _memory(w, 2, 3),
    ),
    "sides": Planted(
        "the channels of source and target are exchanged",
        Convolution((2, 2)),
        (2, 5, 8),
        lambda w: _memory(w, 0, 1),
    ),
    "target": Planted(
        "the channels 1 and 3 of the target are exchanged",
        Convolution((2, 2), (2, 3)),
        (4, 3, 3),
        lambda w: _other(w, 0, 1, 3),
    ),
    "source": Planted(
        "the channels 0 and 2 of the source are exchanged",
        Convolution((2, 2), (2, 3)),
        (4, 3, 3),
        lambda w: _other(w, 1, 0, 2),
    ),
    "pixel": Planted(
        "the windows are one pixel off, on axis 2",
        Convolution((3, 3), (2, 1), (1, 1)),
        (2, 3, 9),
        _shifted,
        Convolution((5, 5), (2, 1), (2, 2)),
    ),
    "stride": Planted(
        "the stride is 3x3 instead of 2x3",
        Convolution((3, 3), (2, 3)),
        (2, 2, 3),
        wrong=Convolution((3, 3), (3, 3)),
    ),
    "padding": Planted(
        "the padding is 1x0 instead of 0x0",
        Convolution((3, 3), (3, 3), groups=3),
        (3, 2, 3),
        wrong=Convolution((3, 3), (3, 3), (1, 0), groups=3),
    ),
    "window": Planted(
        "the window of a pool is 3x3 instead of 2x3",
        Pooled((POOL,), Convolution((1, 2))),
        (2, 2, 2),
        wrong=Pooled((AveragePool((3, 3)),), Convolution((1, 2))),
    ),
    "adds": Planted(
        "a pool adds up in place of taking the mean",
        Pooled((AveragePool((2, 3)),), Convolution((2, 1))),
        (2, 2, 3),
        lambda w: 6.0 * w,
    ),
}


def network_of(*names: str) -> Network:
    """The right network with the projections of these mistakes."""
    return Network(
        populations=(
            Population("input", SOURCE),
            *(Population(name, MISTAKES[name].target) for name in names),
        ),
        projections=tuple(Projection("input", name, MISTAKES[name].right) for name in names),
        inputs=("input",),
        outputs=names,
    )


def planted(model: ModelT, *names: str) -> ModelT:
    """The model with these mistakes."""
    values, projections = dict(model.parameters), list[Projection]()
    for each in model.network.projections:
        if each.target in names:
            mistake = MISTAKES[each.target]
            key = f"{each.name}.weight"
            values[key] = mistake.weights(values[key])
            each = replace(each, connector=mistake.wrong or mistake.right)
        projections.append(each)
    network = replace(model.network, projections=tuple(projections))
    return replace(model, network=network, parameters=values)
