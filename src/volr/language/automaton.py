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
    from collections.abc import Callable, Iterator
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
        self._passed_on: dict[tuple[int, int, str], int] = {}
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
            stack = self._passed(stack, kind) if action.passes else self._reduce(stack, action)

    def _passed(self, stack: Stack, kind: str) -> Stack:
        """The stack after all rules in a row that only pass on what is on top."""
        if stack.below is None:
            raise TypeError("the tables reduce where nothing has been read")
        key = (stack.state, stack.below.state, kind)
        state = self._passed_on.get(key)
        if state is None:
            state = stack.state
            action = self._states[state].get(kind)
            while isinstance(action, Rule) and action.passes:
                state = self._moved(stack.below.state, action)
                action = self._states[state].get(kind)
            self._passed_on[key] = state
        return Stack(state, stack.value, stack.below)

    def _moved(self, below: int, rule: Rule) -> int:
        """The state after a rule, on top of another."""
        state = self._states[below][rule.origin]
        if not isinstance(state, int):
            raise TypeError(f"the tables reduce {state.name!r} where they must move on")
        return state

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
            stack = Stack(self._moved(stack.state, action), None, stack)

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
        return Stack(self._moved(stack.state, rule), _build(rule.name, values), stack)


def _build(rule: str, values: Row[_Value]) -> _Value:
    """The value of a rule of the grammar, from those of its symbols."""
    first, last = values[0], values[-1]
    if rule == "one":
        return _Row(None, _listed(first), first.start, last.end)
    if rule == "more":
        return _Row(_row(first), _listed(last), first.start, last.end)
    build = _BUILDERS.get(rule)
    if build is None:
        raise TypeError(f"no tree is known for the rule {rule!r} of the grammar")
    return _Part(build(values, Span(first.start, last.end)), first.start, last.end)


def _let(values: Row[_Value], span: Span) -> Let:
    _, names, _, value, _, body = values
    tokens = [each for each in _row(names).listed() if isinstance(each, Token)]
    name, *parameters = (Name(each.text, each.span) for each in tokens)
    return Let(name.text, _node(value), _node(body), tuple(parameters), span, name.span)


def _arithmetic(values: Row[_Value], span: Span) -> Arithmetic:
    left, sign, right = values
    written = _token(sign)
    operator = written.text.replace("−", "-")
    return Arithmetic(operator, _node(left), _node(right), span, written.span)


def _call(values: Row[_Value], span: Span) -> Call:
    arguments = (_node(each) for each in _row(values[1]).listed())
    kept = tuple(each for each in arguments if isinstance(each, Argument))
    return Call(_node(values[0]), kept, span)


_BUILDERS: dict[str, Callable[[Row[_Value], Span], Expression]] = {
    "argument": lambda values, span: Argument(_node(values[0]), span=span),
    "labelled": lambda values, span: Argument(_node(values[2]), _token(values[0]).text, span),
    "name": lambda values, span: Name(_token(values[0]).text, span),
    "integer": lambda values, span: Integer(_token(values[0]).text.lstrip("0") or "0", span),
    "let": _let,
    "beside": lambda values, span: Parallel(_node(values[0]), _node(values[2]), span),
    "then": lambda values, span: Sequence(_node(values[0]), _node(values[2]), span),
    "loop": lambda values, span: Loop(_node(values[0]), _node(values[2]), span),
    "plus": lambda values, span: Sum(
        _node(values[0]), _node(values[2]), span, _token(values[1]).text
    ),
    "arithmetic": _arithmetic,
    "call": _call,
    "shape": lambda values, span: Shape(tuple(map(_node, _row(values[1]).listed())), span),
    "negative": lambda _, span: Hole(span),
    "blank": lambda _, span: Blank(span),
    "hole": lambda _, span: Hole(span),
    "group": lambda values, _: _node(values[1]),
}
"""The tree of each rule that has one, by its alias in the grammar."""


def _node(value: _Value) -> Expression:
    if not isinstance(value, _Part):
        raise TypeError(f"the grammar keeps {value!r} where a tree is needed")
    return value.node


def _token(value: _Value) -> Token:
    if not isinstance(value, Token):
        raise TypeError(f"the grammar keeps {value!r} where a token is needed")
    return value


def _row(value: _Value) -> _Row:
    if not isinstance(value, _Row):
        raise TypeError(f"the grammar keeps {value!r} where a row is needed")
    return value


def _listed(value: _Value) -> Token | _Part:
    if isinstance(value, _Row):
        raise TypeError("the grammar keeps a row within a row")
    return value
