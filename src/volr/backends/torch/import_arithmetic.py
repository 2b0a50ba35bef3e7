"""Sums and products of PyTorch's: of two values, or of a value and numbers that stay the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import values
from volr.affine.forms import SizeError
from volr.affine.values import InexpressibleError, Value

if TYPE_CHECKING:
    from volr.backends.torch.import_step import Step
    from volr.checks.arrays import Floats


def added(step: Step) -> Value:
    return _combined(step, 1.0)


def subtracted(step: Step) -> Value:
    return _combined(step, -1.0)


def _combined(step: Step, sign: float) -> Value:
    sign *= float(step.given.get("alpha", 1))
    a, b, room = step.given["self"], step.given["other"], step.builder.room
    if isinstance(a, Value) and isinstance(b, Value):
        if sign != 1.0:
            b = values.scaled(b, np.asarray(sign), room)
        return values.added([a, b], room)
    if isinstance(a, Value):
        return values.shifted(a, sign * _spread(step.numbers("other"), a))
    value = step.value("other")
    value = value if sign == 1.0 else values.scaled(value, np.asarray(sign), room)
    return values.shifted(value, _spread(step.numbers("self"), value))


def subtracted_from(step: Step) -> Value:
    if float(step.given.get("alpha", 1)) != 1.0:
        raise InexpressibleError("it subtracts a multiple (alpha)", "multiply it first")
    swapped = {"self": step.given["other"], "other": step.given["self"]}
    return subtracted(replace(step, given=swapped))


def _spread(numbers: Floats, value: Value) -> Floats:
    """Numbers without the axis of the batch. Raises ``SizeError`` where they would add axes."""
    if numbers.ndim == len(value.shape) + 1 and len(numbers) == 1:
        numbers = numbers[0]
    try:
        return np.broadcast_to(numbers, value.shape)
    except ValueError as error:
        raise SizeError(
            f"it combines {list(value.shape)} with numbers of the shape {list(numbers.shape)}"
        ) from error


def multiplied(step: Step) -> Value:
    a, b = step.given["self"], step.given["other"]
    if isinstance(a, Value) and isinstance(b, Value):
        raise InexpressibleError(
            "it multiplies two values that depend on the input",
            "Volr's neurons add up; a product of two activations has no synapse",
        )
    value, name = (a, "other") if isinstance(a, Value) else (b, "self")
    return values.scaled(value, _spread(step.numbers(name), value), step.builder.room)


def divided(step: Step) -> Value:
    value = step.value("self")
    factors = 1.0 / _spread(step.numbers("other"), value)
    return values.scaled(value, factors, step.builder.room)


def negated(step: Step) -> Value:
    return values.scaled(step.value("self"), np.asarray(-1.0), step.builder.room)
