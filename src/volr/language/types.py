"""The types of the language: ``τ ::= int | shape | net S S'``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Int:
    """A whole number."""

    def __str__(self) -> str:
        return "int"


@dataclass(frozen=True, slots=True)
class Net:
    """A network from values of the shape ``inputs`` to values of the shape ``outputs``."""

    inputs: Shape
    outputs: Shape

    def __str__(self) -> str:
        return f"net {shaped(self.inputs)} {shaped(self.outputs)}"


Type: TypeAlias = Int | Net


def shaped(shape: Shape) -> str:
    """A shape as a program writes it: ``100``, or ``[1 28 28]``."""
    return str(shape[0]) if len(shape) == 1 else f"[{' '.join(map(str, shape))}]"
