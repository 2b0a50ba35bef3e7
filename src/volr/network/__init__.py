"""The network as a graph: data, validation, a stable text form, and a drawing."""

from volr.network.connectors import AllToAll, Connector, OneToOne
from volr.network.drawing.svg import network_svg
from volr.network.graph import Network, Population, Projection
from volr.network.text import network_json, network_text

__all__ = [
    "AllToAll",
    "Connector",
    "Network",
    "OneToOne",
    "Population",
    "Projection",
    "network_json",
    "network_svg",
    "network_text",
]

# What notebooks ask for. The graph does not know its drawing.
Network._repr_svg_ = network_svg  # pyright: ignore[reportPrivateUsage]
