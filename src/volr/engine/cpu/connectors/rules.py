"""The rule of a kernel that slides: where the weights of a sender are, and where they go.

A *sender* is what has a value: a neuron that spiked, or a mean of a pool; on the way back it is a
neuron with an error. For each row of its window, a sender adds one contiguous run of weights to one
contiguous run of receivers. This is so because both keep their channels last, and because a kernel
keeps those of its rows and columns side by side that a sender meets one after the other:

    receivers  [group, y, x, channel]                 channels of one group
    weights    [chunk, channel of the sender, d_y, d_x, channel of the receiver]

Channels of the receivers are cut into *chunks*, for the weights of one chunk to fit into the second
cache, and filled up with zeros to whole vectors. With one axis, y has the size 1.

A table has a row for each sender, and one for each weight. Nothing has one for each synapse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from volr.engine.cpu.runs import EIGHT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.network.connectors import Convolution, Shape

_CHUNK = 65_536
"""Weights of a chunk at the most: a quarter of a megabyte in float32."""


class Rule(NamedTuple):
    """See the module. Numbers of vectors and of rows are 0 where a sender reaches nothing.

    ``weight_at``, ``target_at``, ``rows`` and ``vectors`` are by sender. ``weight_row`` and
    ``target_row`` lead from one row to the next. ``chunk_at`` ``[chunk + 1]`` is where the
    receivers of a chunk begin in ``units``, their numbers in their population, and in ``places``,
    where they are among ``room`` numbers. A chunk has ``kernel`` weights.
    """

    weight_at: NDArray[np.uint32]
    target_at: NDArray[np.uint32]
    rows: NDArray[np.uint32]
    vectors: NDArray[np.uint32]
    chunk_at: NDArray[np.uint32]
    units: NDArray[np.uint32]
    places: NDArray[np.uint32]
    weight_row: int
    target_row: int
    kernel: int
    room: int


@dataclass(frozen=True, eq=False)
class Geometry:
    """A rule, and ``index``: which weight is in each place of the packed ones, −1 in none."""

    rule: Rule
    index: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Axis:
    """One axis: what each sender meets. ``order`` are the kernel's offsets as they are packed."""

    first: NDArray[np.int64]
    start: NDArray[np.int64]
    count: NDArray[np.int64]
    order: NDArray[np.int64]
    receivers: int


