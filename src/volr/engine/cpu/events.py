"""Spikes as lists: for every stimulus and step the neurons that spiked, in rising order.

The list of a step is cut where a block of neurons ends, so that the synapses of one block can be
kept in the first cache while many steps go over them.

    index[begin[b, t, q] : begin[b, t, q + 1]]    the spikes of stimulus b, step t, block q

Every stimulus has its own part of ``index``, as long as it could ever need; what is not written to
takes no memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.compiler import njit
from volr.engine.cpu.vectors import load_word, write_eight

if TYPE_CHECKING:
    from numpy.typing import NDArray

MANY = 0.07
"""Spikes a neuron and step from which the first cache is worth its blocks."""
_SECOND_CACHE = 1536
_INDEX = np.uintp


@dataclass(frozen=True, eq=False)
class Events:
    """The spikes of one population, ``block`` neurons at a time.

    ``begin`` is flat, ``[stimulus, step, block + 1]``.
    """

    size: int
    block: int
    index: NDArray[Any]
    begin: NDArray[np.uintp]

    @property
    def blocks(self) -> int:
        return -(-self.size // self.block)


def block_of(size: int, density: float) -> int:
    """Neurons in a block, of ``size`` of which this share spikes in a step.

    192 rows of a tile are 48 KB, about what first caches have. Where few spike, to begin another
    block costs more than that saves, and the second cache has to do (measured: docs/decisions.md).
    """
    most = 192 if density >= MANY else _SECOND_CACHE
    return min(-(-size // 8) * 8, most)


@dataclass(frozen=True, eq=False)
class ByNeuron:
    """The same spikes the other way round: for every neuron the steps in which it spiked.

    The steps of all stimuli in a row are cut into ``blocks`` of ``block`` steps each. ``begin`` is
    flat, ``[block, neuron + 1]``:

        index[begin[q, i] : begin[q, i + 1]]    steps of block q in which neuron i spiked, from 0

    A spike that would arrive after the last step of its stimulus is left out.
    """

    block: int
    blocks: int
    index: NDArray[np.uint16]
    begin: NDArray[np.uintp]


NOTHING = ByNeuron(1, 0, np.empty(0, np.uint16), np.empty(0, np.uintp))
"""No lists at all."""


def by_neuron(events: Events, stimuli: int, steps: int) -> ByNeuron:
    """Room for the lists that ``turn_round`` writes, and where each block of steps begins.

    Steps are cut as neurons are in ``Events``, and for the same reason: the rows that are added up
    along a list are to stay in the first cache. Here they are errors, one row for each step.
    """
    ends = events.begin.reshape(stimuli * steps, events.blocks + 1)
    counts = ends[:, -1] - ends[:, 0]
    count = int(counts.sum())
    all_steps = stimuli * steps
    block = max(1, block_of(all_steps, count / max(1, all_steps * events.size)))
    blocks = -(-all_steps // block)
    begin = np.empty((blocks, events.size + 1), np.uintp)
    begin[:1, 0] = 0
    begin[1:, 0] = np.cumsum(counts)[block - 1 : -1 : block]
    return ByNeuron(block, blocks, np.empty(count, np.uint16), begin.reshape(-1))


def empty_events(stimuli: int, steps: int, size: int, block: int) -> Events:
    """Room for the spikes of ``size`` neurons."""
    kind = np.uint16 if size <= 2**16 else np.uint32
    blocks = -(-size // block)
    return Events(
        size,
        block,
        # Eight more, since places are written before it is known whether they are needed.
        np.empty(stimuli * (steps * size + 8), dtype=kind),
        np.empty(stimuli * steps * (blocks + 1), dtype=np.uintp),
    )


# For each pattern of eight neurons: how many spike, and which, the others' places being free.
_PATTERNS = [[bit for bit in range(8) if pattern >> bit & 1] for pattern in range(256)]
_COUNT = np.array([len(who) for who in _PATTERNS], dtype=np.uintp)
_WHICH = np.array([who + [0] * (8 - len(who)) for who in _PATTERNS], dtype=np.uint8).reshape(-1)

_SPIKES = np.uint64(0x0101010101010101)
# Times this, the lowest bits of eight bytes come together in the highest byte, in their order.
_TOGETHER = np.uint64(0x0102040810204080)


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
    block_size: int,
    index: NDArray[Any],
    begin: NDArray[np.uintp],
) -> None:
    """List the spikes of stimuli ``first`` to ``last``: bit 0 of ``spikes``.

    ``spikes`` is flat: the population begins at ``start``, and stimuli and steps have strides.
    ``block_size`` is a multiple of 8. There are no branches, since whether a neuron spikes cannot
    be predicted: eight neurons at a time, their list is looked up and written, and what is too much
    of it is overwritten by the next.
    """
    blocks = (size + block_size - 1) // block_size
    following = np.empty(last - first, np.uintp)
    for b in range(last - first):
        following[b] = (first + b) * (steps * size + 8)
    # Read as they lie in memory, stimulus by stimulus or step by step, which is faster.
    by_step = step_stride > stimulus_stride
    outer, inner = (steps, last - first) if by_step else (last - first, steps)
    for a in range(outer):
        for c in range(inner):
            step, b = (a, c) if by_step else (c, a)
            stimulus, n = first + b, following[b]
            row = _INDEX(start + stimulus * stimulus_stride + step * step_stride)
            place = _INDEX((stimulus * steps + step) * (blocks + 1))
            for block in range(blocks):
                begin[place + _INDEX(block)] = n
                i = _INDEX(block * block_size)
                stop = _INDEX(min((block + 1) * block_size, size))
                while i + _INDEX(8) <= stop:
                    word = load_word(spikes, row + i) & _SPIKES
                    pattern = _INDEX((word * _TOGETHER) >> np.uint64(56))
                    write_eight(index, n, _WHICH, pattern * _INDEX(8), i)
                    n += _COUNT[pattern]
                    i += _INDEX(8)
                while i < stop:
                    index[n] = i
                    n += _INDEX(spikes[row + i] & np.uint8(1))
                    i += _INDEX(1)
            begin[place + _INDEX(blocks)] = n
            following[b] = n


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
    block_size: int,
    index: NDArray[Any],
    begin: NDArray[np.uintp],
) -> None:
    """List the spikes of neurons that follow one of several ``trains``, a flat ``[step, train]``.

    ``levels``, a flat ``[stimulus, unit]`` with rows of ``row_length``, says which; the population
    begins at ``row_start``. ``fires`` ``[train]`` says whether there is a spike in it at all.
    """
    blocks = (size + block_size - 1) // block_size
    count = len(fires)
    active = np.empty(size, np.int64)
    kinds = np.empty(size, np.int64)
    ends = np.empty(blocks + 1, np.int64)
    for stimulus in range(first, last):
        # Most inputs are silent throughout: they are left out once, and not in every step.
        n = 0
        for block in range(blocks):
            ends[block] = n
            for i in range(block * block_size, min((block + 1) * block_size, size)):
                level = levels[stimulus * row_length + row_start + i]
                active[n] = i
                kinds[n] = level
                n += int(fires[level])
        ends[blocks] = n
        k = _INDEX(stimulus * (steps * size + 8))
        for step in range(steps):
            place = _INDEX((stimulus * steps + step) * (blocks + 1))
            for block in range(blocks):
                begin[place + _INDEX(block)] = k
                for m in range(ends[block], ends[block + 1]):
                    index[k] = active[m]
                    k += _INDEX(trains[step * count + kinds[m]])
            begin[place + _INDEX(blocks)] = k


@njit(nogil=True, cache=True, error_model="numpy")
def turn_round(
    index: NDArray[Any],
    begin: NDArray[np.uintp],
    blocks: int,
    first: int,
    last: int,
    block_steps: int,
    all_steps: int,
    steps: int,
    delay: int,
    size: int,
    turned: NDArray[np.uint16],
    turned_begin: NDArray[np.uintp],
) -> None:
    """Write the lists by neuron of the blocks of steps ``first`` to ``last``: see ``ByNeuron``."""
    following = np.empty(size, np.uintp)
    for block in range(first, last):
        from_, to = block * block_steps, min((block + 1) * block_steps, all_steps)
        start = _INDEX(block * (size + 1))
        at = turned_begin[start]
        following[:] = 0
        for r in range(from_, to):
            if r % steps < steps - delay:
                place = _INDEX(r * (blocks + 1))
                for k in range(begin[place], begin[place + _INDEX(blocks)]):
                    following[_INDEX(index[k])] += _INDEX(1)
        for i in range(size):
            count = following[_INDEX(i)]
            following[_INDEX(i)] = at
            at += count
            turned_begin[start + _INDEX(i + 1)] = at
        for r in range(from_, to):
            if r % steps < steps - delay:
                place = _INDEX(r * (blocks + 1))
                for k in range(begin[place], begin[place + _INDEX(blocks)]):
                    i = _INDEX(index[k])
                    turned[following[i]] = r - from_
                    following[i] += _INDEX(1)
