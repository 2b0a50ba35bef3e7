"""Operations of other programs on maps: kernels, means of windows, and zeros around them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import forms, windows
from volr.affine.forms import Form, SizeError, total
from volr.affine.values import InexpressibleError, Value, in_order, joined, value_of
from volr.network.connectors import AveragePool, Convolution

if TYPE_CHECKING:
    from volr.affine.terms import Room
    from volr.affine.values import Pads
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


def convolved(
    value: Value,
    weight: Floats,
    bias: Floats | None,
    room: Room,
    *,
    stride: Shape,
    pads: Pads,
    dilation: Shape,
    groups: int,
) -> Value:
    """A kernel ``[out, in / groups, …]`` over one or two axes; ``pads`` are (before, after).

    A kernel with holes is one with zeros, and so is one that is padded more on one side.
    """
    axes = weight.ndim - 2
    value = in_order(value, room)
    if value.unpadded is not None:
        value, zeros = value.unpadded
        pads = tuple((a + c, b + d) for (a, b), (c, d) in zip(pads, zeros, strict=True))
    if axes not in {1, 2}:
        raise InexpressibleError(
            f"its kernel goes over {axes} axes, and Volr's over one or two", "use Conv1d or Conv2d"
        )
    if len(value.shape) != axes + 1:
        raise SizeError(f"it takes channels and {axes} axes, and gets {list(value.shape)}")
    if value.shape[0] != groups * weight.shape[1]:
        raise SizeError(f"it takes {groups * weight.shape[1]} channels, and gets {value.shape[0]}")
    for axis, (hole, (before, after)) in enumerate(zip(dilation, pads, strict=True), 2):
        weight = _with_holes(weight, axis, hole)
        most = max(before, after)
        extra = [(0, 0)] * weight.ndim
        extra[axis] = (most - before, most - after)
        weight = np.pad(weight, extra)
    pad = tuple(max(each) for each in pads)
    connector = Convolution(weight.shape[2:], tuple(stride), pad, groups)
    if groups > 1:
        value = joined(value, room)
    made: list[Form] = []
    first = 0
    for part in value.parts:
        count = part.shape[0]
        kernel = weight if groups > 1 else weight[:, first : first + count]
        first += count
        kernel = np.ascontiguousarray(kernel)
        made.append(windows.convolved(part, connector, kernel, None, part.shape, room))
    form = total(made, room)
    if bias is not None:
        form = forms.shifted(form, np.repeat(bias, math.prod(form.shape[1:])))
    return value_of(form)


def _with_holes(weight: Floats, axis: int, step: int) -> Floats:
    if step == 1:
        return weight
    shape = [*weight.shape]
    shape[axis] = (shape[axis] - 1) * step + 1
    made = np.zeros(shape)
    place = [slice(None)] * weight.ndim
    place[axis] = slice(None, None, step)
    made[tuple(place)] = weight
    return made


def averaged(value: Value, window: Shape, stride: Shape, pads: Pads, room: Room) -> Value:
    """The means of windows, of which the padding is a part."""
    value = in_order(value, room)
    check_axes(value, window)
    if any(any(each) for each in pads):
        value = padded(value, pads, room)
    pool = AveragePool(tuple(window), tuple(stride))
    parts = tuple(windows.pooled(part, pool, part.shape, room) for part in value.parts)
    return Value((value.shape[0], *parts[0].shape[1:]), parts)


def check_axes(value: Value, window: Shape) -> None:
    """Raise ``SizeError`` unless a value has an axis for channels and one for each of a window."""
    if len(value.shape) != len(window) + 1:
        raise SizeError(
            f"its windows take channels and {len(window)} axes, and get {list(value.shape)}"
        )


def repeated(value: Value, pads: Pads) -> Value:
    """Copies of their border around maps."""
    places = zip(value.shape[1:], pads, strict=True)
    shape = (value.shape[0], *(n + before + after for n, (before, after) in places))
    return Value(shape, value.parts, value.order, repeated=(value, pads))


def padded(value: Value, pads: Pads, room: Room) -> Value:
    """Zeros around maps."""
    value = in_order(value, room)
    axes = len(value.shape) - 1
    ones = (1,) * axes
    parts = [
        convolved(
            value_of(part),
            np.ones((part.shape[0], 1, *ones)),
            None,
            room,
            stride=ones,
            pads=pads,
            dilation=ones,
            groups=part.shape[0],
        ).parts[0]
        for part in value.parts
    ]
    shape = (value.shape[0], *parts[0].shape[1:])
    return Value(shape, tuple(parts), unpadded=(value, pads))
