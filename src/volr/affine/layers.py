"""What trained layers do to values, with the numbers that other programs keep for them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import linear, maps, values
from volr.affine.forms import SizeError
from volr.affine.values import InexpressibleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.affine.terms import Room
    from volr.affine.values import Pads, Value
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


def normalised(
    value: Value,
    mean: Floats,
    variance: Floats,
    weight: Floats | None,
    bias: Floats | None,
    epsilon: float,
    room: Room,
) -> Value:
    """A batch normalisation in evaluation: (x - mean) / √(variance + ε) · weight + bias.

    All numbers are by channel, the first axis of the value. Raises ``SizeError`` where they do not
    fit, and ``InexpressibleError`` for a variance below 0.
    """
    channels = value.shape[0]
    for each in (mean, variance, weight, bias):
        if each is not None and each.shape != (channels,):
            raise SizeError(f"it normalises {list(each.shape)} channels, and gets {channels}")
    if not (variance + epsilon > 0).all():
        raise InexpressibleError("one of its variances is below 0", "train it again")
    factor = 1.0 / np.sqrt(variance + epsilon)
    factor = factor if weight is None else factor * weight
    offset = -mean * factor
    offset = offset if bias is None else offset + bias
    ones = (1,) * (len(value.shape) - 1)
    value = linear.scaled(value, factor.reshape(-1, *ones), room)
    return linear.shifted(value, offset.reshape(-1, *ones))


def check_within(places: Shape, window: Shape, stride: Shape, pads: Pads) -> None:
    """Raise ``InexpressibleError`` if the last window reaches beyond the values."""
    for n, w, s, (a, b) in zip(places, window, stride, pads, strict=True):
        if (n + a + b - w) % s:
            raise InexpressibleError(
                "its last window reaches beyond the values (ceil_mode)", "use ceil_mode=False"
            )


def averaged_over(value: Value, axes: Sequence[int], room: Room) -> Value:
    """The means over all places of each channel, with axes of size 1.

    Raises ``InexpressibleError`` unless one axis, of the channels, is left.
    """
    turned, back = _channels_first(value, axes)
    window = turned.shape[1:]
    none = ((0, 0),) * len(window)
    return values.permuted(maps.averaged(turned, window, window, none, room), back)


def channels_first(value: Value, axes: Sequence[int]) -> Value:
    """The value with these axes last, as windows want it. Raises as ``averaged_over`` does."""
    return _channels_first(value, axes)[0]


def _channels_first(value: Value, axes: Sequence[int]) -> tuple[Value, list[int]]:
    rest = [each for each in range(len(value.shape)) if each not in set(axes)]
    if len(rest) != 1 or len(set(axes)) != len(axes) or not 1 <= len(axes) <= 2:
        raise InexpressibleError(
            f"it takes the mean along the axes {[each + 1 for each in axes]} of "
            f"{len(value.shape) + 1}",
            "take it over all places of a map: the axes 2 and 3, of [batch, channel, row, column]",
        )
    order = [*rest, *sorted(axes)]
    back = [order.index(each) for each in range(len(order))]
    return values.permuted(value, order), back


def counts(places: Shape, window: Shape, stride: Shape, pads: Pads) -> Floats:
    """How many values each window has, without the padding; of the shape of the windows."""
    found = np.ones((1,) * len(places))
    for axis, (n, w, s, (a, b)) in enumerate(zip(places, window, stride, pads, strict=True)):
        starts = np.arange(-a, n + b - w + 1, s)
        along = np.minimum(starts + w, n) - np.maximum(starts, 0)
        found = found * along.reshape(-1, *(1,) * (len(places) - 1 - axis))
    return found


def averaged_inside(value: Value, window: Shape, stride: Shape, pads: Pads, room: Room) -> Value:
    """The means of windows, of which the padding is no part."""
    found = maps.averaged(value, window, stride, pads, room)
    if not any(any(each) for each in pads):
        return found
    each = counts(value.shape[1:], window, stride, pads)
    if not (each > 0).all():
        raise InexpressibleError("it has windows of padding alone", "pad less than a window")
    return linear.scaled(found, math.prod(window) / each, room)
