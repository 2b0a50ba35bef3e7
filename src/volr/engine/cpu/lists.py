"""Lists of senders with a value each, one list for each step: what arrives, or what returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from volr.engine.cpu.compiler import njit
from volr.engine.cpu.work import scratch

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INDEX = np.uintp


class Lists(NamedTuple):
    """Senders and their values, those of list r from ``begin[r]`` to ``begin[r + 1]``.

    There is room for one entry more than there can be.
    """

    senders: NDArray[np.uint32]
    values: NDArray[Any]
    begin: NDArray[np.uintp]


def empty_lists(rows: int, senders: int, dtype: np.dtype[Any]) -> Lists:
    """Room for ``rows`` lists, this thread's until it asks again."""
    whole = rows * senders + 1
    return Lists(
        scratch(whole, np.dtype(np.uint32), "lists"),
        scratch(whole, dtype, "lists"),
        scratch(rows + 1, np.dtype(np.uintp), "lists"),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def list_errors(
    errors: NDArray[Any],
    first: int,
    last: int,
    steps: int,
    delay: int,
    window: int,
    size: int,
    lists: Lists,
) -> None:
    """List the neurons with errors, and these, for each step to which they return.

    ``errors`` is a flat ``[stimulus, step, unit]``. An error goes to ``delay`` steps earlier, but
    never from one ``window`` of steps to an earlier one.
    """
    n = _INDEX(0)
    for b in range(first, last):
        for t in range(steps):
            lists.begin[_INDEX((b - first) * steps + t)] = n
            from_ = t + delay
            if from_ >= steps or from_ // window != t // window:
                continue
            row = _INDEX((b * steps + from_) * size)
            for i in range(_INDEX(size)):
                value = errors[row + i]
                lists.senders[n] = i
                lists.values[n] = value
                n += _INDEX(value != 0)
    lists.begin[_INDEX((last - first) * steps)] = n
