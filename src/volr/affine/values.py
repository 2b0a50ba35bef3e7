"""Operations of other programs on the values of one stimulus, multiplied out as they come.

Each function takes a ``Value`` and gives another. Values side by side stay apart as long as each
operation can treat them one by one, so what reads them gets a projection from each. Here are those
that give numbers another shape or place; ``linear`` has sums and products, and ``maps`` windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.affine import forms
from volr.affine.forms import Form, SizeError, total
from volr.affine.terms import Scaled, Weighted, factors_of_channels
from volr.network.connectors import Convolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.affine.terms import Room, Term
    from volr.checks.arrays import Integers
    from volr.network.connectors import Shape, Windows

    Pads: TypeAlias = tuple[tuple[int, int], ...]


_MOST_PARTS = 10_000
"""More values are not put side by side."""


class InexpressibleError(Exception):
    """What no network of Volr's does, with a text that says what; ``way`` is a way out."""

    def __init__(self, message: str, way: str = "") -> None:
        super().__init__(message)
        self.way = way


@dataclass(frozen=True, eq=False)
class Value:
    """Numbers in a ``shape``, those of ``parts`` side by side along the first axis.

    With an ``order``, number k of them is number order[k] of the parts. With ``largest``, they are
    the largest of windows of the parts, whose sums have not been activated yet, and the order is
    one of these. ``unpadded`` is what zeros were put around, for a kernel that can do so itself;
    ``repeated`` is what copies of its border were put around, which a maximum alone can read.
    """

    shape: Shape
    parts: tuple[Form, ...]
    order: Integers | None = None
    largest: Windows | None = None
    unpadded: tuple[Value, Pads] | None = None
    repeated: tuple[Value, Pads] | None = None

    def of(self, parts: Sequence[Form]) -> Value:
        """A value of other parts, in the same shape and order."""
        return Value(self.shape, tuple(parts), self.order, self.largest)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    @property
    def plain(self) -> Value:
        """The value, if it is no largest of sums, and has no border that is repeated.

        Raises ``InexpressibleError`` where it is.
        """
        if self.repeated is not None:
            raise InexpressibleError("it reads copies of a border", "pad with zeros")
        if self.largest is not None:
            raise InexpressibleError(
                "it reads the largest of sums that are not activated, and a maximum of Volr's is "
                "that of activations",
                "put the activation between the layer and its maximum, or behind the maximum",
            )
        return self


def value_of(form: Form) -> Value:
    """A form as a value."""
    return Value(form.shape, (form,))


