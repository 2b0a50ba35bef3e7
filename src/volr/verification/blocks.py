"""Two blocks of numbers: are they equal except for rounding? If not, what was done to one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.readback import Ends
    from volr.checks.arrays import Booleans, Floats, Integers

# Differences of up to so many units of the precision are rounding.
_ROUNDING = 4.0
# As a share of the block's largest value: what remains after numbers that cancel were added.
_CANCELLED = 1e-12
# So many numbers are compared at once.
_TOGETHER = 1 << 18


def arrow(ends: Ends) -> str:
    return f"{ends[0]}->{ends[1]}"


def close(
    expected: Floats, found: Floats, precision: float, size: Floats | None = None
) -> Booleans:
    """Which values are equal except for rounding, in the shape of both.

    Rounding errors are a share of the ``size`` of each, by default its own.
    """
    size = np.abs(expected) if size is None else size
    rounding = np.maximum(precision * size, _CANCELLED * size.max(initial=0.0))
    return np.abs(found - expected) <= _ROUNDING * rounding


def all_close(expected: Floats, found: Floats, precision: float) -> bool:
    """Whether all are close, and both are NaN in the same places, or ``found`` is 0 there.

    Some rows are compared at a time, for the memory. Where it says no, they may still be close.
    """
    rows = max(1, _TOGETHER // max(1, expected.shape[1]))
    for first in range(0, len(expected), rows):
        wanted, has = expected[first : first + rows], found[first : first + rows]
        if np.isnan(wanted).any():
            none = np.isnan(wanted)
            if (np.isnan(has) & ~none).any():
                return False
            wanted, has = np.where(none, 0.0, wanted), np.where(np.isnan(has), 0.0, has)
        if not close(wanted, has, precision).all():
            return False
    return True


def worst(what: str, expected: Floats, found: Floats, same: Booleans) -> str:
    """How many values are not the ``same``, and the one with the largest difference."""
    off = np.where(same, 0.0, np.abs(found - expected))
    index = np.unravel_index(int(off.argmax()), off.shape)
    place = ", ".join(str(int(each)) for each in index)
    return (
        f"{int((~same).sum())} of {same.size} {what}{'s' if what == 'weight' else 'es'} differ; "
        f"[{place}] is {found[index]:.6g}, expected {expected[index]:.6g}"
    )


def cause_of(
    ends: Ends, found: Floats, blocks: Mapping[Ends, Floats], precision: float
) -> str | None:
    """What was done to a block: it is transposed, scaled, has other signs, or is another block.

    ``blocks`` are the expected weights of all projections, and ``found`` is that of ``ends``, with
    0 for NaN. None if nothing of this explains it.
    """
    weights = np.nan_to_num(blocks[ends])

    def same(other: Floats) -> bool:
        return other.shape == found.shape and bool(close(other, found, precision).all())

    if weights.shape[0] == weights.shape[1] and same(weights.T):
        return "the block is transposed"
    if same(weights.ravel(order="F").reshape(weights.shape)) or same(
        weights.ravel().reshape(weights.shape[::-1]).T
    ):
        return "the block is transposed, in its memory order"
    if cause := factor_or_sign(weights, found, precision):
        return cause
    for others, block in blocks.items():
        if others != ends and same(np.nan_to_num(block)):
            kind, pair = ("targets", 1) if others[0] == ends[0] else ("sources", 0)
            if others[1 - pair] == ends[1 - pair]:
                return f"the {kind} {ends[pair]} and {others[pair]} are exchanged"
            return f"these are the weights of {arrow(others)}"
    return None


def uneven(shared: Integers, same: Booleans) -> str | None:
    """Whether synapses that share a weight have it everywhere; None where all of them differ.

    ``shared`` is the number of the weight that each synapse has, or −1; ``same`` where the synapses
    are as they should be. Both ``[post, pre]``.
    """
    numbers = shared[shared >= 0]
    wrong = shared[(shared >= 0) & ~same]
    if not wrong.size:
        return None
    synapses, off = np.bincount(numbers), np.bincount(wrong, minlength=numbers.max() + 1)
    partly = np.flatnonzero((off > 0) & (off < synapses))
    if not partly.size:
        return None
    first = int(partly[0])
    others = f", and {partly.size - 1} more are not either" if partly.size > 1 else ""
    return (
        f"the shared weight {first} is not the same everywhere: {off[first]} of its "
        f"{synapses[first]} synapses differ{others}"
    )


def factor_or_sign(expected: Floats, found: Floats, precision: float) -> str | None:
    """The factor or the signs by which all values differ; None if neither explains it."""

    def same(other: Floats) -> bool:
        return bool(close(other, found, precision).all())

    if not expected.any():
        return None
    signs = {
        "all signs are flipped": -expected,
        "all are missing": np.zeros_like(expected),
        "what is negative has become positive": np.abs(expected),
        "what is negative is missing": np.maximum(expected, 0.0),
        "what is positive is missing": np.minimum(expected, 0.0),
    }
    for sign_name, other in signs.items():
        if same(other):
            return sign_name
    flipped = close(np.abs(expected), np.abs(found), precision)
    if flipped.all():
        number = int((~close(expected, found, precision)).sum())
        return f"{number} sign{'s are' if number != 1 else ' is'} flipped"
    peak = np.unravel_index(int(np.abs(expected).argmax()), expected.shape)
    factor = float(found[peak] / expected[peak])
    if factor and np.isfinite(factor) and same(expected * factor):
        return f"all are {factor:.6g} times what they should be"
    return None


def spread_by_pixel(expected: Floats, found: Floats, channels: int, precision: float) -> str | None:
    """Whether biases ``[unit]`` of so many channels go round from pixel to pixel."""
    by_pixel = np.resize(expected[:: expected.size // channels], expected.size)
    is_spread = close(by_pixel, found, precision).all()
    return "those of the channels are spread by pixel" if is_spread else None
