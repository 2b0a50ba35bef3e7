"""What a program has to begin with, so that it takes a task's stimuli."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from volr.network import Network


def beginnings(units: Sequence[int], network: Network | None = None) -> str:
    """Advice in words: the first layer of a program with one of these numbers of inputs.

    If the network takes maps, such as images, so does the advice: it is the program's own first
    layer with another shape.
    """
    shape = () if network is None else network[network.inputs[0]].shape
    if network is None or len(shape) == 1 or len(network.inputs) > 1:
        return f"begin the program with {_or(f'dense {each} …' for each in units)}"
    wanted = [_bracket(_like(shape, each)) for each in units]
    text = "" if network.source is None else network.source.text
    sizes = r"\s+".join(map(str, shape))
    # A layer ends where an operator, a bracket or the line does.
    layer = re.search(rf"\b([a-z_]\w*)\s+\[\s*{sizes}\s*\]([^⦶⊖⊕↺|<>+()/\n]*)", text)
    if layer is None:
        return f"give the program inputs of the shape {_or(wanted)}"
    name, rest = layer[1], layer[2].rstrip()
    return f"begin the program with {_or(f'{name} {each}{rest}' for each in wanted)}"


def _like(shape: tuple[int, ...], units: int) -> tuple[int, ...]:
    """A shape of so many neurons with as many axes; pixels are square, and have one channel."""
    side = math.isqrt(units)
    is_square = side * side == units
    if len(shape) == 2:
        return (side, side) if is_square and shape[0] > 1 else (1, units)
    axes = (side, side) if is_square else (1, units)
    return (*(1 for _ in shape[2:]), *axes)


def _bracket(shape: tuple[int, ...]) -> str:
    return f"[{' '.join(map(str, shape))}]"


def _or(programs: Iterable[str]) -> str:
    return " or ".join(f"`{each}`" for each in programs)
