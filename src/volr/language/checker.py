"""What all rules of the checker share: names, mistakes, and values in their places."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from volr.language import function_messages, type_messages
from volr.language.blame import Mismatch
from volr.language.findings import Findings
from volr.language.layers import Layer
from volr.language.syntax import Call, Expression, Integer, Let
from volr.language.values import (
    Absent,
    Before,
    Binding,
    Function,
    NetValue,
    Number,
    ShapeValue,
    Unknown,
    Value,
    Width,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from volr.language import types
    from volr.language.blame import Kind
    from volr.language.layers import Built, Fault
    from volr.language.rules import Rule
    from volr.language.scoping import Scoping
    from volr.language.syntax import Blank, Name
    from volr.source import Diagnostic

MOST_STEPS = 100_000
"""So many expressions may be checked anew, in calls and in uses of names, beside those written."""
_LONGEST_OPERATOR = len(" >> ")


class Checker:
    """The values of names, the mistakes, and what `_` stood for."""

    EXACT_DIGITS = 18
    """A number of more digits is out of all bounds, and not converted to an ``int``."""

    def __init__(self, scoping: Scoping) -> None:
        self.findings = Findings()
        self.filled: dict[int, set[types.Shape]] = {}
        self.bound: dict[int, Binding | Function] = {}
        self.bare: Name | None = None  # the last function without arguments
        self.built: dict[Hashable, Built | Fault] = {}
        self._binders = scoping.binders
        self._steps = MOST_STEPS + 8 * scoping.nodes
        # The tree that was meant, where it was misread; kept, since nodes are told apart by ``id``.
        self._meant: list[Call] = []

    def report(self, node: Any, say: Callable[..., Diagnostic], *about: Any) -> None:
        """A mistake at a node; its words are made on demand."""
        self.findings.add(node.span, partial(say, *about))

    def exhausted(self, node: Expression) -> bool:
        """Whether too much has been checked. That is reported once."""
        self._steps -= 1
        if self._steps < 0:
            say = partial(type_messages.too_many_steps, node, MOST_STEPS)
            self.findings.add(node.span, say, once="steps")
        return self._steps < 0

    def value(self, node: Expression, before: Before) -> Rule[Value]:
        """The rule of an expression, of which all other rules are made."""
        raise NotImplementedError

    # Names.

    def binding_of(self, node: Expression) -> Binding | None:
        """What a name is bound to; None for functions, unknown names, and all else."""
        binder = self._binders.get(id(node))
        found = self.bound.get(id(binder))
        return found if isinstance(found, Binding) else None

    def function_of(self, node: Expression) -> Let | Layer | str | None:
        """The function that a name is; None for values, unknown names, and all else."""
        binder = self._binders.get(id(node))
        match binder:
            case Layer() | str():
                return binder
            case Let(parameters=(_, *_)):
                return binder
            case _:
                return None

    def let_of(self, node: Expression) -> Let | None:
        binding = self.binding_of(node)
        return None if binding is None else binding.let

    def misuse(self, node: Expression, say: Callable[..., Diagnostic], *about: Any) -> None:
        """A name of the wrong type is reported at its first such use."""
        let = self.let_of(node)
        once = None if let is None else ("misused", id(let))
        self.findings.add(node.span, partial(say, node, *about, let), once=once)

    # Values in their places.

    def same(
        self,
        kind: Kind,
        sign: str,
        place: Expression,
        given: Width | None,
        taken: Width | None,
        left: NetValue,
        right: NetValue,
    ) -> bool:
        """Whether two shapes that must be equal are equal, as far as they are known."""
        if given is None or taken is None:
            return True
        if given.shape == taken.shape:
            self.findings.agree(kind, place, given, taken)
            return True
        self.findings.differ(Mismatch(kind, sign, place, given, taken, left, right))
        return False

    def network(self, value: Value, node: Expression, operator: str) -> NetValue:
        """The operand of an operator must be a network."""
        match value:
            case NetValue():
                return value
            case Unknown():
                pass
            case Number() | ShapeValue() if not self.belongs_before(node):
                what = "number" if isinstance(value, Number) else "shape"
                self.misuse(node, type_messages.no_network, what, operator)
            case Number() | ShapeValue():
                pass
        return NetValue(None, None, None, node, node)

    def belongs_before(self, node: Expression) -> bool:
        """Whether this is what a function lacks that stands just before: ``dense | 2 4``."""
        bare = self.bare
        return bare is not None and 0 < node.span.start - bare.span.end <= _LONGEST_OPERATOR

    def operand(self, value: Value, node: Expression, sign: str) -> Number:
        """The operand of an arithmetic operator must be a number."""
        match value:
            case Number():
                return value
            case Unknown():
                pass
            case NetValue() | ShapeValue():
                what = "network" if isinstance(value, NetValue) else "shape"
                self.misuse(node, type_messages.no_number, what, sign)
        return Number(None, 1)

    def number(self, value: Value, node: Expression, name: str) -> Number:
        """The value of an argument that must be a number, of at most 18 digits."""
        match value:
            case Number():
                if value.huge:
                    at = value.origin or node
                    self.report(at, type_messages.large_number, at)
                return value
            case ShapeValue(shape=(only,), origin=origin):
                return Number(only, len(str(only)), origin)
            case ShapeValue():
                self.report(node, type_messages.shape_as_number, node, value.shape, name)
            case NetValue():
                self.misuse(node, type_messages.no_size, value)
            case Unknown():
                pass
        return Number(None, 1)

    def integer(self, node: Integer) -> Number:
        """The value of a number as it is written."""
        digits = len(node.digits)
        return Number(int(node.digits) if digits <= self.EXACT_DIGITS else None, digits, node)

    def at_least(self, value: Value, node: Expression, least: int, name: str) -> bool:
        """Whether a number, or each axis of a shape, is large enough for its place."""
        if isinstance(value, Number):
            if value.size is None or value.size >= least:
                return True
            axes = [(value.size, value.origin or node)]
        elif isinstance(value, ShapeValue) and value.shape is not None and value.axes:
            axes = list(zip(value.shape, value.axes, strict=True))
        else:
            return True
        small = [(size, at) for size, at in axes if size < least]
        for size, at in small:
            self.report(at, type_messages.too_small, at, size, least, name)
        return not small

    def blank(self, node: Blank, before: Before) -> Width | None:
        """What `_` stands for; None if that is not known."""
        match before:
            case Width():
                self.filled.setdefault(id(node), set()).add(before.shape)
                return before
            case Absent.NOTHING:
                self.report(node, function_messages.nothing_before, node)
                return None
            case Absent.OPEN | Absent.LOST:
                return None

    def made(self, call: Call) -> Call:
        """A call that is not in the text."""
        self._meant.append(call)
        return call

    def wanted(self, function: Let | Layer | str | None) -> int:
        """The number of arguments that a function takes, without those with a label."""
        match function:
            case Layer():
                return len(function.required)
            case Let():
                return len(function.parameters)
            case str():
                return 2
            case None:
                return 0
