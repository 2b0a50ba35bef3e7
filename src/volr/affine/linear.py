"""Sums of values, and what multiplies them: numbers one by one, and matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.affine import forms
from volr.affine.forms import Form, SizeError, total
from volr.affine.terms import factors_of_channels
from volr.affine.values import InexpressibleError, Value, in_order, joined, reshaped, seen, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from volr.affine.terms import Room
    from volr.checks.arrays import Floats, Integers

    Change: TypeAlias = Callable[[Form, Floats], Form]


def added(values: Sequence[Value], room: Room) -> Value:
    """The sum of values of one shape. Raises ``SizeError`` for several shapes."""
    values = [each.plain for each in values]
    if len({each.shape for each in values}) != 1:
        shapes = " and ".join(str(list(each.shape)) for each in values)
        raise SizeError(f"it adds {shapes}, which do not fit")
    first = values[0]
    alike = all(
        [part.shape for part in each.parts] == [part.shape for part in first.parts]
        and _same_order(each.order, first.order)
        for each in values
    )
    if not alike:
        values = [joined(in_order(each, room), room) for each in values]
        first = values[0]
    parts = zip(*(each.parts for each in values), strict=True)
    return first.of([total([*each], room) for each in parts])


def _same_order(a: Integers | None, b: Integers | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def scaled(value: Value, factors: Floats, room: Room) -> Value:
    """Each number times one of ``factors``, of the value's shape or spread over it."""
    if value.largest is not None:
        channels = _of_channels(value, factors)
        if not (channels > 0).all():
            raise InexpressibleError(
                "it multiplies a maximum of sums by numbers that are not above 0",
                "put the activation right behind the layer, before the maximum",
            )
        return _by_channel(value, channels, lambda form, f: forms.scaled(form, f, room))
    return _by_part(value, factors, lambda form, f: forms.scaled(form, f, room))


def shifted(value: Value, offsets: Floats) -> Value:
    """To each number one of ``offsets`` is added, of the value's shape or spread over it."""
    if value.largest is not None:
        return _by_channel(value, _of_channels(value, offsets), forms.shifted)
    return _by_part(value, offsets, forms.shifted)


def _by_part(value: Value, numbers: Floats, change: Change) -> Value:
    each = _placed(value, numbers)
    ends = np.cumsum([part.size for part in value.parts])[:-1]
    parts = zip(value.parts, np.split(each, ends), strict=True)
    return value.of([change(part, own) for part, own in parts])


def _placed(value: Value, numbers: Floats) -> Floats:
    """Numbers for a value, in the order of its parts."""
    each = np.broadcast_to(numbers, value.shape).ravel()
    if value.order is None:
        return each
    placed = np.empty(value.size)
    placed[value.order] = each
    return placed


def _by_channel(value: Value, channels: Floats, change: Change) -> Value:
    """The same where the largest of windows is taken later: numbers are by channel."""
    ends = np.cumsum([part.shape[0] for part in value.parts])[:-1]
    parts = [
        change(part, np.repeat(own, math.prod(part.shape[1:])))
        for part, own in zip(value.parts, np.split(channels, ends), strict=True)
    ]
    return value.of(parts)


def _of_channels(value: Value, numbers: Floats) -> Floats:
    each = _placed(value, numbers)
    shape = (sum(part.shape[0] for part in value.parts), -1)
    channels = factors_of_channels(each, each.reshape(shape).shape)
    if channels is None:
        raise InexpressibleError(
            "it changes a maximum of sums by other numbers at other places of a channel",
            "put the activation right behind the layer, before the maximum",
        )
    return channels


def weighted(value: Value, weight: Floats, bias: Floats | None, room: Room) -> Value:
    """A matrix ``[post, pre]`` and a bias along the last axis; axes before it have size 1.

    Raises ``SizeError`` where that does not fit.
    """
    value = value.plain
    *before, last = value.shape
    if math.prod(before) != 1:
        raise SizeError(
            f"it multiplies each of {math.prod(before):,} rows of {last:,} values by one matrix"
        )
    if weight.ndim != 2 or weight.shape[1] != last:
        raise SizeError(f"its weight has the shape {list(weight.shape)} and gets {last:,} values")
    if value.order is not None:
        moved = np.empty_like(weight)
        moved[:, value.order] = weight
        weight = moved
    ends = np.cumsum([part.size for part in value.parts])[:-1]
    blocks = np.split(weight, ends, axis=1)
    parts = [
        forms.weighted(seen(part, (part.size,)), block, None, room)
        for part, block in zip(value.parts, blocks, strict=True)
    ]
    form = total(parts, room)
    form = form if bias is None else forms.shifted(form, bias)
    return reshaped(value_of(form), (*before, len(weight)))
