"""The types of the language: ``τ ::= int | net n m``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Int:
    """A size."""

    def __str__(self) -> str:
        return "int"


@dataclass(frozen=True, slots=True)
class Net:
    """A network from ``inputs`` values to ``outputs`` values; both are at least 1."""

    inputs: int
    outputs: int

    def __str__(self) -> str:
        return f"net {self.inputs} {self.outputs}"


Type: TypeAlias = Int | Net
