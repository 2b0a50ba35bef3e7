"""A network in which every connector meets others: the tests of what the engine does with each."""

from __future__ import annotations

from volr.network import Network, Population, Projection
from volr.network.connectors import (
    AllToAll,
    AveragePool,
    Connector,
    Convolution,
    OneToOne,
    Pooled,
    Slice,
    Windows,
)

# Windows, strides and pads that differ by axis; groups; pools that overlap, and one after another;
# several projections into one population, and between the same two; shapes of one axis and of two;
# biases by neuron, by channel, and none.
SHAPES = {
    "image": (4, 9, 7),
    "sound": (2, 11),
    "grouped": (6, 4, 3),
    "strided": (9, 4, 3),
    "pooled": (6, 2, 1),
    "joined": (6, 3, 1),
    "row": (3, 5),
    "same": (3, 5),
    "sums": (6, 1, 1),
    "last": (5,),
}
CONNECTORS: tuple[tuple[str, str, Connector], ...] = (
    ("image", "grouped", Convolution((3, 3), stride=(2, 2), groups=2)),
    ("image", "strided", Convolution((4, 2), stride=(2, 3), pad=(1, 1))),
    ("grouped", "strided", Convolution((3, 5), pad=(1, 2), groups=3)),
    ("grouped", "pooled", Pooled((AveragePool((2, 2), (2, 1)), AveragePool((1, 2))), OneToOne())),
    ("grouped", "pooled", Windows((2, 3))),
    ("pooled", "joined", Convolution((2, 3), pad=(1, 1), groups=2)),
    (
        "strided",
        "joined",
        Pooled(
            (AveragePool((3, 2), (1, 1)),), Convolution((2, 3), stride=(1, 2), pad=(1, 1), groups=3)
        ),
    ),
    ("sound", "row", Convolution((4,), stride=(2,), pad=(1,))),
    ("row", "same", OneToOne()),
    ("strided", "last", Pooled((AveragePool((2, 2)),), AllToAll())),
    ("joined", "sums", Pooled((AveragePool((2, 1), (1, 1)),), Windows((2, 1)))),
    ("sums", "last", AllToAll()),
    ("same", "last", Pooled((AveragePool((2,)),), AllToAll())),
    ("row", "last", AllToAll()),
)


def _network(connectors: tuple[tuple[str, str, Connector], ...]) -> Network:
    projections: list[Projection] = []
    between: dict[tuple[str, str], int] = {}
    for source, target, connector in connectors:
        number = between[source, target] = between.get((source, target), 0) + 1
        projections.append(Projection(source, target, connector, number=number))
    return Network(
        populations=tuple(Population(name, shape) for name, shape in SHAPES.items()),
        projections=tuple(projections),
        inputs=("sound", "image"),
        outputs=("last",),
    )


CONNECTED = _network(CONNECTORS)
_APART = Pooled((AveragePool((2, 1)),), Convolution((2, 3), stride=(1, 3), pad=(1, 1), groups=3))
APART = _network(
    tuple(
        (source, target, _APART if (source, target) == ("strided", "joined") else connector)
        for source, target, connector in CONNECTORS
    )
)
"""The same, but that no windows of a pool before different weights overlap."""

SLICED = Network(
    tuple(
        Population(name, shape)
        for name, shape in {"input": (9,), "first": (2, 3), "second": (7,), "last": (4,)}.items()
    ),
    (
        Projection("input", "first", Slice(2, 4)),
        Projection("input", "first", Slice(0, 9), number=2),
        Projection("input", "second", Slice(8, 1)),
        Projection("first", "second", AllToAll()),
        Projection("input", "last", Slice(5, 2)),
        Projection("first", "last", Slice(1, 5)),
        Projection("second", "last", AllToAll()),
    ),
    ("input",),
    ("last",),
)
"""Parts of populations: at either end, in the middle, one neuron, all of them, beside others."""
DELAYS = {
    "input->first": 2.0,
    "input->first#2": 0.5,
    "input->second": 1.5,
    "input->last": 1.0,
    "first->last": 3.0,
    "second->last": 0.5,
}
"""Of SLICED, ms: projections of one source and into one target have several."""
