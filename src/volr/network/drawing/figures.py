"""The figures of a drawing: boxes, and the arrows between them, in whole pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from volr.network.graph import Population, Projection

Point: TypeAlias = tuple[int, int]
Cell: TypeAlias = "tuple[Population, ...]"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle for one population, or for several that are folded into it."""

    populations: tuple[Population, ...]
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one box (an index) to another; between ``points`` it goes level or in an S.

    The first point is on the right edge of the source, the last on the left edge of the target. One
    that leads ``back`` goes above all boxes, from the right to the left. One that comes from the
    ``clock`` goes below them, and rises to its target.
    """

    source: int
    target: int
    projections: tuple[Projection, ...]
    points: tuple[Point, ...]
    back: bool = False
    clock: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int
