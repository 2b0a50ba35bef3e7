"""Random programs that are well typed, small, and of every construct.

Hypothesis draws them for the tests, and the fuzzers draw them with a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeVar

from hypothesis import strategies as st

from volr.language.printer import format_expression
from volr.language.syntax import Argument, Call, Expression, Integer, Let, Name
from volr.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from hypothesis.strategies import DrawFn, SearchStrategy

T = TypeVar("T")

NAMES = ("n", "width", "_w", "l1", "l1'", "λ")
MOST_NEURONS = 7
SIZES = range(1, MOST_NEURONS + 1)
DEPTH = 4


class Pick(Protocol):
    """How a program is drawn: one of several at a time."""

    def __call__(self, options: Sequence[T], /) -> T: ...


def picker(draw: DrawFn) -> Pick:
    """Draws one of several by Hypothesis, which shrinks to the first."""

    def pick(options: Sequence[T], /) -> T:
        return options[draw(_positions(len(options)))]

    return pick


@cache
def _positions(count: int) -> SearchStrategy[int]:
    """Made once: Hypothesis looks through each new strategy before it draws from it."""
    return st.integers(0, count - 1)


@dataclass(frozen=True)
class Program:
    """A program of type ``net inputs outputs``."""

    expression: Expression
    inputs: int
    outputs: int

    @property
    def text(self) -> str:
        return format_expression(self.expression)

    @property
    def source(self) -> Source:
        return Source(self.text)


@dataclass(frozen=True)
class _Scope:
    """What the names stand for: a number, or a network's inputs and outputs."""

    names: dict[str, int | tuple[int, int]]

    def with_name(self, name: str, meaning: int | tuple[int, int]) -> _Scope:
        return _Scope({**self.names, name: meaning})

    def meaning(self, wanted: int | tuple[int, int]) -> list[str]:
        return [name for name, found in self.names.items() if found == wanted]


def dense_of(inputs: Expression, outputs: Expression) -> Call:
    return Call(Name("dense"), (Argument(inputs), Argument(outputs)))


def sizes() -> SearchStrategy[int]:
    return st.sampled_from(SIZES)


@st.composite
def programs(draw: DrawFn, inputs: int | None = None, outputs: int | None = None) -> Program:
    """Programs of a few layers, of the given or of random sizes."""
    inputs = draw(sizes()) if inputs is None else inputs
    outputs = draw(sizes()) if outputs is None else outputs
    return Program(_network(picker(draw), inputs, outputs, _Scope({}), DEPTH), inputs, outputs)


def random_program(random: Random, depth: int = DEPTH) -> Program:
    """A program as ``programs`` draws them, by a seed."""
    inputs, outputs = random.choice(SIZES), random.choice(SIZES)
    return Program(_network(random.choice, inputs, outputs, _Scope({}), depth), inputs, outputs)


def _network(pick: Pick, inputs: int, outputs: int, scope: _Scope, depth: int) -> Expression:
    kinds = ["dense"]
    if scope.meaning((inputs, outputs)):
        kinds += ["name", "name"]
    if depth > 0:
        kinds += ["sequence", "sequence", "let number", "let network"]
        kinds += ["parallel", "parallel"] if outputs > 1 else []
    depth -= 1
    match pick(kinds):
        case "name":
            return Name(pick(scope.meaning((inputs, outputs))))
        case "sequence":
            between = pick(SIZES)
            first = _network(pick, inputs, between, scope, depth)
            return first >> _network(pick, between, outputs, scope, depth)
        case "parallel":
            left = pick(range(1, outputs))
            side = _network(pick, inputs, left, scope, depth)
            return side | _network(pick, inputs, outputs - left, scope, depth)
        case "let number":
            name, size = pick(NAMES), pick([inputs, outputs])
            body = _network(pick, inputs, outputs, scope.with_name(name, size), depth)
            return Let(name, _size(pick, size, scope, depth), body)
        case "let network":
            name = pick(NAMES)
            type_ = pick([(inputs, outputs), (inputs, inputs), (outputs, outputs)])
            body = _network(pick, inputs, outputs, scope.with_name(name, type_), depth)
            return Let(name, _network(pick, *type_, scope, depth), body)
        case _:
            a = _size(pick, inputs, scope, depth)
            return dense_of(a, _size(pick, outputs, scope, depth))


def _size(pick: Pick, size: int, scope: _Scope, depth: int) -> Expression:
    kinds = ["integer"]
    kinds += ["name", "name"] if scope.meaning(size) else []
    kinds += ["let"] if depth > 1 else []
    match pick(kinds):
        case "name":
            return Name(pick(scope.meaning(size)))
        case "let":
            name, other = pick(NAMES), pick(SIZES)
            body = _size(pick, size, scope.with_name(name, other), 0)
            return Let(name, Integer(str(other)), body)
        case _:
            return Integer(str(size))
