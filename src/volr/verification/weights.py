"""The weights of one projection, as they are held: which differ, and what was done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.network.connectors import AllToAll
from volr.verification.blocks import all_close, cause_of, close, uneven, worst
from volr.verification.kernels import cause_in_block, unsigned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.expected import Expected
    from volr.backends.readback import Ends
    from volr.checks.arrays import Booleans, Floats


def weight_differences(
    expected: Expected, ends: Ends, weights: Floats, has: Floats
) -> Iterator[tuple[str, str, str | None]]:
    """The differences of ``has`` from ``weights``, ``[post, pre]``, NaN where there is no synapse.

    Of each: ``projections`` for synapses that are missing or too many, or ``weights``; the message;
    and the cause.
    """
    if all_close(weights, has, expected.precision):
        return
    none = np.isnan(weights)
    absent = np.isnan(has) & ~none
    # A synapse without weight does nothing, so it may exist or not.
    extra = none & ~np.isnan(has) & (has != 0.0)
    wanted = np.where(none, 0.0, weights)
    same = close(wanted, has, expected.precision) | none | absent
    wirings = expected.wirings.get(ends, ())
    if not same.all() and wirings:
        # Of terms that cancel, rounding errors are a share of their size.
        sizes = sum((unsigned(each) for each in wirings), np.zeros(1))
        same |= close(wanted, has, expected.precision, sizes)
    if same.all() and not absent.any() and not extra.any():
        return
    cause = _cause(expected, ends, np.nan_to_num(has), same)
    if absent.any():
        message = f"{int(absent.sum())} of {int((~none).sum())} synapses are missing"
        yield "projections", message, cause
    if extra.any():
        yield "projections", f"{int(extra.sum())} synapses are there that should not be", cause
    if not same.all():
        yield "weights", worst("weight", wanted, has, same), cause


def _cause(expected: Expected, ends: Ends, has: Floats, same: Booleans) -> str | None:
    """What was done to the weights of a projection, without NaN."""
    precision, wirings = expected.precision, expected.wirings.get(ends, ())
    alone = wirings[0] if len(wirings) == 1 else None
    cause = None
    if alone is not None and not isinstance(alone.connector, AllToAll):
        cause = cause_in_block(alone, has, precision)
    cause = cause or cause_of(ends, has, expected.weights, precision)
    if cause is None and alone is not None and not same.all():
        shared = alone.connector.shared(alone.source, alone.target)
        cause = None if shared is None else uneven(shared, same)
    return cause
