"""Sums and products of PyTorch's: of two values, or of a value and numbers that stay the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import arithmetic, linear
from volr.affine.values import InexpressibleError, Value

if TYPE_CHECKING:
    from volr.affine.arithmetic import Operand
    from volr.backends.torch.import_step import Step


def added(step: Step) -> Value:
    return arithmetic.added(_operand(step, "self"), _second(step), step.builder.room)


def subtracted(step: Step) -> Value:
    return arithmetic.subtracted(_operand(step, "self"), _second(step), step.builder.room)


def subtracted_from(step: Step) -> Value:
    if float(step.given.get("alpha", 1)) != 1.0:
        raise InexpressibleError("it subtracts a multiple (alpha)", "multiply it first")
    swapped = {"self": step.given["other"], "other": step.given["self"]}
    return subtracted(replace(step, given=swapped))


def multiplied(step: Step) -> Value:
    return arithmetic.multiplied(_operand(step, "self"), _operand(step, "other"), step.builder.room)


def divided(step: Step) -> Value:
    if step.given.get("rounding_mode") is not None:
        raise InexpressibleError("it rounds what it divides (rounding_mode)", "leave it out")
    return arithmetic.divided(_operand(step, "self"), _operand(step, "other"), step.builder.room)


def negated(step: Step) -> Value:
    return arithmetic.negated(step.value("self"), step.builder.room)


def _operand(step: Step, name: str) -> Operand:
    found = step.given[name]
    return found if isinstance(found, Value) else step.numbers(name)


def _second(step: Step) -> Operand:
    """The second term of a sum, of which PyTorch takes a multiple."""
    alpha, found = float(step.given.get("alpha", 1)), _operand(step, "other")
    if alpha == 1.0:
        return found
    if isinstance(found, Value):
        return linear.scaled(found, np.asarray(alpha), step.builder.room)
    return alpha * found
