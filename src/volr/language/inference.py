"""From syntax tree to typed term. Unknown names and sizes that do not fit get a diagnostic.

    Γ ⊢ k : int                                          Γ(x) = τ  ⟹  Γ ⊢ x : τ
    Γ ⊢ a : int,  Γ ⊢ b : int                       ⟹   Γ ⊢ dense a b : net a b
    Γ ⊢ e : net l m,  Γ ⊢ e' : net m n              ⟹   Γ ⊢ e ⦶ e' : net l n
    Γ ⊢ e : net l r,  Γ ⊢ e' : net l r'             ⟹   Γ ⊢ e ⊖ e' : net l (r + r')
    Γ ⊢ e : τ,  Γ[x:τ] ⊢ e' : τ'                    ⟹   Γ ⊢ let x = e in e' : τ'

A size or a part that a mistake leaves unknown fits everything, so the mistake is reported once. An
unknown name, or a wrong number that is used often, is reported once as well (`blame`).

The rules are generators. Each yields the expression whose value it needs, and `run` keeps the
unfinished ones on a list. They read like a recursion, but do not recurse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from volr.language import terms, type_messages
from volr.language.blame import Mismatch, Mismatches
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
from volr.language.values import Binding, NetValue, Number, Unknown, Value, Width

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from volr.source import Diagnostic

MOST_BYTES = 1 << 40
"""A layer, or a program, whose weights take more, in float64, is refused."""
EXACT_DIGITS = 18
"""A size of more digits is out of all bounds, and not converted to an ``int``."""


@dataclass(frozen=True)
class Inferred:
    """The value of an expression, and its mistakes, whose words are made on demand."""

    value: Value
    findings: tuple[Callable[[], Diagnostic], ...]

    def diagnostics(self) -> list[Diagnostic]:
        return [finding() for finding in self.findings]


_Rule: TypeAlias = "Generator[Expression, Any, Value]"


def inferred(expression: Expression) -> Inferred:
    """The value of a whole program."""
    inference = _Inference()
    value = inference.run(expression)
    return Inferred(value, tuple(inference.findings()))


def mistakes_in(expression: Expression) -> int:
    """The number of mistakes in a whole program. A program that is a number counts as one."""
    found = inferred(expression)
    return len(found.findings) + isinstance(found.value, Number)


class _Inference:
    """The rules, the names in scope, and what has been found so far."""

    def __init__(self) -> None:
        self._found: list[Callable[[], Diagnostic]] = []
        self._mismatches = Mismatches()
        self._unknown: dict[str, tuple[list[Name], list[str]]] = {}
        self._misused: set[int] = set()
        self._scope: dict[str, list[Binding]] = {}

    def run(self, root: Expression) -> Value:
        """The value of an expression. A rule waits for each value that it asks for."""
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

    def findings(self) -> list[Callable[[], Diagnostic]]:
        """All mistakes, each cause once."""
        suggestions = type_messages.Suggestions()
        unknown = [
            partial(suggestions.unknown_name, uses, known) for uses, known in self._unknown.values()
        ]
        return [*self._found, *unknown, *self._mismatches.findings()]

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
        fits = self._same(left.inputs, right.inputs, left, right, node)
        term = None
        if left.term and right.term and fits:
            term = terms.Parallel(left.term, right.term, node.span)
        # If the two would fit one after the other, the operator may be the mistake.
        meant = not fits and _size(left.outputs) == _size(right.inputs)
        outputs = None
        if left.outputs is not None and right.outputs is not None and not meant:
            outputs = Width(min(left.outputs.size + right.outputs.size, terms.MANY), node)
        inputs = right.inputs if left.inputs is None else left.inputs
        return NetValue(inputs, outputs, term, left.side, node)

    def _sequence(self, node: Sequence) -> _Rule:
        left = self._network((yield node.left), node.left, "⦶")
        right = self._network((yield node.right), node.right, "⦶")
        fits = self._same(left.outputs, right.inputs, left, right, node)
        term = None
        if left.term and right.term and fits:
            term = terms.Sequence(left.term, right.term, node.span)
        # If the two would fit side by side, the operator may be the mistake.
        meant = not fits and _size(left.inputs) == _size(right.inputs)
        outputs = None if meant else right.outputs
        return NetValue(left.inputs, outputs, term, node, node.right, left.layer, left.name)

    def _same(
        self,
        given: Width | None,
        taken: Width | None,
        left: NetValue,
        right: NetValue,
        node: Parallel | Sequence,
    ) -> bool:
        """Whether two widths that must be equal are equal, as far as they are known."""
        if given is None or taken is None:
            return True
        if given.size == taken.size:
            self._mismatches.agree(given, taken)
            return True
        self._mismatches.add(Mismatch(node, given, taken, left, right))
        return False

    def _dense(self, node: Dense) -> _Rule:
        inputs = self._size((yield node.inputs), node.inputs)
        outputs = self._size((yield node.outputs), node.outputs)
        a, b = inputs.size, outputs.size
        term = None
        if inputs.huge or outputs.huge:
            digits = inputs.digits + outputs.digits - 1
            self._found.append(partial(type_messages.huge_layer, node, digits))
        elif a is not None and b is not None:
            if a * b * terms.BYTES_PER_WEIGHT > MOST_BYTES:
                self._found.append(partial(type_messages.large_layer, node, a, b))
            else:
                term = terms.Dense(Net(a, b), node.span)
        return NetValue(_width(inputs, node), _width(outputs, node), term, node, node, node)

    def _leaf(self, node: Name | Integer | Hole) -> _Rule:
        yield from ()
        match node:
            case Hole():
                return Unknown()
            case Integer(digits="0"):
                self._found.append(partial(type_messages.zero, node))
                return Number(None, 1, node)
            case Integer():
                exact = len(node.digits) <= EXACT_DIGITS
                return Number(int(node.digits) if exact else None, len(node.digits), node)
            case Name():
                return self._lookup(node)

    def _lookup(self, node: Name) -> Value:
        bindings = self._scope.get(node.text)
        if bindings:
            value = bindings[-1].value
            return value.used_at(node) if isinstance(value, NetValue) else value
        # A `let` whose name could not be read may have been meant to bind this one.
        if not self._scope.get(""):
            if node.text not in self._unknown:
                known = [name for name, bound in self._scope.items() if bound]
                self._unknown[node.text] = ([], known)
            self._unknown[node.text][0].append(node)
        return Unknown()

    def _network(self, value: Value, node: Expression, operator: str) -> NetValue:
        """The operand of an operator must be a network."""
        match value:
            case NetValue():
                return value
            case Unknown():
                pass
            case Number():
                self._misuse(node, partial(type_messages.number_as_network, node, operator))
        return NetValue(None, None, None, node, node)

    def _size(self, value: Value, node: Expression) -> Number:
        """The arguments of `dense` must be numbers."""
        match value:
            case Number():
                return value
            case Unknown():
                pass
            case NetValue():
                self._misuse(node, partial(type_messages.network_as_size, node, value))
        return Number(None, 1)

    def _misuse(self, node: Expression, found: Callable[[Let | None], Diagnostic]) -> None:
        """A name of the wrong type is reported at its first such use."""
        bindings = self._scope.get(node.text) if isinstance(node, Name) else None
        let = bindings[-1].let if bindings else None
        if let is None or id(let) not in self._misused:
            self._found.append(partial(found, let))
        self._misused.add(id(let or node))


def _size(width: Width | None) -> int | None:
    return None if width is None else width.size


def _width(number: Number, node: Dense) -> Width | None:
    return None if number.size is None else Width(number.size, number.origin or node)
