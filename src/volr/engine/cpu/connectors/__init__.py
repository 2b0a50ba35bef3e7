"""What the engine does with each connector: from a spike to its targets, by rule, and back."""

from volr.engine.cpu.connectors.packing import Tiles, in_tiles
from volr.engine.cpu.connectors.table import synapses_of

__all__ = ["Tiles", "in_tiles", "synapses_of"]
