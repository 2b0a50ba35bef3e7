"""What an artificial neuron does with its weighted sum.

ReLU      max(z, 0)
Sigmoid   1 / (1 + e^-z)
Tanh      tanh(z)
Identity  z
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.checks.names import named
from volr.errors import ModelError

if TYPE_CHECKING:
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


Activation: TypeAlias = ReLU | Sigmoid | Tanh | Identity
ACTIVATIONS: tuple[Activation, ...] = (ReLU(), Sigmoid(), Tanh(), Identity())


def activation(name: str) -> Activation:
    """The activation of that name; ``ModelError`` when there is none."""
    return named("activation", name, {each.name: each for each in ACTIVATIONS}, ModelError)


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
