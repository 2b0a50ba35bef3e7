"""Synapses that a simulator or a script holds one by one, as the blocks of a readback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.backends.readback import Asked
from volr.backends.terms import Ends
from volr.checks.arrays import Floats, Integers
from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Iterator

SynapseArrays: TypeAlias = tuple[Integers, Integers, Floats]
"""The target, the source and the weight of synapses, ``[synapse]`` each."""


class HeldBlocks(Mapping[Ends, Asked[Floats]]):
    """The ``weights`` of a readback out of the synapses that it ``held``, by ends.

    Synapses between the same two neurons count as one with their sum. ``sizes`` are those of the
    populations. A block is made when it is asked for, since those of large maps need much memory;
    this raises ``ModelError`` if the memory does not suffice. Raises ``IndexError`` for a synapse
    of a neuron that there is not.
    """

    def __init__(self, held: Mapping[Ends, list[SynapseArrays]], sizes: Mapping[str, int]) -> None:
        for ends, parts in held.items():
            source, target = (sizes[name] for name in ends)
            for post, pre, _ in parts:
                for neurons, size in ((post, target), (pre, source)):
                    if neurons.size and not (neurons.min() >= 0 and neurons.max() < size):
                        raise IndexError(f"{'->'.join(ends)} has a neuron that there is not")
        self._held = held
        self._sizes = sizes

    def __getitem__(self, ends: Ends) -> Asked[Floats]:
        parts = self._held[ends]
        source, target = (self._sizes[name] for name in ends)
        check_room({"->".join(ends): 8 * source * target}, "for the synapses, one by one")
        found = np.full((target, source), np.nan)
        for post, pre, weight in parts:
            found[post, pre] = np.nan_to_num(found[post, pre])
            np.add.at(found, (post, pre), weight)
        return Asked(found)

    def __iter__(self) -> Iterator[Ends]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)
