"""From syntax tree to typed term: every name found, every size fitting, or a diagnostic.

    Γ ⊢ k : int                                          Γ(x) = τ  ⟹  Γ ⊢ x : τ
    Γ ⊢ a : int,  Γ ⊢ b : int                       ⟹   Γ ⊢ dense a b : net a b
    Γ ⊢ e : net l m,  Γ ⊢ e' : net m n              ⟹   Γ ⊢ e ⦶ e' : net l n
    Γ ⊢ e : net l r,  Γ ⊢ e' : net l r'             ⟹   Γ ⊢ e ⊖ e' : net l (r + r')
    Γ ⊢ e : τ,  Γ[x:τ] ⊢ e' : τ'                    ⟹   Γ ⊢ let x = e in e' : τ'

What a mistake leaves unknown, a size or a whole part, fits everything, so that it is reported once.
The rules are generators: each yields the expression whose value it needs, and `_run` keeps the
unfinished ones on a list. They read like a recursion and are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from volr.errors import ProgramError
from volr.language import messages, terms
from volr.language.parser import read
from volr.language.syntax import (
    Dense,
    Expression,
    Hole,
    Integer,
    Let,
    Name,
    Parallel,
    Sequence,
)
from volr.language.types import Net
from volr.language.values import Binding, Layers, Number, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Generator

    from volr.source import Diagnostic, Source

MOST_BYTES = 1 << 40
"""A program whose weights take more, in float64, is refused."""
MOST_PARTS = 1_000_000
"""A program of more populations, or of more projections, is refused."""
EXACT_DIGITS = 18
"""A size of more digits is out of all bounds, and not converted to an ``int``."""


@dataclass(frozen=True)
class Checked:
    """A program without mistakes: its text, its tree, its term, and its type."""

    source: Source
    expression: Expression
    term: terms.Term

    @property
    def type(self) -> Net:
        return self.term.type


_Rule: TypeAlias = "Generator[Expression, Any, Value]"


def check(source: Source) -> Checked:
    """Read and check a program.

    Raises ``ProgramError`` with every mistake in it: of syntax, names, types and sizes. A program
    that passes can be lowered.
    """
    reading = read(source)
    found = list(reading.diagnostics)
    if reading.expression is None:
        raise ProgramError(source, found)
    checker = _Checker()
    value = checker.run(reading.expression)
    found += checker.diagnostics
    if isinstance(value, Number):
        found.append(messages.number_as_program(reading.expression))
    term = value.term if isinstance(value, Layers) else None
    if term is not None and not found:
        found += _too_large(term)
    if found or term is None:
        raise ProgramError(source, sorted(found, key=lambda each: each.span.start))
    return Checked(source, reading.expression, term)


class _Checker:
    """The rules, the names in scope, and the diagnostics so far."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._scope: dict[str, list[Binding]] = {}
        self._suggestions = messages.Suggestions()

    def run(self, root: Expression) -> Value:
        """The value of an expression: whatever a rule asks for is worked out before it goes on."""
        unfinished = [self._rule(root)]
        value: Value | None = None
        while True:
            try:
                wanted = unfinished[-1].send(value)
            except StopIteration as finished:
                value = finished.value
                unfinished.pop()
                if not unfinished:
                    return finished.value
            else:
                unfinished.append(self._rule(wanted))
                value = None

    def _rule(self, node: Expression) -> _Rule:
        match node:
            case Let():
                return self._let(node)
            case Parallel():
                return self._parallel(node)
            case Sequence():
                return self._sequence(node)
            case Dense():
                return self._dense(node)
            case Name() | Integer() | Hole():
                return self._leaf(node)

    def _let(self, node: Let) -> _Rule:
        value = yield node.value
        bindings = self._scope.setdefault(node.name, [])
        bindings.append(Binding(value, node))
        body = yield node.body
        bindings.pop()
        return body

    def _parallel(self, node: Parallel) -> _Rule:
        left = self._network((yield node.left), node.left, "⊖")
        right = self._network((yield node.right), node.right, "⊖")
        fits = None in (left.inputs, right.inputs) or left.inputs == right.inputs
        if not fits:
            self.diagnostics.append(messages.sides_differ(left, right, node.right))
        term = None
        if left.term and right.term and fits:
            term = terms.Parallel(left.term, right.term, node.span)
        outputs = None
        if left.outputs is not None and right.outputs is not None:
            outputs = min(left.outputs + right.outputs, terms.MANY)
        inputs = right.inputs if left.inputs is None else left.inputs
        return Layers(inputs, outputs, term, left.side, node)

    def _sequence(self, node: Sequence) -> _Rule:
        left = self._network((yield node.left), node.left, "⦶")
        right = self._network((yield node.right), node.right, "⦶")
        fits = None in (left.outputs, right.inputs) or left.outputs == right.inputs
        if not fits:
            self.diagnostics.append(messages.sizes_differ(left, right, node.right))
        term = None
        if left.term and right.term and fits:
            term = terms.Sequence(left.term, right.term, node.span)
        return Layers(left.inputs, right.outputs, term, node, node.right, left.layer, left.name)

    def _dense(self, node: Dense) -> _Rule:
        inputs = self._size((yield node.inputs), node.inputs)
        outputs = self._size((yield node.outputs), node.outputs)
        a, b = inputs.size, outputs.size
        term = None
        if inputs.huge or outputs.huge:
            self.diagnostics.append(messages.huge_layer(node, inputs.digits + outputs.digits - 1))
        elif a is not None and b is not None:
            if a * b * terms.BYTES_PER_WEIGHT > MOST_BYTES:
                self.diagnostics.append(messages.large_layer(node, a, b))
            else:
                term = terms.Dense(Net(a, b), node.span)
        return Layers(a, b, term, node, node, node)

    def _leaf(self, node: Name | Integer | Hole) -> _Rule:
        yield from ()
        match node:
            case Hole():
                return Unknown()
            case Integer(digits="0"):
                self.diagnostics.append(messages.zero(node))
                return Number(None, 1)
            case Integer():
                exact = len(node.digits) <= EXACT_DIGITS
                return Number(int(node.digits) if exact else None, len(node.digits))
            case Name():
                return self._lookup(node)

    def _lookup(self, node: Name) -> Value:
        bindings = self._scope.get(node.text)
        if bindings:
            value = bindings[-1].value
            return value.used_at(node) if isinstance(value, Layers) else value
        # A `let` whose name could not be read may have been meant to bind this one.
        if not self._scope.get(""):
            known = [name for name, bound in self._scope.items() if bound]
            self.diagnostics.append(self._suggestions.unknown_name(node, known))
        return Unknown()

    def _network(self, value: Value, node: Expression, operator: str) -> Layers:
        """What stands beside an operator must be a network."""
        match value:
            case Layers():
                return value
            case Unknown():
                pass
            case Number():
                found = messages.number_as_network(node, operator, self._let_of(node))
                self.diagnostics.append(found)
        return Layers(None, None, None, node, node)

    def _size(self, value: Value, node: Expression) -> Number:
        """What stands after `dense` must be a number."""
        match value:
            case Number():
                return value
            case Unknown():
                pass
            case Layers():
                found = messages.network_as_size(node, value, self._let_of(node))
                self.diagnostics.append(found)
        return Number(None, 1)

    def _let_of(self, node: Expression) -> Let | None:
        """The `let` that binds a name in scope."""
        bindings = self._scope.get(node.text) if isinstance(node, Name) else None
        return bindings[-1].let if bindings else None


def _too_large(term: terms.Term) -> list[Diagnostic]:
    """What cannot be built, at the smallest part of the program that is too large."""
    if not _exceeds(term.bulk):
        return []
    while inner := next((part for part in terms.children(term) if _exceeds(part.bulk)), None):
        term = inner
    return [messages.too_large(term, MOST_PARTS, MOST_BYTES)]


def _exceeds(bulk: terms.Bulk) -> bool:
    most = max(bulk.populations, bulk.projections)
    return most > MOST_PARTS or bulk.weight_bytes > MOST_BYTES
