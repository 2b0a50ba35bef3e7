"""Which sums in a program are of networks and which of numbers, as far as the text says.

The printer writes `⊕` between networks and `+` between numbers. A program need not be well typed to
be printed, so this does not ask the checker.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from volr.language.layers import RESERVED
from volr.language.rules import Rule, run
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

Kind: TypeAlias = Literal["network", "number", "shape"] | None


def sums_of_networks(root: Expression) -> set[int]:
    """The sums, by identity, whose sides are networks. As written, where that is not known."""
    kinds = _Kinds()
    run(kinds.of(root))
    return kinds.sums


class _Kinds:
    def __init__(self) -> None:
        self.sums: set[int] = set()
        self._names: dict[str, list[Kind]] = {name: ["network"] for name in RESERVED}

    def of(self, node: Expression) -> Rule[Kind]:
        match node:
            case Let():
                return self._let(node)
            case Sum():
                return self._sum(node)
            case Parallel() | Sequence() | Loop():
                return self._sides(node, "network")
            case Arithmetic():
                return self._sides(node, "number")
            case Call():
                return self._call(node)
            case Argument():
                return self.of(node.value)
            case Name() | Integer() | Shape() | Blank() | Hole():
                return self._leaf(node)

    def _leaf(self, node: Name | Integer | Shape | Blank | Hole) -> Rule[Kind]:
        yield from ()
        match node:
            case Integer():
                return "number"
            case Name():
                found = self._names.get(node.text)
                return found[-1] if found else None
            case Shape():
                for axis in node.axes:
                    yield self.of(axis)
                return "shape"
            case Blank() | Hole():
                return None

    def _sides(self, node: Parallel | Sequence | Loop | Arithmetic, kind: Kind) -> Rule[Kind]:
        yield self.of(node.left)
        yield self.of(node.right)
        return kind

    def _sum(self, node: Sum) -> Rule[Kind]:
        left = yield self.of(node.left)
        right = yield self.of(node.right)
        kind = left or right
        if kind == "network" or (kind is None and node.sign == "⊕"):
            self.sums.add(id(node))
        return kind

    def _call(self, node: Call) -> Rule[Kind]:
        kind = yield self.of(node.function)
        for each in node.arguments:
            yield self.of(each)
        return kind

    def _let(self, node: Let) -> Rule[Kind]:
        for each in node.parameters:
            self._names.setdefault(each.text, []).append(None)
        kind = yield self.of(node.value)
        for each in node.parameters:
            self._names[each.text].pop()
        self._names.setdefault(node.name, []).append(kind)
        body = yield self.of(node.body)
        self._names[node.name].pop()
        return body
