"""Operators of ONNX's that give values another shape or another order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import maps, values
from volr.affine.problems import BATCH_AXIS
from volr.affine.values import InexpressibleError, Value

if TYPE_CHECKING:
    from volr.affine.terms import Room
    from volr.affine.values import Pads
    from volr.backends.onnx.import_step import Step

_MIXES = "it mixes stimuli, by the first axis"


def flattened(step: Step) -> Value:
    value, axis = step.value(), int(step.attributes.get("axis", 1))
    axis = axis % (len(value.shape) + 1) if axis < 0 else axis
    if axis < 1 or math.prod(value.shape[: axis - 1]) != 1:
        raise InexpressibleError(_MIXES, BATCH_AXIS)
    return values.reshaped(value, (value.size,))


def reshaped(step: Step) -> Value:
    value = step.value()
    before, wanted = (step.batch, *value.shape), [int(each) for each in step.numbers(1)]
    if not step.attributes.get("allowzero"):
        wanted = [
            before[place] if each == 0 and place < len(before) else each
            for place, each in enumerate(wanted)
        ]
    first, *rest = wanted or [0]
    known = math.prod(each for each in rest if each != -1)
    if -1 in rest and known > 0 and not value.size % known:
        rest[rest.index(-1)] = value.size // known
    if first not in {step.batch, -1} or math.prod(rest) != value.size or min(rest, default=1) < 1:
        raise InexpressibleError(
            f"it makes {wanted} of [batch, {', '.join(map(str, value.shape))}]", BATCH_AXIS
        )
    return values.reshaped(value, tuple(rest))


def squeezed(step: Step) -> Value:
    value, given = step.value(), step.axes()
    if given is None:
        raise InexpressibleError("it leaves out every axis of size 1", "name the axes")
    axes = {step.axis(each) for each in given}
    return values.reshaped(
        value, tuple(n for axis, n in enumerate(value.shape) if axis not in axes)
    )


def unsqueezed(step: Step) -> Value:
    value, given = step.value(), step.axes() or []
    count = len(value.shape) + 1 + len(given)
    axes = {step.axis(each, count) for each in given}
    if len(axes) != len(given):
        raise InexpressibleError(f"it names an axis twice: {given}")
    sizes = iter(value.shape)
    return values.reshaped(
        value, tuple(1 if axis in axes else next(sizes) for axis in range(count - 1))
    )


def permuted(step: Step) -> Value:
    value = step.value()
    count = len(value.shape) + 1
    order = [int(each) for each in step.attributes.get("perm", range(count)[::-1])]
    if sorted(order) != [*range(count)]:
        raise InexpressibleError(f"it reorders {count} axes as {order}")
    if order[0] != 0:
        raise InexpressibleError(
            "it moves the first axis, which is that of the stimuli", BATCH_AXIS
        )
    return values.permuted(value, [each - 1 for each in order[1:]])


def side_by_side(step: Step) -> Value:
    parts = [step.value(place) for place in range(len(step.given))]
    return values.side_by_side(parts, step.axis(int(step.attributes["axis"])))


def padded(step: Step) -> Value:
    value, fill = step.value(), step.optional(2)
    mode = step.attributes.get("mode", b"constant")
    if mode not in {b"constant", b"edge"} or (fill is not None and fill.any()):
        raise InexpressibleError("it pads with other numbers than 0", "pad with zeros")
    count, pads = len(value.shape) + 1, [int(each) for each in step.numbers(1)]
    named = step.axes(3)
    axes = [*range(count)] if named is None else [each % count for each in named]
    if len(pads) != 2 * len(axes) or min(pads, default=0) < 0:
        raise InexpressibleError(
            f"it pads {len(axes)} axes by {pads}", "pad the places of maps, and cut nothing off"
        )
    pairs = np.zeros((count, 2), dtype=int)
    pairs[axes] = np.reshape(pads, (2, -1)).T
    if pairs[0].any():
        raise InexpressibleError("it pads the first axis, which is that of the stimuli", BATCH_AXIS)
    by_axis = tuple((int(a), int(b)) for a, b in pairs[1:])
    if mode == b"edge" and any(any(each) for each in by_axis):
        if any(by_axis[0]):
            raise InexpressibleError("it pads channels", "pad the places of maps")
        return maps.repeated(value, by_axis[1:])
    return _padded(value, by_axis, step.room)


def _padded(value: Value, pads: Pads, room: Room) -> Value:
    """Zeros around a value, whose channels may stand before or behind its places."""
    if not any(any(each) for each in pads):
        return value
    if not any(pads[0]):
        return maps.padded(value, pads[1:], room)
    if any(pads[-1]):
        raise InexpressibleError("it pads channels", "pad the places of maps")
    last = len(pads) - 1
    turned = values.permuted(value, [last, *range(last)])
    return values.permuted(maps.padded(turned, pads[:last], room), [*range(1, last + 1), 0])
