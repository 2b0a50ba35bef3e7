"""The expressions in the statements of a Futhark program of Volr's, as trees.

expression  ::=  applied (":>" type)? ("|>" applied)*       x |> f is f applied to x
applied     ::=  atom atom*
atom        ::=  NAME | NUMBER | "(" expression ("," expression)* ")" | "{" FIELD = atom, … "}"
type        ::=  "[" NUMBER ("*" NUMBER)* "]f32"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"\s*(\|>|:>|f32|[\w.]+|[()\[\]{},=*])")


@dataclass(frozen=True)
class Call:
    """A function and what it is applied to."""

    function: str
    given: tuple[Node, ...]


@dataclass(frozen=True)
class Sized:
    """A value that is said to have these sizes."""

    value: Node
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Settings:
    """A record."""

    fields: Mapping[str, Node]


@dataclass(frozen=True)
class Several:
    """A tuple of numbers."""

    numbers: tuple[int, ...]


Node: TypeAlias = "str | int | Call | Sized | Settings | Several"


class NotOursError(ValueError):
    """A text that is no expression of ours."""


def parsed(text: str) -> Node:
    """The tree of an expression; ``NotOursError`` for one that Volr does not write."""
    tokens: list[str] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise NotOursError(text)
        tokens.append(found[1])
        place = found.end()
    reader = _Reader(tokens)
    tree = reader.expression()
    if reader.next is not None:
        raise NotOursError(text)
    return tree


@dataclass
class _Reader:
    tokens: list[str]
    place: int = 0

    @property
    def next(self) -> str | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self, *wanted: str) -> str:
        word = self.next
        if word is None or (wanted and word not in wanted):
            raise NotOursError(f"{word}")
        self.place += 1
        return word

    def expression(self) -> Node:
        tree = self.applied()
        if self.next == ":>":
            self.take()
            tree = Sized(tree, self.sizes())
        while self.next == "|>":
            self.take()
            function = self.applied()
            match function:
                case str():
                    tree = Call(function, (tree,))
                case Call(name, given):
                    tree = Call(name, (*given, tree))
                case _:
                    raise NotOursError("|>")
        return tree

    def applied(self) -> Node:
        first = self.atom()
        given: list[Node] = []
        while self.next is not None and (self.next[0].isalnum() or self.next in ("(", "{", "_")):
            given.append(self.atom())
        if not given:
            return first
        if not isinstance(first, str):
            raise NotOursError(f"{first}")
        return Call(first, tuple(given))

    def atom(self) -> Node:
        word = self.take()
        if word == "(":
            found = [self.expression()]
            while self.take(",", ")") == ",":
                found.append(self.expression())
            numbers = tuple(each for each in found if isinstance(each, int))
            if len(found) == 1:
                return found[0]
            if len(numbers) != len(found):
                raise NotOursError("a tuple")
            return Several(numbers)
        if word == "{":
            fields: dict[str, Node] = {}
            while True:
                name = self.take()
                self.take("=")
                fields[name] = self.atom()
                if self.take(",", "}") == "}":
                    return Settings(fields)
        if word.isdecimal():
            return int(word)
        if not re.fullmatch(r"[A-Za-z_][\w.]*", word):
            raise NotOursError(word)
        return word

    def sizes(self) -> tuple[int, ...]:
        self.take("[")
        found = [int(self.number())]
        while self.take("*", "]") == "*":
            found.append(int(self.number()))
        self.take("f32")
        return tuple(found)

    def number(self) -> str:
        word = self.take()
        if not word.isdecimal():
            raise NotOursError(word)
        return word
