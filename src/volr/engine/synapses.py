"""What spikes do to those they reach, and what the errors of those do to the weights.

    deliver          drive[b, t + d] += Σ_{i spiked in (b, t)} W[:, i]
    return_errors    error[b, t] += W′ drive_error[b, t + d]
    gather           ∂W[:, i] = Σ_{(b, t): i spiked} drive_error[b, t + d]

Weights are in tiles (``volr.engine.tiles``). Within a tile, work goes over some stimuli, then over
blocks of the source, then over steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.compiler import njit
from volr.engine.vectors import LANES, TILE_BYTES, add_rows, add_scaled_rows, scatter_row

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
    for start in range(first, last, together):
        stop = min(start + together, last)
        for column in range(0, wide, tile):
            width = min(tile, wide - column)
            whole = min(width, columns - column)
            if blocks == 1 and whole == width:
                # Nothing to come back to: straight to where it belongs.
                for b in range(start, stop):
                    for t in range(steps):
                        there = _INDEX((b * steps + t) * columns + column)
                        if not add:
                            for j in range(_INDEX(width)):
                                drive[there + j] = 0
                        if t >= delay:
                            place = _INDEX((b * steps + t - delay) * 2)
                            add_rows(
                                drive,
                                there,
                                tiles,
                                _INDEX(column * rows),
                                index,
                                begin[place],
                                begin[place + _INDEX(1)] - begin[place],
                                _INDEX(width),
                                _INDEX(width),
                            )
                continue
            for r in range((stop - start) * steps):
                here = _INDEX(r * tile)
                if add:
                    there = _INDEX((start * steps + r) * columns + column)
                    for j in range(_INDEX(whole)):
                        scratch[here + j] = drive[there + j]
                    for j in range(_INDEX(whole), _INDEX(width)):
                        scratch[here + j] = 0
                else:
                    for j in range(_INDEX(width)):
                        scratch[here + j] = 0
            for block in range(blocks):
                matrix = _INDEX(column * rows)
                for b in range(stop - start):
                    for t in range(steps - delay):
                        place = _INDEX(((start + b) * steps + t) * (blocks + 1) + block)
                        from_ = begin[place]
                        count = begin[place + _INDEX(1)] - from_
                        if count > 0:
                            add_rows(
                                scratch,
                                _INDEX((b * steps + t + delay) * tile),
                                tiles,
                                matrix,
                                index,
                                from_,
                                count,
                                _INDEX(width),
                                _INDEX(width),
                            )
            for r in range((stop - start) * steps):
                here = _INDEX(r * tile)
                there = _INDEX((start * steps + r) * columns + column)
                for j in range(_INDEX(whole)):
                    drive[there + j] = scratch[here + j]


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
    tile = TILE_BYTES // errors.itemsize
    wide = (columns + LANES - 1) // LANES * LANES
    index = np.empty(steps * rows + 1, np.uint32)
    values = np.empty(steps * rows + 1, errors.dtype)
    begin = np.empty(steps + 1, np.uintp)
    scratch = np.empty(tile, errors.dtype)
    for b in range(first, last):
        # Entry t of the list is what returns to step t.
        n = _INDEX(0)
        for t in range(steps):
            begin[t] = n
            from_ = t + delay
            if from_ >= steps or from_ // window != t // window:
                continue
            row = _INDEX((b * steps + from_) * rows)
            for i in range(_INDEX(rows)):
                value = errors[row + i]
                index[n] = i
                values[n] = value
                n += _INDEX(value != 0)
        begin[steps] = n
        for column in range(0, wide, tile):
            width = min(tile, wide - column)
            whole = min(width, columns - column)
            for t in range(steps):
                there = _INDEX(((b - offset) * steps + t) * columns + column)
                if add:
                    for j in range(_INDEX(whole)):
                        scratch[j] = returned[there + j]
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
                    index,
                    values,
                    begin[t],
                    begin[t + 1] - begin[t],
                    _INDEX(width),
                    _INDEX(width),
                )
                for j in range(_INDEX(whole)):
                    returned[there + j] = scratch[j]


@njit(nogil=True, cache=True, error_model="numpy")
def gather(
    index: NDArray[Any],
    begin: NDArray[np.uintp],
    block_size: int,
    errors: NDArray[Any],
    tiles: NDArray[Any],
    column: int,
    first_block: int,
    last_block: int,
    stimuli: int,
    steps: int,
    delay: int,
    rows: int,
    columns: int,
) -> None:
    """The gradient of some blocks of the tile that begins at ``column``, over all stimuli.

    ``errors`` is a flat ``[stimulus, step, column]``: the derivative of the loss by the drive.
    """
    tile = TILE_BYTES // errors.itemsize
    wide = (columns + LANES - 1) // LANES * LANES
    blocks = (rows + block_size - 1) // block_size
    width = min(tile, wide - column)
    whole = min(width, columns - column)
    matrix = _INDEX(column * rows)
    from_row, to_row = first_block * block_size, min(last_block * block_size, rows)
    for i in range(matrix + _INDEX(from_row * width), matrix + _INDEX(to_row * width)):
        tiles[i] = 0
    together = max(1, min(stimuli, TOGETHER // steps))
    scratch = np.empty(together * steps * tile, errors.dtype)
    for start in range(0, stimuli, together):
        stop = min(start + together, stimuli)
        for r in range((stop - start) * steps):
            here = _INDEX(r * tile)
            there = _INDEX((start * steps + r) * columns + column)
            for j in range(_INDEX(whole)):
                scratch[here + j] = errors[there + j]
            for j in range(_INDEX(whole), _INDEX(width)):
                scratch[here + j] = 0
        for block in range(first_block, last_block):
            for b in range(stop - start):
                for t in range(steps - delay):
                    place = _INDEX(((start + b) * steps + t) * (blocks + 1) + block)
                    from_ = begin[place]
                    count = begin[place + _INDEX(1)] - from_
                    if count > 0:
                        scatter_row(
                            tiles,
                            matrix,
                            index,
                            from_,
                            count,
                            _INDEX(width),
                            scratch,
                            _INDEX((b * steps + t + delay) * tile),
                            _INDEX(width),
                        )
