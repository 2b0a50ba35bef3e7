"""Connectors: each has one file with everything about it."""

from volr.network.connectors.all_to_all import AllToAll
from volr.network.connectors.base import Connector, Entries, Shape
from volr.network.connectors.one_to_one import OneToOne

CONNECTORS: tuple[type[Connector], ...] = (AllToAll, OneToOne)
"""All connectors."""

__all__ = ["CONNECTORS", "AllToAll", "Connector", "Entries", "OneToOne", "Shape"]