@lru_cache(maxsize=64)
def geometry(
    connector: Convolution, source: Shape, target: Shape, *, back: bool, whole: bool = False
) -> Geometry:
    """The rule of a convolution: forwards, or ``back`` from its target to its source.

    With ``whole`` there is one chunk, however many weights it has.
    """
    make = _backwards if back else _forwards
    sizes = zip(
        source[1:], target[1:], connector.window, connector.stride, connector.pad, strict=True
    )
    axes = [make(*each) for each in sizes]
    if len(axes) == 1:
        axes.insert(0, make(1, 1, 1, 1, 0))
    senders, receivers = (target[0], source[0]) if back else (source[0], target[0])
    groups, per = connector.groups, receivers // connector.groups
    fan = max(1, senders * len(axes[0].order) * len(axes[1].order))
    chunk = per if whole else min(per, max(EIGHT, _CHUNK // fan // EIGHT * EIGHT))
    lanes = -(-chunk // EIGHT) * EIGHT
    index = _index(connector, source, target[0], axes, chunk, lanes, back=back)
    for each in (rule := _rule(axes, senders, receivers, groups, chunk, lanes)):
        if isinstance(each, np.ndarray):
            each.setflags(write=False)
    return Geometry(rule, index)


def _forwards(n: int, m: int, window: int, stride: int, pad: int) -> _Axis:
    """From place p to each m′ with 0 ≤ d = p + pad − stride · m′ < window."""
    p = np.arange(n) + pad
    first = np.maximum(0, -((window - 1 - p) // stride))
    last = np.minimum(m - 1, p // stride)
    # Offsets that one place meets differ by the stride, and fall from target to target.
    classes = [np.arange(window)[rest::stride][::-1] for rest in range(stride)]
    begins = np.cumsum([0, *map(len, classes)])
    largest = np.array([each[0] if len(each) else 0 for each in classes])
    rest = p % stride
    start = begins[rest] + (largest[rest] - (p - stride * first)) // stride
    count = np.maximum(0, last - first + 1)
    return _Axis(first, start, count, np.concatenate(classes), m)


def _backwards(n: int, m: int, window: int, stride: int, pad: int) -> _Axis:
    """From place m′ to each p = stride · m′ + d − pad that there is."""
    begin = stride * np.arange(m) - pad
    start = np.maximum(0, -begin)
    last = np.minimum(window - 1, n - 1 - begin)
    return _Axis(begin + start, start, np.maximum(0, last - start + 1), np.arange(window), n)


def _rule(
    axes: list[_Axis], senders: int, receivers: int, groups: int, chunk: int, lanes: int
) -> Rule:
    y, x = axes
    channel = np.arange(senders)[:, None, None]
    group = channel // (senders // groups)
    target = ((group * y.receivers + y.first[:, None]) * x.receivers + x.first) * lanes
    weight = ((channel * len(y.order) + y.start[:, None]) * len(x.order) + x.start) * lanes
    reached = (y.count[:, None] > 0) & (x.count > 0)
    shape = (senders, len(y.first), len(x.first))
    rows = np.broadcast_to(np.where(reached, y.count[:, None], 0), shape)
    vectors = np.broadcast_to(np.where(reached, x.count * (lanes // EIGHT), 0), shape)
    per = receivers // groups
    number = np.arange(receivers * y.receivers * x.receivers)
    of, place = np.divmod(number, y.receivers * x.receivers)
    group, within = np.divmod(of, per)
    part, lane = np.divmod(within, chunk)
    places = (group * y.receivers * x.receivers + place) * lanes + lane
    order = np.argsort(part, kind="stable")
    chunks = -(-per // chunk)

    def flat(values: NDArray[Any]) -> NDArray[np.uint32]:
        return np.ascontiguousarray(values, np.uint32).reshape(-1)

    return Rule(
        weight_at=flat(np.where(reached, weight, 0)),
        target_at=flat(np.where(reached, target, 0)),
        rows=flat(rows),
        vectors=flat(vectors),
        chunk_at=flat(np.searchsorted(part[order], np.arange(chunks + 1))),
        units=flat(order),
        places=flat(places[order]),
        weight_row=len(x.order) * lanes,
        target_row=x.receivers * lanes,
        kernel=senders * len(y.order) * len(x.order) * lanes,
        room=groups * y.receivers * x.receivers * lanes,
    )


def _index(
    connector: Convolution,
    source: Shape,
    outputs: int,
    axes: list[_Axis],
    chunk: int,
    lanes: int,
    *,
    back: bool,
) -> NDArray[np.int64]:
    """``[chunk, sender, d_y, d_x, lane]``, flat: the weight ``[out, in/groups, window…]``."""
    y, x = axes
    inputs = source[0] // connector.groups
    per, senders = (inputs, outputs) if back else (outputs // connector.groups, source[0])
    lane = np.arange(-(-per // chunk))[:, None] * chunk + np.arange(lanes)
    there = (np.arange(lanes) < chunk) & (lane < per)
    lane = lane[:, None, :]
    sender = np.arange(senders)[:, None]
    # Channel of the target, and that of the source within its group: [chunk, sender, lane].
    out = sender if back else sender // inputs * per + lane
    into = lane if back else sender % inputs
    kernel = np.where(there[:, None], out * inputs + into, -1)[:, :, None, None, :]
    offset = y.order[:, None, None] * len(x.order) + x.order[:, None]
    size = len(y.order) * len(x.order)
    return np.where(kernel >= 0, kernel * size + offset, -1).reshape(-1)