def reshaped(value: Value, shape: Shape) -> Value:
    """The same numbers in another shape. Raises ``SizeError`` for another number of them."""
    if math.prod(shape) != value.size:
        raise SizeError(f"it makes {list(shape)} of {list(value.shape)}")
    if shape == value.shape:
        return value
    if value.largest is not None:
        order = np.arange(value.size) if value.order is None else value.order
        return Value(shape, value.parts, order, value.largest)
    value = value.plain
    if value.order is not None:
        return Value(shape, value.parts, value.order)
    inner = math.prod(shape[1:])
    if any(part.size % inner for part in value.parts):
        # Parts that end within a row of the new shape.
        order = np.arange(value.size)
        return Value(shape, value.parts, order)
    parts = tuple(seen(part, (part.size // inner, *shape[1:])) for part in value.parts)
    return Value(shape, parts)


def seen(form: Form, shape: Shape) -> Form:
    """The same form in another shape."""
    return Form(shape, form.terms, form.bias)


def permuted(value: Value, axes: Sequence[int]) -> Value:
    """The numbers with their axes in another order."""
    shape = tuple(value.shape[axis] for axis in axes)
    if [axis for axis in axes if value.shape[axis] > 1] == [
        axis for axis, size in enumerate(value.shape) if size > 1
    ]:
        return reshaped(value, shape)
    value = value if value.largest is not None else value.plain
    order = np.arange(value.size) if value.order is None else value.order
    order = order.reshape(value.shape).transpose(axes).ravel()
    if value.largest is None and (order == np.arange(value.size)).all():
        return reshaped(Value(value.shape, value.parts), shape)
    return Value(shape, value.parts, order, value.largest)


def side_by_side(values: Sequence[Value], axis: int) -> Value:
    """Values one after the other along an axis. Raises ``SizeError`` where they do not fit."""
    values = [each.plain for each in values]
    forms.check_size(sum(each.size for each in values))
    if (count := sum(len(each.parts) for each in values)) > _MOST_PARTS:
        raise SizeError(f"it puts {count:,} parts side by side, more than {_MOST_PARTS:,}")
    around = {(*each.shape[:axis], *each.shape[axis + 1 :]) for each in values}
    if len(around) != 1 or len({len(each.shape) for each in values}) != 1:
        shapes = ", ".join(str(list(each.shape)) for each in values)
        raise SizeError(f"it puts side by side what does not fit: {shapes}")
    rest = [number for number in range(len(values[0].shape)) if number != axis]
    turned = [permuted(each, (axis, *rest)) for each in values]
    shape = (sum(each.shape[0] for each in turned), *turned[0].shape[1:])
    parts = tuple(part for each in turned for part in each.parts)
    order: Integers | None = None
    if any(each.order is not None for each in turned):
        starts = np.cumsum([0, *(each.size for each in turned)])
        orders = [np.arange(each.size) if each.order is None else each.order for each in turned]
        order = np.concatenate([start + each for start, each in zip(starts, orders, strict=False)])
    back = [0] * len(shape)
    for place, number in enumerate((axis, *rest)):
        back[number] = place
    return permuted(Value(shape, parts, order), back)


def in_order(value: Value, room: Room) -> Value:
    """The value without an order of its own: its numbers are moved by a matrix."""
    value = value.plain
    if value.order is None:
        return value
    whole = joined(Value((value.size,), value.parts), room)
    room.take(value.size, value.size)
    moves = np.zeros((value.size, value.size))
    moves[np.arange(value.size), value.order] = 1.0
    form = forms.weighted(seen(whole.parts[0], (value.size,)), moves, None, room)
    return value_of(seen(form, value.shape))


def joined(value: Value, room: Room) -> Value:
    """The value as a single form."""
    if len(value.parts) == 1:
        return value
    value = value.plain
    inner = value.shape[1:] if value.order is None else ()
    shapes = {part.shape[1:] for part in value.parts}
    if shapes != {inner}:
        flat = tuple(seen(part, (part.size,)) for part in value.parts)
        value = value.of(flat)
        inner = ()
    rows = [part.shape[0] for part in value.parts]
    shape = (sum(rows), *inner)
    first, made = 0, list[Form]()
    for part, count in zip(value.parts, rows, strict=True):
        room_after = shape[0] - first - count
        terms = tuple(_among(each, part.shape, first, room_after, room) for each in part.terms)
        size = math.prod(inner)
        bias = None
        if part.bias is not None:
            bias = np.pad(part.bias, (first * size, room_after * size))
        made.append(Form(shape, terms, bias))
        first += count
    form = total(made, room)
    return value.of([seen(form, shape)])


def _among(term: Term, shape: Shape, before: int, after: int, room: Room) -> Term:
    """A term of a part as one of the whole: zeros in so many channels before and after it."""
    term = term.seen(shape, room)
    given = (before + shape[0] + after, *shape[1:])
    factors = factors_of_channels(term.scale, shape) if isinstance(term, Scaled) else None
    if isinstance(term, Scaled) and factors is not None and len(shape) in {2, 3}:
        window = (1,) * (len(shape) - 1)
        room.take(given[0], shape[0])
        kernel = np.pad(np.diag(factors), ((before, after), (0, 0)))
        kernel = kernel.reshape(*kernel.shape, *window)
        return term.through(Convolution(window), kernel, given)
    connector = term.connector if isinstance(term, Weighted) else None
    is_kernel = isinstance(connector, Convolution) and connector.groups == 1
    whole = term if isinstance(term, Weighted) and is_kernel else term.written_out(room)
    rows = shape[0] if isinstance(whole.connector, Convolution) else math.prod(shape)
    each = rows // shape[0]
    pads = [(before * each, after * each), *[(0, 0)] * (whole.weights.ndim - 1)]
    room.take(*(n + a + b for n, (a, b) in zip(whole.weights.shape, pads, strict=True)))
    return replace(whole, weights=np.pad(whole.weights, pads), given=given)
