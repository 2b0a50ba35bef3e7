"""From spikes to what a projection reads of them: each by itself, or the windows of a pool.

Spikes become lists of *senders* and their values, one list for each step in which they arrive. Of a
pool these are the windows with a spike, each once, however many of its neurons spiked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from volr.engine.cpu.compiler import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.lists import Lists

_INDEX = np.uintp


class Reading(NamedTuple):
    """Neuron i is in the windows ``windows[start[i] : start[i + 1]]``, in one as often as listed.

    ``values[n]`` is the value of a window with n spikes. A reading with ``plain`` has no windows:
    neurons send for themselves. There are ``senders`` windows, or neurons. Where each neuron is in
    ``one`` window, that of neuron i is ``windows[i]``.
    """

    start: NDArray[np.uint32]
    windows: NDArray[np.uint32]
    values: NDArray[Any]
    senders: int
    plain: bool
    one: bool


@njit(nogil=True, cache=True, error_model="numpy")
def list_arriving(
    index: NDArray[Any],
    begin: NDArray[np.uintp],
    blocks: int,
    reading: Reading,
    first: int,
    last: int,
    steps: int,
    delay: int,
    lists: Lists,
) -> None:
    """List what the spikes of stimuli ``first`` to ``last`` send, by the step of its arrival."""
    counts = np.zeros(1 if reading.plain else reading.senders, np.int32)
    n = _INDEX(0)
    row = _INDEX(0)
    for b in range(first, last):
        for t in range(steps):
            lists.begin[row] = n
            row += _INDEX(1)
            if t < delay:
                continue
            place = _INDEX((b * steps + t - delay) * (blocks + 1))
            start, stop = begin[place], begin[place + _INDEX(blocks)]
            if reading.plain:
                for k in range(start, stop):
                    lists.senders[n] = index[k]
                    lists.values[n] = reading.values[1]
                    n += _INDEX(1)
                continue
            if start == stop:
                continue
            for k in range(start, stop):
                i = _INDEX(index[k])
                for w in range(reading.start[i], reading.start[i + _INDEX(1)]):
                    counts[_INDEX(reading.windows[_INDEX(w)])] += 1
            # Without a branch: whether a window has a spike cannot be predicted.
            for w in range(_INDEX(reading.senders)):
                count = counts[w]
                lists.senders[n] = w
                lists.values[n] = reading.values[count]
                n += _INDEX(count != 0)
            counts[:] = 0
    lists.begin[row] = n


@njit(nogil=True, cache=True, error_model="numpy")
def share(
    by_sender: NDArray[Any],
    reading: Reading,
    returned: NDArray[Any],
    start: int,
    rows: int,
    size: int,
    add: bool,
) -> None:
    """Write, or ``add``, to each neuron what is owed to the windows that it is in.

    ``by_sender`` is a flat ``[row, sender]``, ``returned`` a flat ``[row, neuron]``.
    """
    each = reading.values[1]
    for r in range(rows):
        here, there = _INDEX(r * reading.senders), _INDEX(start + r * size)
        if reading.one and not add:
            for i in range(_INDEX(size)):
                returned[there + i] = by_sender[here + _INDEX(reading.windows[i])] * each
            continue
        for i in range(_INDEX(size)):
            total = by_sender.dtype.type(0)
            for w in range(reading.start[i], reading.start[i + _INDEX(1)]):
                total += by_sender[here + _INDEX(reading.windows[_INDEX(w)])]
            total *= each
            if add:
                returned[there + i] += total
            else:
                returned[there + i] = total
