"""Nodes that go through windows of maps: convolutions and pools."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.affine import Form, SizeError, check_size
from volr.backends.nir.terms import added_up, means_of
from volr.network.connectors import AveragePool, Convolution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.backends.nir.graph import Values
    from volr.backends.nir.terms import Room
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape

_MOST = 2**31


def convolved(axes: int, values: Values, form: Form, room: Room) -> Form:
    """A form after a convolution over one or two axes.

    Raises ``SizeError`` for what no kernel of Volr's says, ``ModelError`` without memory.
    """
    weight = values["weight"]
    if weight.ndim != axes + 2:
        raise SizeError(f"its weight has {weight.ndim} axes, not {axes + 2}")
    if not weight.size:
        raise SizeError(f"its weight has the shape {list(weight.shape)}")
    stride, dilation = (whole(values, key, axes, 1) for key in ("stride", "dilation"))
    pad = whole(values, "padding", axes, 0)
    (groups,) = whole(values, "groups", 1, 1)
    if set(dilation) != {1}:
        raise SizeError(f"its dilation is {list(dilation)}, and Volr's kernels have none")
    shape = _maps(values, form, groups * weight.shape[1], axes)
    connector = Convolution(weight.shape[2:], stride, pad, groups)
    sizes = zip(shape[1:], connector.window, stride, pad, strict=True)
    target = (weight.shape[0], *((n + 2 * p - w) // s + 1 for n, w, s, p in sizes))
    if wrong := connector.misfit(shape, target):
        raise SizeError(wrong)
    check_size(math.prod(target))
    check_size(shape[0] * math.prod(n + 2 * p for n, p in zip(shape[1:], pad, strict=True)))
    own = values["bias"].ravel()
    if own.size != target[0]:
        raise SizeError(f"its bias has {own.size} values for {target[0]} channels")
    seen = [each.seen(shape, room) for each in form.terms]
    if axes == 1 and (pool := _mean(connector, weight, shape, target)) and not own.any():
        # NIR has no pools over one axis.
        factor = np.full(math.prod(target), weight.size / target[0] * weight.flat[0])
        terms = [each.pooled(pool, room).times(factor, room) for each in seen]
    else:
        terms = [each.convolved(connector, weight, target, room) for each in seen]
    bias = None
    if form.bias is not None:
        bias = connector.apply(weight, form.bias[None], shape, target)[0]
    if own.any():
        each = np.repeat(own, math.prod(target[1:]))
        bias = each if bias is None else bias + each
    return Form(target, added_up(terms, room), bias)


def averaged(values: Values, form: Form, room: Room) -> Form:
    """A form after an AvgPool2d. Raises as ``convolved`` does."""
    return _pooled(values, form, room, 1)


def summed(values: Values, form: Form, room: Room) -> Form:
    """A form after a SumPool2d: means times the size of a window. Raises as ``convolved`` does."""
    return _pooled(values, form, room, math.prod(whole(values, "kernel_size", 2, 1)))


def _pooled(values: Values, form: Form, room: Room, times: int) -> Form:
    pool = AveragePool(whole(values, "kernel_size", 2, 1), whole(values, "stride", 2, 1))
    if any(pad := whole(values, "padding", 2, 0)):
        raise SizeError(f"its padding is {list(pad)}, and Volr's pools have none")
    shape = without_batch(form.shape, 2)
    if wrong := pool.misfit(shape):
        raise SizeError(wrong)
    target = pool.reduced(shape)
    terms = [each.seen(shape, room).pooled(pool, room) for each in form.terms]
    if times != 1:
        factor = np.full(math.prod(target), float(times))
        terms = [each.times(factor, room) for each in terms]
    bias = None if form.bias is None else times * means_of(form.bias, pool, shape)
    return Form(target, added_up(terms, room), bias)


def whole(values: Values, key: str, axes: int, least: int) -> tuple[int, ...]:
    """Whole numbers by axis, of which a file may have one for all.

    Raises ``SizeError`` for other numbers, and for any below ``least``.
    """
    if key not in values:
        raise SizeError(f"it lacks its {key}")
    each = values[key].ravel()
    if each.size not in {1, axes}:
        raise SizeError(f"its {key} has {each.size} numbers for {axes} axes")
    if key == "padding" and not (each == np.floor(each)).all():
        raise SizeError(
            "its padding is 'same', which is not as much on both sides of an even window, and "
            "unclear with a stride"
        )
    if not ((each >= least) & (each < _MOST) & (each == np.floor(each))).all():
        raise SizeError(f"its {key} is {each.tolist()}")
    return tuple(int(one) for one in np.broadcast_to(each, (axes,)))


def _same(values: Values) -> Floats:
    """The padding of ``same``: half of what a window has more than one place.

    It is no whole number where a side gets more than the other, and none at all with a stride.
    """
    window = np.array(values["weight"].shape[2:], dtype=np.float64)
    strided = "stride" not in values or bool((values["stride"] != 1.0).any())
    return np.full(window.shape, np.nan) if strided else (window - 1.0) / 2.0


def _valid(values: Values) -> Floats:
    """The padding of ``valid``: none."""
    return np.zeros(len(values["weight"].shape[2:]))


PADDINGS: Mapping[str, Callable[[Values], Floats]] = {"same": _same, "valid": _valid}
"""The words that a convolution may have for its padding, and what they stand for, by axis."""


def without_batch(shape: Shape, axes: int) -> Shape:
    """The shape of channels and ``axes`` axes without batch axes of 1 before them."""
    while len(shape) > axes + 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _maps(values: Values, form: Form, channels: int, axes: int) -> Shape:
    """The shape of what arrives, as channels and ``axes`` axes."""
    told = whole(values, "input_shape", axes, 1) if "input_shape" in values else None
    shape = without_batch(form.shape, axes)
    if len(shape) == axes + 1:
        if shape[0] != channels:
            raise SizeError(f"its weight takes {channels} channels and gets {shape[0]}")
        if told not in {None, shape[1:]}:
            raise SizeError(
                f"its input_shape is {list(told or ())}, and it gets maps of {list(shape[1:])}"
            )
        return shape
    if told is None:
        raise SizeError(f"it has no input_shape, and gets the shape {list(form.shape)}")
    if channels * math.prod(told) != form.size:
        raise SizeError(f"it takes {channels} channels of {list(told)} and gets {form.size} values")
    return channels, *told


def _mean(
    connector: Convolution, weight: Floats, shape: Shape, target: Shape
) -> AveragePool | None:
    """The pool that a kernel is but for a factor: each channel alone, with equal weights."""
    apart = connector.groups == shape[0] == target[0]
    if not apart or any(connector.pad) or not (weight == weight.flat[0]).all():
        return None
    return AveragePool(connector.window, connector.stride)
