"""Which part of a program is at a place, which names are in scope there, and in which call it is.

Parts are found in the tree of the last analysis. A call that is being typed is found in the text of
now, of which only the nearest part is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.language.grammar import Token, tables
from volr.language.syntax import Argument, Call, Expression, Hole, Let, Name, children

if TYPE_CHECKING:
    from volr.source import Span

_IN = re.compile(r"\bin\b")
_READ = 4_000
"""The characters before a place in which its call is looked for."""
_SEPARATORS = frozenset(("BESIDE", "THEN", "LOOP", "PLUS", "EQUAL", "IN", "LET", "TIMES", "OVER"))


def holds(span: Span, offset: int) -> bool:
    return span.start <= offset < span.end


def part_at(root: Expression, offset: int) -> Expression | None:
    """The smallest part of a tree that holds a character."""
    found: Expression | None = None
    node: Expression | None = root if holds(root.span, offset) else None
    while node is not None:
        found = node
        node = next((each for each in children(node) if holds(each.span, offset)), None)
    if isinstance(found, Argument) and not found.label:
        return found.value
    return found


def word_at(root: Expression, offset: int) -> Expression | None:
    """The part at a place between two characters: the one before it counts if the one after it
    ends no word."""
    after = part_at(root, offset)
    if isinstance(after, Name) or offset == 0:
        return after
    before = part_at(root, offset - 1)
    return before if isinstance(before, Name) or after is None else after


def in_scope(text: str, root: Expression, offset: int) -> dict[str, Let | Name]:
    """The names that can be used at a place, each with what binds it."""
    found: dict[str, Let | Name] = {}
    # Space belongs to what stands before it: a part ends with its last word.
    last = len(text[:offset].rstrip())
    todo = [root]
    while todo:
        node = todo.pop()
        if offset < node.span.start or last > node.span.end:
            continue
        if isinstance(node, Let):
            # A body that is missing has no place of its own.
            read = not isinstance(node.body, Hole) and offset >= node.body.span.start
            if read or _IN.search(text, node.value.span.end, offset):
                found[node.name] = node
                todo.append(node.body)
            elif node.name_span.end <= offset:
                found |= {each.text: each for each in node.parameters}
                todo.append(node.value)
        else:
            todo += children(node)
    return found


@dataclass(frozen=True)
class Written:
    """A call as far as it is written: its function, and its arguments before the place.

    ``given`` has the labels of these, each "" for one without.
    """

    function: Token
    given: tuple[str, ...]
    label: str = ""

    @property
    def unlabelled(self) -> int:
        return sum(not each for each in self.given)


def call_at(text: str, offset: int) -> Written | None:
    """The call in which a place is, after the name of its function and a space."""
    start = max(offset - _READ, 0)
    if start:
        start = text.find("\n", start, offset) + 1 or start
    tokens = [each for each in tables().tokens(text[start:offset]) if each.kind != "UNFINISHED"]
    if tokens and tokens[-1].kind in ("NAME", "INTEGER") and tokens[-1].end == offset - start:
        tokens.pop()  # the word at the place is what is being written
    depth = 0
    row: list[Token] = []
    for token in reversed(tokens):
        if token.kind in ("CLOSE", "CLOSE_SHAPE"):
            depth += 1
            row += [token] if depth == 1 else []
        elif token.kind in ("OPEN", "OPEN_SHAPE"):
            depth -= 1
            if depth < 0:
                if token.kind == "OPEN":
                    break
                # An axis of a shape that is an argument.
                depth, row = 0, []
        elif depth == 0:
            if token.kind in _SEPARATORS:
                break
            row.append(token)
    row.reverse()
    if not row or row[0].kind != "NAME":
        return None
    return _written(row[0], row[1:])


def _written(function: Token, arguments: list[Token]) -> Written:
    given: list[str] = []
    label, after_colon = "", False
    for index, token in enumerate(arguments):
        following = arguments[index + 1].kind if index + 1 < len(arguments) else ""
        if token.kind == "COLON":
            after_colon = True
        elif following == "COLON":
            label = token.text
        else:
            given.append(label if after_colon else "")
            label, after_colon = "", False
    return Written(function, tuple(given), label if after_colon else "")


def call_of(root: Expression, name: Name) -> Call | None:
    """The call of which a name is the function."""
    node: Expression | None = root
    while node is not None:
        if isinstance(node, Call) and node.function is name:
            return node
        inside = (each for each in children(node) if holds(each.span, name.span.start))
        node = next(inside, None)
    return None
