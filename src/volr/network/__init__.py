"""The network as a graph: data, validation, a stable text form, and a drawing."""

from volr.network.drawing.svg import network_svg
from volr.network.graph import AllToAll, Connector, Network, Population, Projection
from volr.network.text import (
    NetworkJson,
    PopulationJson,
    ProjectionJson,
    network_json,
    network_text,
)

__all__ = [
    "AllToAll",
    "Connector",
    "Network",
    "NetworkJson",
    "Population",
    "PopulationJson",
    "Projection",
    "ProjectionJson",
    "network_json",
    "network_svg",
    "network_text",
]
