"""Sums and products of two values, or of a value and numbers that are the same for all stimuli.

Numbers may have an axis for the batch, of size 1, in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.affine import linear
from volr.affine.forms import SizeError
from volr.affine.values import InexpressibleError, Value

if TYPE_CHECKING:
    from volr.affine.terms import Room
    from volr.checks.arrays import Floats

    Operand: TypeAlias = Value | Floats


def added(a: Operand, b: Operand, room: Room) -> Value:
    """a + b, of which one is a value at least."""
    if isinstance(a, Value):
        if isinstance(b, Value):
            return linear.added([a, b], room)
        return linear.shifted(a, spread(b, a))
    return added(_value(b), a, room)


def subtracted(a: Operand, b: Operand, room: Room) -> Value:
    """a - b, of which one is a value at least."""
    return added(a, -b if not isinstance(b, Value) else negated(b, room), room)


def multiplied(a: Operand, b: Operand, room: Room) -> Value:
    """a · b. Raises ``InexpressibleError`` for two values."""
    if isinstance(a, Value):
        if isinstance(b, Value):
            raise InexpressibleError(
                "it multiplies two values that depend on the input",
                "Volr's neurons add up; a product of two activations has no synapse",
            )
        return linear.scaled(a, spread(b, a), room)
    return multiplied(_value(b), a, room)


def divided(a: Operand, b: Operand, room: Room) -> Value:
    """a / b. Raises ``InexpressibleError`` unless b is numbers other than 0."""
    if isinstance(b, Value):
        raise InexpressibleError("it divides by a value that depends on the input")
    if not b.all():
        raise InexpressibleError("it divides by 0")
    return multiplied(a, 1.0 / b, room)


def negated(value: Value, room: Room) -> Value:
    """-value."""
    return linear.scaled(value, np.asarray(-1.0), room)


def spread(numbers: Floats, value: Value) -> Floats:
    """Numbers of the shape of a value. Raises ``SizeError`` where they would add axes."""
    if numbers.ndim == len(value.shape) + 1 and len(numbers) == 1:
        numbers = numbers[0]
    try:
        return np.broadcast_to(numbers, value.shape)
    except ValueError as error:
        raise SizeError(
            f"it combines {list(value.shape)} with numbers of the shape {list(numbers.shape)}"
        ) from error


def _value(given: Operand) -> Value:
    if isinstance(given, Value):
        return given
    raise InexpressibleError("its operands do not depend on the input")
