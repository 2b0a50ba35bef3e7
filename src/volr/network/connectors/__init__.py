"""Connectors: each has one file with everything about it."""

from volr.network.connectors.all_to_all import AllToAll
from volr.network.connectors.base import Connector, Entries, Scaling, Shape, by_channel
from volr.network.connectors.convolution import Convolution
from volr.network.connectors.one_to_one import OneToOne
from volr.network.connectors.pooled import AveragePool, Pooled, shape_through, shared_by
from volr.network.connectors.slice import Slice
from volr.network.connectors.windows import Windows

CONNECTORS: tuple[type[Connector], ...] = (
    AllToAll,
    Convolution,
    OneToOne,
    Pooled,
    Slice,
    Windows,
)
"""All connectors."""

__all__ = [
    "CONNECTORS",
    "AllToAll",
    "AveragePool",
    "Connector",
    "Convolution",
    "Entries",
    "OneToOne",
    "Pooled",
    "Scaling",
    "Shape",
    "Slice",
    "Windows",
    "by_channel",
    "shape_through",
    "shared_by",
]
