"""What lists of senders do through the weights of a kernel that slides, and what these are owed.

    spread    target[row] += Σ_{senders of the row} value · their window of the kernel
    owe       ∂kernel += Σ_{senders of all rows} value · the errors in their window

Both go by ``volr.engine.cpu.connectors.rules``, forwards and backwards alike. Sums are in the order
of the lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.compiler import njit
from volr.engine.cpu.runs import add_scaled_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.connectors.rules import Rule
    from volr.engine.cpu.lists import Lists

_INDEX = np.uintp


@njit(nogil=True, cache=True, error_model="numpy")
def spread(
    lists: Lists,
    rule: Rule,
    weights: NDArray[Any],
    target: NDArray[Any],
    start: int,
    rows: int,
    size: int,
    add: bool,
) -> None:
    """Write, or ``add``, what the senders of each list bring: ``[row, receiver]`` from ``start``.

    Sums are taken where channels are last, and then go to their places in the population.
    """
    sums = np.empty(rule.room, target.dtype)
    weight_row, target_row = _INDEX(rule.weight_row), _INDEX(rule.target_row)
    for chunk in range(len(rule.chunk_at) - 1):
        first, last = _INDEX(rule.chunk_at[chunk]), _INDEX(rule.chunk_at[chunk + 1])
        kernel = _INDEX(chunk * rule.kernel)
        for r in range(rows):
            there = _INDEX(start + r * size)
            sums[:] = 0
            for k in range(lists.begin[r], lists.begin[r + 1]):
                k = _INDEX(k)
                sender = _INDEX(lists.senders[k])
                add_scaled_runs(
                    sums,
                    _INDEX(rule.target_at[sender]),
                    target_row,
                    weights,
                    kernel + _INDEX(rule.weight_at[sender]),
                    weight_row,
                    _INDEX(rule.rows[sender]),
                    _INDEX(rule.vectors[sender]),
                    lists.values[k],
                )
            if add:
                for j in range(first, last):
                    target[there + _INDEX(rule.units[j])] += sums[_INDEX(rule.places[j])]
            else:
                for j in range(first, last):
                    target[there + _INDEX(rule.units[j])] = sums[_INDEX(rule.places[j])]


@njit(nogil=True, cache=True, error_model="numpy")
def owe(
    lists: Lists,
    rule: Rule,
    errors: NDArray[Any],
    start: int,
    rows: int,
    size: int,
    gradient: NDArray[Any],
) -> None:
    """Add what each weight is owed to ``gradient``; ``errors`` are ``[row, receiver]``."""
    there = np.empty(rule.room, errors.dtype)
    weight_row, target_row = _INDEX(rule.weight_row), _INDEX(rule.target_row)
    for chunk in range(len(rule.chunk_at) - 1):
        first, last = _INDEX(rule.chunk_at[chunk]), _INDEX(rule.chunk_at[chunk + 1])
        kernel = _INDEX(chunk * rule.kernel)
        # Where there is no channel there is no error.
        there[:] = 0
        for r in range(rows):
            if lists.begin[r] == lists.begin[r + 1]:
                continue
            row = _INDEX(start + r * size)
            for j in range(first, last):
                there[_INDEX(rule.places[j])] = errors[row + _INDEX(rule.units[j])]
            for k in range(lists.begin[r], lists.begin[r + 1]):
                k = _INDEX(k)
                sender = _INDEX(lists.senders[k])
                add_scaled_runs(
                    gradient,
                    kernel + _INDEX(rule.weight_at[sender]),
                    weight_row,
                    there,
                    _INDEX(rule.target_at[sender]),
                    target_row,
                    _INDEX(rule.rows[sender]),
                    _INDEX(rule.vectors[sender]),
                    lists.values[k],
                )


@njit(nogil=True, cache=True, error_model="numpy")
def scale(
    lists: Lists,
    weight: NDArray[Any],
    target: NDArray[Any],
    start: int,
    rows: int,
    size: int,
    add: bool,
) -> None:
    """As ``spread``, where sender i reaches receiver i alone, with one weight for all."""
    for r in range(rows):
        there = _INDEX(start + r * size)
        if not add:
            for i in range(_INDEX(size)):
                target[there + i] = 0
        for k in range(lists.begin[r], lists.begin[r + 1]):
            k = _INDEX(k)
            target[there + _INDEX(lists.senders[k])] += weight[0] * lists.values[k]


@njit(nogil=True, cache=True, error_model="numpy")
def owe_scale(
    lists: Lists, errors: NDArray[Any], start: int, rows: int, size: int, gradient: NDArray[Any]
) -> None:
    """As ``owe``, for the weight of ``scale``."""
    for r in range(rows):
        row = _INDEX(start + r * size)
        for k in range(lists.begin[r], lists.begin[r + 1]):
            k = _INDEX(k)
            gradient[0] += lists.values[k] * errors[row + _INDEX(lists.senders[k])]
