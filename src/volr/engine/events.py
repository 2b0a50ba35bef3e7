"""Spikes as lists: for every stimulus and step the neurons that spiked, in rising order.

The list of a step is cut where a block of ``BLOCK`` neurons ends, so that the synapses of one block
can be kept in the first cache while many steps go over them.

    index[begin[b, t, q] : begin[b, t, q + 1]]    the spikes of stimulus b, step t, block q

Every stimulus has its own part of ``index``, as long as it could ever need; what is not written to
takes no memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 96
"""Neurons in a block: 96 rows of a tile are 24 KB of the 32 KB that first caches have."""

_INDEX = np.uintp


@dataclass(frozen=True, eq=False)
class Events:
    """The spikes of one population. ``begin`` is flat, ``[stimulus, step, block + 1]``."""

    size: int
    index: NDArray[Any]
    begin: NDArray[np.uintp]

    @property
    def blocks(self) -> int:
        return blocks_of(self.size)


def blocks_of(size: int) -> int:
    return -(-size // BLOCK)


def empty_events(stimuli: int, steps: int, size: int) -> Events:
    """Room for the spikes of ``size`` neurons."""
    kind = np.uint16 if size <= 2**16 else np.uint32
    return Events(
        size,
        # One more, since the next place is written before it is known whether it is needed.
        np.empty(stimuli * (steps * size + 1), dtype=kind),
        np.empty(stimuli * steps * (blocks_of(size) + 1), dtype=np.uintp),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def list_spikes(
    spikes: NDArray[np.uint8],
    start: int,
    stimulus_stride: int,
    step_stride: int,
    first: int,
    last: int,
    steps: int,
    size: int,
    index: NDArray[Any],
    begin: NDArray[np.uintp],
) -> None:
    """List the spikes of stimuli ``first`` to ``last``: bit 0 of ``spikes``.

    ``spikes`` is flat: the population begins at ``start``, and stimuli and steps have strides.
    """
    blocks = (size + BLOCK - 1) // BLOCK
    for stimulus in range(first, last):
        n = _INDEX(stimulus * (steps * size + 1))
        for step in range(steps):
            row = _INDEX(start + stimulus * stimulus_stride + step * step_stride)
            place = _INDEX((stimulus * steps + step) * (blocks + 1))
            for block in range(blocks):
                begin[place + _INDEX(block)] = n
                for i in range(_INDEX(block * BLOCK), _INDEX(min((block + 1) * BLOCK, size))):
                    # No branch: whether a neuron spikes cannot be predicted.
                    index[n] = i
                    n += _INDEX(spikes[row + i] & 1)
            begin[place + _INDEX(blocks)] = n


@njit(nogil=True, cache=True, error_model="numpy")
def list_trains(
    levels: NDArray[np.int32],
    trains: NDArray[np.uint8],
    fires: NDArray[np.bool_],
    first: int,
    last: int,
    steps: int,
    size: int,
    row_start: int,
    row_length: int,
    index: NDArray[Any],
    begin: NDArray[np.uintp],
) -> None:
    """List the spikes of neurons that follow one of several ``trains``, a flat ``[step, train]``.

    ``levels``, a flat ``[stimulus, unit]`` with rows of ``row_length``, says which; the population
    begins at ``row_start``. ``fires`` ``[train]`` says whether there is a spike in it at all.
    """
    blocks = (size + BLOCK - 1) // BLOCK
    count = len(fires)
    active = np.empty(size, np.int64)
    kinds = np.empty(size, np.int64)
    ends = np.empty(blocks + 1, np.int64)
    for stimulus in range(first, last):
        # Most inputs are silent throughout: they are left out once, and not in every step.
        n = 0
        for block in range(blocks):
            ends[block] = n
            for i in range(block * BLOCK, min((block + 1) * BLOCK, size)):
                level = levels[stimulus * row_length + row_start + i]
                active[n] = i
                kinds[n] = level
                n += int(fires[level])
        ends[blocks] = n
        k = _INDEX(stimulus * (steps * size + 1))
        for step in range(steps):
            place = _INDEX((stimulus * steps + step) * (blocks + 1))
            for block in range(blocks):
                begin[place + _INDEX(block)] = k
                for m in range(ends[block], ends[block + 1]):
                    index[k] = active[m]
                    k += _INDEX(trains[step * count + kinds[m]])
            begin[place + _INDEX(blocks)] = k
