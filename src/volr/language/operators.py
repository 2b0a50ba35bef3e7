"""Programs spelled in Python, with the same operators and the same precedence.

    dense(100, 20) >> (dense(20, 10) | dense(20, 10)) >> dense(20, 10)

The operators build nodes of the syntax tree, so every function that takes a tree takes them.
"""

from __future__ import annotations

import operator
from typing import SupportsIndex

from volr.language.syntax import Dense, Integer


def dense(inputs: SupportsIndex, outputs: SupportsIndex) -> Dense:
    """A fully connected layer from ``inputs`` to ``outputs`` neurons.

    Sizes are whole numbers, also NumPy's; ``TypeError`` for anything else. Sizes that do not fit,
    and those below 1, are reported when the network is made.
    """
    return Dense(_size("inputs", inputs), _size("outputs", outputs))


def _size(name: str, value: object) -> Integer:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        kind = type(value).__name__
        raise TypeError(f"dense: `{name}` must be a whole number, found {value!r} ({kind})")
    number = operator.index(value)
    if abs(number) >= 10**100:
        raise ValueError(f"dense: `{name}` has more than 100 digits")
    return Integer(str(number))
