"""The stack machine that runs the grammar's tables and builds the syntax tree as it reduces.

It looks before it moves: ``fits`` says whether a token can come next, and ``take`` changes nothing
where it cannot. The stacks are lists, so nesting costs memory and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

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
from volr.language.tables import END, Rule, Tables, Token
from volr.source import Span

if TYPE_CHECKING:
    from collections.abc import Sequence as Row


class _Part(NamedTuple):
    """A tree, and the characters it takes with the parentheses around it."""

    node: Expression
    start: int
    end: int


_Value: TypeAlias = Token | _Part


class Automaton:
    """A parse under way."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._states = [tables.start]
        self._values: list[_Value] = []
        self._known: dict[str, list[Rule] | None] = {}
        self.result: Expression | None = None

    def fits(self, kind: str) -> bool:
        """Whether a token of this kind can come next."""
        return self._reductions(kind) is not None

    def take(self, token: Token) -> bool:
        """Move on over a token; at the end, leave the tree in ``result``. False if it misfits."""
        reductions = self._reductions(token.kind)
        if reductions is None:
            return False
        for rule in reductions:
            self._reduce(rule)
        if token.kind == END:
            self.result = _node(self._values[-1])
        else:
            self._push(token.kind, token)
        self._known.clear()
        return True

    def _reductions(self, kind: str) -> list[Rule] | None:
        """The reductions due before a token of this kind; None where it cannot come next."""
        if kind not in self._known:
            self._known[kind] = self._look(kind)
        return self._known[kind]

    def _look(self, kind: str) -> list[Rule] | None:
        states, below, above = self._tables.states, len(self._states), list[int]()
        found: list[Rule] = []
        state = self._states[-1]
        while not (kind == END and state == self._tables.end):
            action = states[state].get(kind)
            if action is None:
                return None
            if isinstance(action, int):
                return found
            found.append(action)
            below -= max(0, action.size - len(above))
            del above[max(0, len(above) - action.size) :]
            base = above[-1] if above else self._states[below - 1]
            state = _goto(states[base][action.origin])
            above.append(state)
        return found

    def _reduce(self, rule: Rule) -> None:
        values = self._values[-rule.size :]
        del self._values[-rule.size :]
        del self._states[-rule.size :]
        self._push(rule.origin, _build(rule.name, values))

    def _push(self, symbol: str, value: _Value) -> None:
        self._states.append(_goto(self._tables.states[self._states[-1]][symbol]))
        self._values.append(value)


def _goto(action: int | Rule) -> int:
    if not isinstance(action, int):
        raise TypeError(f"the tables reduce {action.name!r} where they must move on")
    return action


def _build(rule: str, values: Row[_Value]) -> _Value:
    """The value of a rule of the grammar, from those of its symbols."""
    first, last = values[0], values[-1]
    span = Span(first.start, last.end)
    match rule, values:
        case "let", [_, Token() as name, _, value, _, body]:
            name_span = Span(name.start, name.end)
            node = Let(name.text, _node(value), _node(body), span, name_span)
        case "beside", [left, _, right]:
            node = Parallel(_node(left), _node(right), span)
        case "then", [left, _, right]:
            node = Sequence(_node(left), _node(right), span)
        case "dense", [_, inputs, outputs]:
            node = Dense(_node(inputs), _node(outputs), span)
        case "name", [Token() as token]:
            node = Name(token.text, span)
        case "integer", [Token() as token]:
            node = Integer(token.text.lstrip("0") or "0", span)
        case "hole", [_]:
            node = Hole(span)
        case "group", [_, inner, _]:
            node = _node(inner)
        case _, [only]:
            return only
        case _:
            raise TypeError(f"no tree is known for the rule {rule!r} of the grammar")
    return _Part(node, first.start, last.end)


def _node(value: _Value) -> Expression:
    if isinstance(value, Token):
        raise TypeError(f"the grammar keeps {value.text!r} where a tree is needed")
    return value.node
