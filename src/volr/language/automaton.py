"""The stack machine that runs the grammar's tables and builds the syntax tree as it reduces.

Its stacks are linked lists that never change: ``advance`` returns a new stack and keeps the old
one. So many repairs can be tried from the same stack, and nothing is copied. Nesting costs only
memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from volr.language.grammar import END, Rule, Tables, Token
from volr.language.syntax import (
    Argument,
    Arithmetic,
    Blank,
    Call,
    Expression,
    Hole,
    Integer,
    Let,
    Loop,
    Name,
    Parallel,
    Sequence,
    Shape,
    Sum,
)
from volr.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as Row


class _Part(NamedTuple):
    """A tree, and the range of its characters with the parentheses around it."""

    node: Expression
    start: int
    end: int


class _Row(NamedTuple):
    """Several in a row, the last one first: names, arguments or axes."""

    before: _Row | None
    last: Token | _Part
    start: int
    end: int

    def listed(self) -> list[Token | _Part]:
        found: list[Token | _Part] = []
        row: _Row | None = self
        while row is not None:
            found.append(row.last)
            row = row.before
        return found[::-1]


_Value: TypeAlias = Token | _Part | _Row


class Stack(NamedTuple):
    """What has been read: the state on top, what led to it, and the rest."""

    state: int
    value: _Value | None
    below: Stack | None

    @property
    def tree(self) -> Expression:
        """The expression on top. Raises ``TypeError`` if there is none."""
        if self.value is None:
            raise TypeError("nothing has been read yet")
        return _node(self.value)

    def tokens(self) -> Iterator[Token]:
        """The tokens that wait for the rest of their construct, the last one first."""
        stack: Stack | None = self
        while stack is not None:
            if isinstance(stack.value, Token):
                yield stack.value
            stack = stack.below


class Automaton:
    """The tables of a grammar, and the moves in them."""

    def __init__(self, tables: Tables) -> None:
        self._states = tables.states
        self._end = tables.end
        self.bottom = Stack(tables.start, None, None)

    def advance(self, stack: Stack, token: Token) -> Stack | None:
        """The stack after a token; None if the token does not fit.

        After the end of the text, the stack's ``tree`` is the program's.
        """
        kind = token.kind
        while True:
            if kind == END and stack.state == self._end:
                return stack
            action = self._states[stack.state].get(kind)
            if action is None:
                return None
            if isinstance(action, int):
                return Stack(action, token, stack)
            stack = self._reduce(stack, action)

    def follow(self, stack: Stack, kind: str) -> Stack | None:
        """``advance`` without trees, to look ahead."""
        states = self._states
        while True:
            if kind == END and stack.state == self._end:
                return stack
            action = states[stack.state].get(kind)
            if action is None:
                return None
            if isinstance(action, int):
                return Stack(action, None, stack)
            for _ in range(action.size):
                stack = stack.below or stack
            state = states[stack.state][action.origin]
            if not isinstance(state, int):
                raise TypeError(f"the tables reduce {state.name!r} where they must move on")
            stack = Stack(state, None, stack)

    def fits(self, stack: Stack, kind: str) -> bool:
        """Whether a token of this kind can come next."""
        return self.follow(stack, kind) is not None

    def _reduce(self, stack: Stack, rule: Rule) -> Stack:
        values: list[_Value] = []
        for _ in range(rule.size):
            if stack.value is None or stack.below is None:
                raise TypeError(f"the tables reduce {rule.name!r} where too little has been read")
            values.append(stack.value)
            stack = stack.below
        values.reverse()
        state = self._states[stack.state][rule.origin]
        if not isinstance(state, int):
            raise TypeError(f"the tables reduce {state.name!r} where they must move on")
        return Stack(state, _build(rule.name, values), stack)


_PASSED_ON = frozenset(
    {"program", "expr", "parallel", "sequence", "sum", "product", "call", "atom"}
)
"""The rules that only say how tightly something binds, where they have one symbol."""


def _build(rule: str, values: Row[_Value]) -> _Value:
    """The value of a rule of the grammar, from those of its symbols."""
    first, last = values[0], values[-1]
    if len(values) == 1 and rule in _PASSED_ON:
        return first
    span = Span(first.start, last.end)
    match rule, values:
        case "one", [Token() | _Part() as only]:
            return _Row(None, only, first.start, last.end)
        case "more", [_Row() as before, Token() | _Part() as only]:
            return _Row(before, only, first.start, last.end)
        case "argument", [value]:
            node = Argument(_node(value), span=span)
        case "labelled", [Token() as label, _, value]:
            node = Argument(_node(value), label.text, span)
        case "name", [Token() as token]:
            node = Name(token.text, span)
        case "integer", [Token() as token]:
            node = Integer(token.text.lstrip("0") or "0", span)
        case "let", [_, _Row() as names, _, value, _, body]:
            node = _let(names, _node(value), _node(body), span)
        case "beside", [left, _, right]:
            node = Parallel(_node(left), _node(right), span)
        case "then", [left, _, right]:
            node = Sequence(_node(left), _node(right), span)
        case "loop", [left, _, right]:
            node = Loop(_node(left), _node(right), span)
        case "plus", [left, Token() as sign, right]:
            node = Sum(_node(left), _node(right), span, sign.text)
        case "arithmetic", [left, Token() as sign, right]:
            operator = sign.text.replace("−", "-")
            node = Arithmetic(operator, _node(left), _node(right), span, sign.span)
        case "call", [function, _Row() as row]:
            arguments = (_node(each) for each in row.listed())
            kept = tuple(each for each in arguments if isinstance(each, Argument))
            node = Call(_node(function), kept, span)
        case "shape", [_, _Row() as row, _]:
            node = Shape(tuple(map(_node, row.listed())), span)
        case "negative", [_, _]:
            node = Hole(span)
        case "blank", [_]:
            node = Blank(span)
        case "hole", [_]:
            node = Hole(span)
        case "group", [_, inner, _]:
            node = _node(inner)
        case _:
            raise TypeError(f"no tree is known for the rule {rule!r} of the grammar")
    return _Part(node, first.start, last.end)


def _let(names: _Row, value: Expression, body: Expression, span: Span) -> Let:
    tokens = [each for each in names.listed() if isinstance(each, Token)]
    name, *parameters = (Name(each.text, each.span) for each in tokens)
    return Let(name.text, value, body, tuple(parameters), span, name.span)


def _node(value: _Value) -> Expression:
    if not isinstance(value, _Part):
        raise TypeError(f"the grammar keeps {value!r} where a tree is needed")
    return value.node
