"""Forms through windows of maps: convolutions and average pools."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.affine.forms import Form, SizeError, check_size, sum_of
from volr.affine.terms import added_up, means_of
from volr.network.connectors import AveragePool, Convolution

if TYPE_CHECKING:
    from volr.affine.terms import Room
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


def convolved(
    form: Form,
    connector: Convolution,
    weight: Floats,
    bias: Floats | None,
    shape: Shape,
    room: Room,
    *,
    means: bool = False,
) -> Form:
    """A form, seen as maps of this ``shape``, after a kernel and a bias ``[channel]``.

    With ``means``, a kernel that is a mean but for a factor becomes one. Raises ``SizeError`` for
    sizes that do not fit, ``ModelError`` without memory.
    """
    stride, pad = connector.stride, connector.pad
    sizes = list(zip(shape[1:], connector.window, stride, pad, strict=True))
    target = (weight.shape[0], *((n + 2 * p - w) // s + 1 for n, w, s, p in sizes))
    if wrong := connector.misfit(shape, target):
        raise SizeError(wrong)
    check_size(math.prod(target))
    check_size(shape[0] * math.prod(n + 2 * p for n, p in zip(shape[1:], pad, strict=True)))
    if bias is not None and bias.size != target[0]:
        raise SizeError(f"its bias has {bias.size} values for {target[0]} channels")
    has_bias = bias is not None and bool(bias.any())
    seen = [each.seen(shape, room) for each in form.terms]
    if means and not has_bias and (pool := _mean(connector, weight, shape, target)):
        factor = np.full(math.prod(target), weight.size / target[0] * weight.flat[0])
        terms = [each.pooled(pool, room).times(factor, room) for each in seen]
    else:
        terms = [each.convolved(connector, weight, target, room) for each in seen]
    before = None
    if form.bias is not None:
        before = connector.apply(weight, form.bias[None], shape, target)[0]
    own = np.repeat(bias, math.prod(target[1:])) if bias is not None and has_bias else None
    return Form(target, added_up(terms, room), sum_of(before, own))


def pooled(form: Form, pool: AveragePool, shape: Shape, room: Room, *, times: int = 1) -> Form:
    """A form, seen as maps of this ``shape``, after the means of windows, ``times`` a number.

    Raises as ``convolved`` does.
    """
    if wrong := pool.misfit(shape):
        raise SizeError(wrong)
    target = pool.reduced(shape)
    terms = [each.seen(shape, room).pooled(pool, room) for each in form.terms]
    if times != 1:
        factor = np.full(math.prod(target), float(times))
        terms = [each.times(factor, room) for each in terms]
    bias = None if form.bias is None else times * means_of(form.bias, pool, shape)
    return Form(target, added_up(terms, room), bias)


def without_batch(shape: Shape, axes: int) -> Shape:
    """The shape of channels and ``axes`` axes without batch axes of 1 before them."""
    while len(shape) > axes + 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _mean(
    connector: Convolution, weight: Floats, shape: Shape, target: Shape
) -> AveragePool | None:
    """The pool that a kernel is but for a factor: each channel alone, with equal weights."""
    apart = connector.groups == shape[0] == target[0]
    if not apart or any(connector.pad) or not (weight == weight.flat[0]).all():
        return None
    return AveragePool(connector.window, connector.stride)
