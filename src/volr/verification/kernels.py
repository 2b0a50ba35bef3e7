"""Mistakes with kernels and pools: what a back end may have made of a projection.

Each suspect is the projection with one mistake. ``cause_in_block`` finds the one that makes the
synapses which a back end holds, and ``volr.verification.mistakes`` the one that gives its outputs.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.terms import Wiring
from volr.network.connectors import AveragePool, Connector, Convolution, Pooled
from volr.verification.blocks import close

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

# The most pairs of channels that are exchanged.
_PAIRS = 200


@dataclass(frozen=True, eq=False)
class Mistake:
    """What is ``said`` of a mistake, and the connector and the weights with it."""

    said: str
    connector: Connector
    weights: Floats


def cause_in_block(kernel: Wiring, found: Floats, precision: float) -> str | None:
    """The mistake that makes the synapses ``found`` ``[post, pre]``, 0 where there is none.

    None where no mistake that is known makes them.
    """
    if isinstance(kernel.connector.parts[-1], Convolution):
        folded = _folded(kernel, found, precision)
        if folded is not None:
            same = (each for each in in_places(kernel) if each.connector == kernel.connector)
            for each in itertools.chain(same, in_weights(kernel)):
                if close(each.weights, folded, precision).all():
                    return each.said
            return None
    for each in in_places(kernel):
        other = Wiring(each.connector, each.weights, kernel.source, kernel.target)
        wanted = other.block()
        if wanted.shape == found.shape and close(wanted, found, precision, unsigned(other)).all():
            return each.said
    return None


def unsigned(wiring: Wiring) -> Floats:
    """The sum of each synapse's terms without their signs, ``[post, pre]``."""
    return replace(wiring, weights=np.abs(wiring.weights)).block()


def _folded(kernel: Wiring, found: Floats, precision: float) -> Floats | None:
    """The kernel that makes the synapses, if one does: windows and places are right."""
    connector, (source, target) = kernel.connector, (kernel.source, kernel.target)
    weights = np.zeros(kernel.weights.size)
    for each in connector.entries(source, target):
        weights[each.index] = found[each.post, each.pre] / each.factor
    weights = weights.reshape(kernel.weights.shape)
    made = connector.matrix(weights, source, target, 0.0)
    # Divided, and multiplied again.
    return weights if close(made, found, max(precision, 1e-12)).all() else None


def in_weights(kernel: Wiring) -> Iterator[Mistake]:
    """Mistakes with the numbers of a kernel; none for other connectors."""
    weights, connector = kernel.weights, kernel.connector
    last = connector.parts[-1]
    if not isinstance(last, Convolution):
        return
    axes = tuple(range(2, weights.ndim))

    def mistake(said: str, changed: Floats) -> Mistake:
        return Mistake(said, connector, changed)

    yield mistake("the kernel is flipped", np.flip(weights, axes))
    if len(axes) == 2:
        yield mistake("the rows of the kernel are flipped", np.flip(weights, 2))
        yield mistake("the columns of the kernel are flipped", np.flip(weights, 3))
        yield mistake("the axes of the kernel are exchanged", _exchanged(weights, 2, 3))
    yield mistake("the channels of source and target are exchanged", _exchanged(weights, 0, 1))
    for axis, side in ((0, "target"), (1, "source")):
        pairs = itertools.combinations(range(weights.shape[axis]), 2)
        for a, b in itertools.islice(pairs, _PAIRS):
            channels = list(np.moveaxis(weights, axis, 0))
            channels[a], channels[b] = channels[b], channels[a]
            said = f"the channels {a} and {b} of the {side} are exchanged"
            yield mistake(said, np.stack(channels, axis))


def _exchanged(weights: Floats, one: int, other: int) -> Floats:
    """Two axes exchanged. Where they differ, the numbers are taken in the other order."""
    if weights.shape[one] == weights.shape[other]:
        return np.swapaxes(weights, one, other)
    return np.swapaxes(weights, one, other).reshape(weights.shape)


def in_places(kernel: Wiring) -> Iterator[Mistake]:
    """Mistakes with windows: which are where, and what pools make of them."""
    connector, weights = kernel.connector, kernel.weights
    pools = connector.pools if isinstance(connector, Pooled) else ()
    last = connector.parts[-1]
    beyond: list[Mistake] = []
    if isinstance(last, Convolution):
        slid = itertools.chain(_slid(last, weights), _shifted(last, weights, axes=1))
        for said, changed, numbers in slid:
            mistake = Mistake(said, Pooled(pools, changed) if pools else changed, numbers)
            if mistake.connector.misfit(kernel.source, kernel.target) is None:
                yield mistake
            else:
                beyond.append(mistake)
        for said, changed, numbers in _shifted(last, weights, axes=2):
            beyond.append(Mistake(said, Pooled(pools, changed) if pools else changed, numbers))
    for index, pool in enumerate(pools):
        count = math.prod(pool.window)
        yield Mistake("a pool adds up in place of taking the mean", connector, count * weights)
        for said, changed in _pooled(pool):
            others = (*pools[:index], changed, *pools[index + 1 :])
            whole = Pooled(others, last)
            if (
                whole.misfit(kernel.source, kernel.target) is None
                and whole.weight_shape(kernel.source, kernel.target) == weights.shape
            ):
                yield Mistake(said, whole, weights)
    # Of windows that reach beyond the source, what is inside of it counts.
    yield from beyond


def _slid(right: Convolution, weights: Floats) -> Iterator[tuple[str, Convolution, Floats]]:
    for stride in _others(right.stride, 1):
        said = f"the stride is {_shown(stride)} instead of {_shown(right.stride)}"
        yield said, replace(right, stride=stride), weights
    for pad in _others(right.pad, 0):
        said = f"the padding is {_shown(pad)} instead of {_shown(right.pad)}"
        yield said, replace(right, pad=pad), weights


def _shifted(
    right: Convolution, weights: Floats, *, axes: int
) -> Iterator[tuple[str, Convolution, Floats]]:
    """Windows that are one pixel off, along so many axes."""
    for off in itertools.product((0, 1, -1), repeat=len(right.window)):
        if sum(map(abs, off)) != axes:
            continue
        # A larger window with zeros around the kernel, which is not in its middle.
        around = [(1 + each, 1 - each) for each in off]
        which = " and ".join(str(axis) for axis, each in enumerate(off, 1) if each)
        yield (
            f"the windows are one pixel off, on axis {which}",
            replace(
                right,
                window=tuple(each + 2 for each in right.window),
                pad=tuple(each + 1 for each in right.pad),
            ),
            np.pad(weights, [(0, 0), (0, 0), *around]),
        )


def _pooled(right: AveragePool) -> Iterator[tuple[str, AveragePool]]:
    for window in _others(right.window, 1):
        said = f"the window of a pool is {_shown(window)} instead of {_shown(right.window)}"
        yield said, AveragePool(window, right.stride)
    for stride in _others(right.stride, 1):
        said = f"the stride of a pool is {_shown(stride)} instead of {_shown(right.stride)}"
        yield said, AveragePool(right.window, stride)


def _others(right: Shape, least: int) -> Iterator[Shape]:
    """Numbers that are easily taken for the right ones: turned round, or one more or less."""
    near = itertools.product(*((each, each + 1, each - 1) for each in right))
    found = dict.fromkeys([right[::-1], *near])
    return (each for each in found if each != right and min(each) >= least)


def _shown(values: Shape) -> str:
    return "x".join(map(str, values))
