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
    weight, pad = spread(weight, value.shape[1:], dilation, pads, room)
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


def spread(
    weight: Floats, sizes: Shape, dilation: Shape, pads: Pads, room: Room
) -> tuple[Floats, Shape]:
    """A kernel ``[out, in, …]`` without holes, and its padding, as much on both sides of an axis.

    There are zeros in its holes, and beside it where ``pads`` (before, after) differ. Raises
    ``SizeError`` for one that is wider than a map of these ``sizes`` with its padding, and
    ``ModelError`` without memory.
    """
    by_axis = zip(sizes, dilation, pads, strict=True)
    for axis, (size, step, (before, after)) in enumerate(by_axis, 2):
        most, shape = max(before, after), [*weight.shape]
        first = most - before
        stop = first + (width := (shape[axis] - 1) * step + 1)
        if step > 1 and width > size + before + after:
            raise SizeError(
                f"its window is {shape[axis]} wide and {width} with its dilation, and a map has "
                f"{size + before + after} places, with its padding"
            )
        shape[axis] = stop + most - after
        if shape[axis] == weight.shape[axis]:
            continue
        room.take(*shape)
        made = np.zeros(shape)
        place = [slice(None)] * weight.ndim
        place[axis] = slice(first, stop, step)
        made[tuple(place)] = weight
        weight = made
    return weight, tuple(max(each) for each in pads)


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
