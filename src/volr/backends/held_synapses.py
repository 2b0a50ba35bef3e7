"""Synapses that a simulator or a script holds one by one, as the blocks of a readback."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.system.memory import check_room

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.backends.terms import Ends
    from volr.checks.arrays import Floats, Integers

SynapseArrays: TypeAlias = tuple["Integers", "Integers", "Floats"]
"""The target, the source and the weight of synapses, ``[synapse]`` each."""


def blocks(
    held: Mapping[Ends, Iterable[SynapseArrays]], sizes: Mapping[str, int]
) -> dict[Ends, Floats]:
    """The ``weights`` of a readback out of the synapses that it ``held``, by ends.

    Synapses between the same two neurons count as one with their sum. ``sizes`` are those of the
    populations. Raises ``ModelError`` if the memory does not suffice.
    """
    needed = {f"{a}->{b}": 8 * sizes[a] * sizes[b] for a, b in held}
    check_room(needed, "for the synapses, one by one")
    found: dict[Ends, Floats] = {}
    for (source, target), parts in held.items():
        matrix = found[source, target] = np.full((sizes[target], sizes[source]), np.nan)
        for post, pre, weight in parts:
            matrix[post, pre] = np.nan_to_num(matrix[post, pre])
            np.add.at(matrix, (post, pre), weight)
    return found
