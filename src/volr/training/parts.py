"""A minibatch in parts, one on each core.

How many parts there are depends on the network and the minibatch alone, and what they give is added
up in their order. So results do not depend on the number of cores. Networks of dense layers are one
part: their products are so large that a part would take almost as long as the whole.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import torch

from volr.system.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from volr.network import Network

Given = TypeVar("Given")
Found = TypeVar("Found")

MOST, FEWEST = 8, 32
"""The most parts, and the fewest samples of one."""
WORTH = 1e8
"""The fewest floating-point operations of a part. LeNet's minibatch of 128, of 2e8, takes 11 ms of
processor time as a whole, 12 in two parts and 15 in four."""


def part_count(network: Network, batch_size: int) -> int:
    """Into how many parts a minibatch is cut."""
    if network.synapse_count == sum(map(network.weight_count, network.projections)):
        return 1
    # Forward, and backward to the weights and to the activations: two operations each.
    work = 6.0 * batch_size * network.multiplication_count
    return max(1, min(MOST, batch_size // FEWEST, int(work / WORTH)))


class Workers:
    """Threads that work on parts, at most one for each core, each with one thread of PyTorch's."""

    def __init__(self, parts: int) -> None:
        threads = min(parts, cores())
        self._pool = ThreadPoolExecutor(threads, initializer=_alone) if threads > 1 else None

    def map(self, work: Callable[[Given], Found], parts: Sequence[Given]) -> Iterator[Found]:
        """What the work makes of each part, in their order."""
        if self._pool is None or len(parts) == 1:
            return map(work, parts)
        return self._pool.map(work, parts)


def _alone() -> None:
    torch.set_num_threads(1)
