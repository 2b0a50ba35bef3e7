"""What an artificial neuron does with its weighted sum.

ReLU      max(z, 0)
Sigmoid   1 / (1 + e^-z)
Tanh      tanh(z)
Identity  z
Staircase clip(⌊z/step + ½⌋, 0, levels), of whole numbers
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from volr.checks.annotations import settle
from volr.checks.names import named
from volr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.checks.arrays import Floats


@dataclass(frozen=True, slots=True)
class ReLU:
    """max(z, 0), the one activation that a spike rate can stand for."""

    name = "relu"


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """1 / (1 + e^-z)."""

    name = "sigmoid"


@dataclass(frozen=True, slots=True)
class Tanh:
    """tanh(z)."""

    name = "tanh"


@dataclass(frozen=True, slots=True)
class Identity:
    """z, which makes a network linear."""

    name = "identity"


SINGLE_WHOLE = 2**24
"""Whole numbers up to here are exact in single precision, and so are their sums."""


@dataclass(frozen=True, slots=True)
class Staircase:
    """clip(⌊z/step + ½⌋, 0, levels), of a network that computes with whole numbers.

    Its parameters are whole numbers, and its values are 0 … ``levels``; an input x in [0, 1] is
    ⌊x · levels + ½⌋, where x is first rounded to single precision. ``step`` is how much of the
    weighted sum makes a level. It is odd, so the edges of the staircase, (k − ½) · step, are halves
    and no sum is ever at one of them. The heights of the stairs, by unit, are in the weights.

    Single precision computes the same whole numbers as long as (levels + 1) · step < 2^22: then
    the two roundings in z/step + ½ are smaller than the distance of z/step from an edge, which is
    at least 1/(2 · step). Raises ``ModelError`` beyond that, for fewer than 2 levels and for an
    even step.
    """

    name: ClassVar[str] = "staircase"

    levels: int
    step: int

    def __post_init__(self) -> None:
        wrong = settle(self) or list(self._problems())
        if wrong:
            raise ModelError("this is no staircase: " + "; ".join(wrong))

    def _problems(self) -> Iterator[str]:
        if self.levels < 2:
            yield f"it has {self.levels} levels, and 2 are the fewest"
        if self.step < 1 or self.step % 2 == 0:
            yield f"its step is {self.step}, not an odd number above 0"
        if (self.levels + 1) * self.step >= SINGLE_WHOLE // 4:
            yield (
                f"({self.levels} + 1) · {self.step} is not below 2^22, beyond which single "
                "precision may take one level for another"
            )


LEAST_STEP = 7
"""The smallest step that quantising takes: weights on a coarser grid would be worth less than what
quantised activations have anyway.
"""


def largest_step(levels: int) -> int:
    """The largest number up to which a step leaves (levels + 1) · step below 2^22."""
    return (SINGLE_WHOLE // 4 - 1) // (levels + 1)


def levels_problems(levels: int) -> list[str]:
    """What keeps any network of whole numbers from having so many levels, in words."""
    if levels < 2:
        return [f"levels is {levels}, below 2"]
    if largest_step(levels) < LEAST_STEP:
        most = (SINGLE_WHOLE // 4 - 1) // LEAST_STEP - 1
        return [f"levels is {levels:,}, and no network of whole numbers has more than {most:,}"]
    return []


Activation: TypeAlias = ReLU | Sigmoid | Tanh | Identity | Staircase
ACTIVATIONS: tuple[ReLU | Sigmoid | Tanh | Identity, ...] = (
    ReLU(),
    Sigmoid(),
    Tanh(),
    Identity(),
)
"""The activations that have no numbers."""
AS_GIVEN = "x"
"""The formula of inputs that send their stimulus as it is."""
ACTIVATION_NAMES: tuple[str, ...] = (*(each.name for each in ACTIVATIONS), Staircase.name)


def activation(name: str) -> Activation:
    """The activation of that name, which has no numbers; ``ModelError`` when there is none."""
    return named("activation", name, {each.name: each for each in ACTIVATIONS}, ModelError)


def title(activation: Activation) -> str:
    """Its name, with its numbers where it has any."""
    match activation:
        case Staircase(levels=levels, step=step):
            return f"{activation.name} of {levels} levels, step {step}"
        case _:
            return activation.name


def input_formula(activation: Activation) -> str:
    """What the inputs of a network with this activation send for a stimulus x, as a formula."""
    match activation:
        case Staircase(levels=levels):
            return f"⌊x · {levels} + ½⌋"
        case _:
            return AS_GIVEN


def activate(activation: Activation, z: Floats) -> Floats:
    """The activation of each weighted sum, in the shape of ``z``."""
    match activation:
        case ReLU():
            return np.maximum(z, 0.0)
        case Sigmoid():
            # tanh does not overflow where e^-z would.
            return 0.5 * (1.0 + np.tanh(0.5 * z))
        case Tanh():
            return np.tanh(z)
        case Identity():
            return z
        case Staircase(levels=levels, step=step):
            return np.clip(np.floor(z / step + 0.5), 0.0, levels)


def input_values(activation: Activation, stimuli: Floats) -> Floats:
    """What the inputs of a network with this activation send, for stimuli of any shape."""
    match activation:
        case Staircase(levels=levels):
            return input_levels(stimuli, levels)
        case _:
            return stimuli


def input_levels(stimuli: Floats, levels: int) -> Floats:
    """⌊x · levels + ½⌋ for x in [0, 1], in the same shape: whole numbers 0 … ``levels``.

    x is rounded to single precision first, and the rest is exact in double precision. So back ends
    that get their stimuli in single precision find the same whole numbers.
    """
    return np.floor(stimuli.astype(np.float32).astype(np.float64) * levels + 0.5)
