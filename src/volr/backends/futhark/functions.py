"""What a Futhark program makes of each number alone: its activation, and its inputs.

Each is a line of its own, and ``meaning`` is the way back from it.
"""

from __future__ import annotations

import re

from volr.errors import ModelError
from volr.models.activations import (
    ACTIVATIONS,
    Activation,
    Identity,
    ReLU,
    Sigmoid,
    Staircase,
    Tanh,
    input_formula,
    title,
)

INPUT = "level"
"""The name of the function of the inputs, where there is one."""
_LEVEL = re.compile(r"def level .* \* (\d+) \+ 0\.5\)\)")
_STAIRCASE = re.compile(r"def staircase .* \(f32\.min (\d+) \(f32\.floor \(z / (\d+) \+ 0\.5\)\)\)")


def definition(activation: Activation) -> str:
    """The line that defines it. A sum that is NaN stays NaN; the derivative of relu at 0 is 0."""
    match activation:
        case ReLU():
            return "def relu (z: f32) : f32 = if z <= 0 then 0 else z"
        case Sigmoid():
            # tanh neither overflows where e^-z does, nor does its derivative.
            return "def sigmoid (z: f32) : f32 = 0.5 * (1 + f32.tanh (0.5 * z))"
        case Tanh():
            return "def tanh (z: f32) : f32 = f32.tanh z"
        case Identity():
            return "def identity (z: f32) : f32 = z"
        case Staircase(levels=levels, step=step):
            rounded = f"f32.floor (z / {step} + 0.5)"
            return f"def staircase (z: f32) : f32 = f32.max 0 (f32.min {levels} ({rounded}))"


def input_definition(staircase: Staircase) -> str:
    """The line that defines what the inputs of a network with a staircase send of their stimulus.

    It is in double precision, as everywhere.
    """
    exact = f"f64.floor (f64.f32 x * {staircase.levels} + 0.5)"
    return f"def {INPUT} (x: f32) : f32 = f32.f64 ({exact})"


def meaning(line: str) -> str:
    """The ``title`` of the activation, or the ``input_formula``, that a line defines.

    Another definition under a name of ours is none of ours: it stands for itself.
    """
    for each in ACTIVATIONS:
        if line == definition(each):
            return title(each)
    try:
        if found := _STAIRCASE.fullmatch(line):
            staircase = Staircase(int(found[1]), int(found[2]))
            return title(staircase) if line == definition(staircase) else line
        if found := _LEVEL.fullmatch(line):
            staircase = Staircase(int(found[1]), 1)
            return input_formula(staircase) if line == input_definition(staircase) else line
    except (ModelError, ValueError):
        # A number of more digits than Python reads.
        return line
    return line
