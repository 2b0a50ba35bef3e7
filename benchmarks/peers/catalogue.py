"""Which engines there are, in the order of the tables, and which of them are installed."""

from __future__ import annotations

import importlib
import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from peers.base import Engine
    from peers.windowed import Synapses


@dataclass(frozen=True)
class Entry:
    """An engine's name, the module and the class that it is, and the package that it is from."""

    name: str
    module: str
    of: str
    package: str

    def build(self, weights: Sequence[Synapses], decay: float, device: str = "cpu") -> Engine:
        """A network of that engine; ``ImportError`` where its package is missing."""
        make = cast(
            "Callable[[Sequence[Synapses], float, str], Engine]",
            getattr(importlib.import_module(self.module), self.of),
        )
        return make(weights, decay, device)

    @property
    def version(self) -> str:
        return importlib.metadata.version(self.package)


VOLR = Entry("volr", "peers.volr_engine", "Volr", "volr")
DENSE = Entry("dense product", "peers.dense", "Dense", "torch")
PEERS = (
    Entry("spikingjelly", "peers.spikingjelly", "SpikingJelly", "spikingjelly"),
    Entry("sinabs", "peers.sinabs", "Sinabs", "sinabs"),
    Entry("norse", "peers.norse", "Norse", "norse"),
    Entry("snntorch", "peers.snntorch", "SnnTorch", "snntorch"),
)
ENTRIES = (VOLR, *PEERS, DENSE)


def entry(name: str) -> Entry:
    """The engine of that name."""
    return {each.name: each for each in ENTRIES}[name]


def installed() -> tuple[list[Entry], dict[str, str]]:
    """The engines that can be built, and of the others why not."""
    import numpy as np

    found: list[Entry] = []
    missing: dict[str, str] = {}
    for each in ENTRIES:
        try:
            each.build([np.zeros((2, 3), np.float32)], 0.5)
        except ImportError as error:
            missing[each.name] = str(error)
        else:
            found.append(each)
    return found, missing
