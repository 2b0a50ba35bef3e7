"""What spikes do to those they reach, and what the errors of those do to the weights.

    deliver          drive[b, t + d] += Σ_{i spiked in (b, t)} W[:, i]
    return_errors    error[b, t] += W′ drive_error[b, t + d]
    gather           ∂W[:, i] = Σ_{(b, t): i spiked} drive_error[b, t + d]

Weights are in tiles (``volr.engine.cpu.tiles``). Within a tile, work goes over some stimuli, then
over blocks of the source, then over steps; for gradients over blocks of steps, then over the
source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.compiler import njit
from volr.engine.cpu.lists import Lists, list_errors
from volr.engine.cpu.vectors import LANES, TILE_BYTES, add_rows, add_scaled_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOGETHER = 400
"""Steps, over several stimuli, whose drive is kept in the second cache at a time."""

_INDEX = np.uintp


@njit(nogil=True, cache=True, error_model="numpy")
def deliver(
    index: NDArray[Any],
    begin: NDArray[np.uintp],
    block_size: int,
    tiles: NDArray[Any],
    drive: NDArray[Any],
    first: int,
    last: int,
    steps: int,
    delay: int,
    rows: int,
    columns: int,
    add: bool,
) -> None:
    """Write, or ``add``, what the spikes of stimuli ``first`` to ``last`` bring to ``drive``.

    ``drive`` is a flat ``[stimulus, step, column]``.
    """
    tile = TILE_BYTES // drive.itemsize
    wide = (columns + LANES - 1) // LANES * LANES
    blocks = (rows + block_size - 1) // block_size
    together = max(1, min(last - first, TOGETHER // steps))
    scratch = np.empty(together * steps * tile, drive.dtype)
    nothing = np.zeros(tile, drive.dtype)
    # For each list of spikes: where it begins, and the step in which its spikes arrive.
    lists, arrivals = np.empty(together * steps, np.uintp), np.empty(together * steps, np.uintp)
    for start in range(first, last, together):
        stop = min(start + together, last)
        n = 0
        for b in range(stop - start):
            for t in range(steps - delay):
                lists[n] = ((start + b) * steps + t) * (blocks + 1)
                arrivals[n] = b * steps + t + delay
                n += 1
        for column in range(0, wide, tile):
            width = min(tile, wide - column)
            whole = min(width, columns - column)
            there = _INDEX(start * steps * columns + column)
            # Columns that do not fill a vector are summed elsewhere, and copied in the end.
            direct = whole == width
            if direct:
                if not add:
                    for b in range(stop - start):
                        for t in range(min(delay, steps)):
                            row = there + _INDEX((b * steps + t) * columns)
                            for j in range(_INDEX(width)):
                                drive[row + j] = 0
            else:
                for r in range((stop - start) * steps):
                    here, row = _INDEX(r * tile), there + _INDEX(r * columns)
                    for j in range(_INDEX(width)):
                        scratch[here + j] = 0
                    if add:
                        for j in range(_INDEX(whole)):
                            scratch[here + j] = drive[row + j]
            for block in range(blocks):
                from_, from_start, from_row = scratch, _INDEX(0), _INDEX(tile)
                to, to_start, to_row = scratch, _INDEX(0), _INDEX(tile)
                if direct and block == 0:
                    if add:
                        from_, from_start, from_row = drive, there, _INDEX(columns)
                    else:
                        from_, from_start, from_row = nothing, _INDEX(0), _INDEX(0)
                if direct and block == blocks - 1:
                    to, to_start, to_row = drive, there, _INDEX(columns)
                for r in range(0, n, 2):
                    one, two = _INDEX(r), _INDEX(min(r + 1, n - 1))
                    place_1, place_2 = lists[one] + _INDEX(block), lists[two] + _INDEX(block)
                    begin_1, begin_2 = begin[place_1], begin[place_2]
                    count_1 = begin[place_1 + _INDEX(1)] - begin_1
                    count_2 = begin[place_2 + _INDEX(1)] - begin_2
                    # The last of an odd number has none beside it.
                    count_2 = count_2 if one != two else _INDEX(0)
                    add_rows(
                        to,
                        from_,
                        tiles,
                        _INDEX(column * rows),
                        index,
                        _INDEX(width),
                        _INDEX(width),
                        to_start + arrivals[one] * to_row,
                        from_start + arrivals[one] * from_row,
                        begin_1,
                        count_1,
                        to_start + arrivals[two] * to_row,
                        from_start + arrivals[two] * from_row,
                        begin_2,
                        count_2,
                    )
            if not direct:
                for r in range((stop - start) * steps):
                    here, row = _INDEX(r * tile), there + _INDEX(r * columns)
                    for j in range(_INDEX(whole)):
                        drive[row + j] = scratch[here + j]


@njit(nogil=True, cache=True, error_model="numpy")
def return_errors(
    errors: NDArray[Any],
    tiles: NDArray[Any],
    returned: NDArray[Any],
    first: int,
    last: int,
    offset: int,
    steps: int,
    delay: int,
    window: int,
    rows: int,
    columns: int,
    add: bool,
) -> None:
    """Write, or ``add``, ``W′ errors`` of stimuli ``first`` to ``last`` to ``returned``.

    ``errors`` is a flat ``[stimulus, step, row]``, ``returned`` a flat ``[stimulus, step, column]``
    whose first stimulus is number ``offset``; the tiles are those of W′, rows being the neurons
    that the projection leads to. An error goes to ``delay`` steps earlier, but never from one
    ``window`` of steps to an earlier one.
    """
    lists = Lists(
        np.empty(steps * rows + 1, np.uint32),
        np.empty(steps * rows + 1, errors.dtype),
        np.empty(steps + 1, np.uintp),
    )
    for b in range(first, last):
        list_errors(errors, b, b + 1, steps, delay, window, rows, lists)
        start = (b - offset) * steps * columns
        multiply(lists, tiles, returned, start, steps, rows, columns, add)


@njit(nogil=True, cache=True, error_model="numpy")
def multiply(
    lists: Lists,
    tiles: NDArray[Any],
    target: NDArray[Any],
    start: int,
    count: int,
    rows: int,
    columns: int,
    add: bool,
) -> None:
    """Write, or ``add``, the rows of weights of ``count`` lists, each times its value.

    ``target`` is a flat ``[list, column]`` from ``start`` on; the matrix in ``tiles`` has ``rows``.
    """
    tile = TILE_BYTES // target.itemsize
    wide = (columns + LANES - 1) // LANES * LANES
    scratch = np.empty(tile, target.dtype)
    for column in range(0, wide, tile):
        width = min(tile, wide - column)
        whole = min(width, columns - column)
        for r in range(count):
            there = _INDEX(start + r * columns + column)
            if add:
                for j in range(_INDEX(whole)):
                    scratch[j] = target[there + j]
                for j in range(_INDEX(whole), _INDEX(width)):
                    scratch[j] = 0
            else:
                for j in range(_INDEX(width)):
                    scratch[j] = 0
            add_scaled_rows(
                scratch,
                _INDEX(0),
                tiles,
                _INDEX(column * rows),
                lists.senders,
                lists.values,
                lists.begin[r],
                lists.begin[r + 1] - lists.begin[r],
                _INDEX(width),
                _INDEX(width),
            )
            for j in range(_INDEX(whole)):
                target[there + j] = scratch[j]


@njit(nogil=True, cache=True, error_model="numpy")
def gather(
    index: NDArray[Any],
    begin: NDArray[np.uintp],
    block_size: int,
    errors: NDArray[Any],
    tiles: NDArray[Any],
    column: int,
    first: int,
    last: int,
    delay: int,
    rows: int,
    columns: int,
) -> None:
    """The gradient of neurons ``first`` to ``last``, in the tile that begins at ``column``.

    ``index`` and ``begin`` list the spikes of all stimuli by neuron, ``block_size`` steps at a time
    (``volr.engine.cpu.events.ByNeuron``). ``errors`` is a flat ``[stimulus, step, column]``: the
    derivative of the loss by the drive.
    """
    tile = TILE_BYTES // errors.itemsize
    wide = (columns + LANES - 1) // LANES * LANES
    width = min(tile, wide - column)
    whole = min(width, columns - column)
    matrix = _INDEX(column * rows)
    for i in range(matrix + _INDEX(first * width), matrix + _INDEX(last * width)):
        tiles[i] = 0
    all_steps = len(errors) // columns
    scratch = np.zeros(block_size * width, errors.dtype)
    for block in range((all_steps + block_size - 1) // block_size):
        # The errors that the spikes of these steps met when they arrived.
        start = block * block_size + delay
        for r in range(min(block_size, all_steps - start)):
            here, there = _INDEX(r * width), _INDEX((start + r) * columns + column)
            for j in range(_INDEX(whole)):
                scratch[here + j] = errors[there + j]
        lists = _INDEX(block * (rows + 1))
        for i in range(first, last, 2):
            one, two = _INDEX(i), _INDEX(min(i + 1, last - 1))
            begin_1, begin_2 = begin[lists + one], begin[lists + two]
            count_1 = begin[lists + one + _INDEX(1)] - begin_1
            count_2 = begin[lists + two + _INDEX(1)] - begin_2
            # The last of an odd number has none beside it.
            count_2 = count_2 if one != two else _INDEX(0)
            place_1, place_2 = matrix + one * _INDEX(width), matrix + two * _INDEX(width)
            add_rows(
                tiles,
                tiles,
                scratch,
                _INDEX(0),
                index,
                _INDEX(width),
                _INDEX(width),
                place_1,
                place_1,
                begin_1,
                count_1,
                place_2,
                place_2,
                begin_2,
                count_2,
            )
