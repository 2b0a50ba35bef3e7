"""Random programs that are well typed, for hypothesis: small, and of every construct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from volr.language.printer import format_expression
from volr.language.syntax import Dense, Expression, Integer, Let, Name
from volr.source import Source

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

NAMES = ("n", "width", "_", "l1", "l1'", "λ")
MOST_NEURONS = 7
DEPTH = 4


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


def sizes() -> SearchStrategy[int]:
    return st.integers(1, MOST_NEURONS)


@st.composite
def programs(draw: DrawFn, inputs: int | None = None, outputs: int | None = None) -> Program:
    """Programs of a few layers, of the given or of random sizes."""
    inputs = draw(sizes()) if inputs is None else inputs
    outputs = draw(sizes()) if outputs is None else outputs
    return Program(_network(draw, inputs, outputs, _Scope({}), DEPTH), inputs, outputs)


def _network(draw: DrawFn, inputs: int, outputs: int, scope: _Scope, depth: int) -> Expression:
    kinds = ["dense"]
    if scope.meaning((inputs, outputs)):
        kinds += ["name", "name"]
    if depth > 0:
        kinds += ["sequence", "sequence", "let number", "let network"]
        kinds += ["parallel", "parallel"] if outputs > 1 else []
    depth -= 1
    match draw(st.sampled_from(kinds)):
        case "name":
            return Name(draw(st.sampled_from(scope.meaning((inputs, outputs)))))
        case "sequence":
            between = draw(sizes())
            first = _network(draw, inputs, between, scope, depth)
            return first >> _network(draw, between, outputs, scope, depth)
        case "parallel":
            left = draw(st.integers(1, outputs - 1))
            side = _network(draw, inputs, left, scope, depth)
            return side | _network(draw, inputs, outputs - left, scope, depth)
        case "let number":
            name, size = draw(st.sampled_from(NAMES)), draw(st.sampled_from([inputs, outputs]))
            body = _network(draw, inputs, outputs, scope.with_name(name, size), depth)
            return Let(name, _size(draw, size, scope, depth), body)
        case "let network":
            name = draw(st.sampled_from(NAMES))
            type_ = draw(st.sampled_from([(inputs, outputs), (inputs, inputs), (outputs, outputs)]))
            body = _network(draw, inputs, outputs, scope.with_name(name, type_), depth)
            return Let(name, _network(draw, *type_, scope, depth), body)
        case _:
            a = _size(draw, inputs, scope, depth)
            return Dense(a, _size(draw, outputs, scope, depth))


def _size(draw: DrawFn, size: int, scope: _Scope, depth: int) -> Expression:
    kinds = ["integer"]
    kinds += ["name", "name"] if scope.meaning(size) else []
    kinds += ["let"] if depth > 1 else []
    match draw(st.sampled_from(kinds)):
        case "name":
            return Name(draw(st.sampled_from(scope.meaning(size))))
        case "let":
            name, other = draw(st.sampled_from(NAMES)), draw(sizes())
            body = _size(draw, size, scope.with_name(name, other), 0)
            return Let(name, Integer(str(other)), body)
        case _:
            return Integer(str(size))
