"""Changes of arguments that are written as in Python, and of sizes that are computed.

conv([1, 8, 8], 4, 3, stride=2*1)     conv [1 8 8] 4 3 stride:(2*1)
dense [2*2 3] 5                       dense [(2*2) 3] 5
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from volr.language.grammar import END
from volr.language.layers import RESERVED
from volr.language.repair import costs
from volr.language.repair.changes import WINDOW, Repair, Splice
from volr.language.tokens import CLOSED_BY, CLOSERS, made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.language.grammar import Token
    from volr.language.repair.changes import Place

_OPERATORS = ("PLUS", "MINUS", "TIMES", "OVER")
_ATOMS = ("INTEGER", "NAME", "BLANK", "MALFORMED")
_BRACKETS = ("OPEN", "OPEN_SHAPE")


def in_brackets(place: Place) -> Iterator[Repair]:
    """The brackets around arguments left out, with the commas between them."""
    tokens = place.tokens
    if tokens[place.error].text not in (",", "="):
        return
    for index in open_brackets(place):
        named = index > 0 and tokens[index - 1].kind == "NAME"
        if tokens[index].kind == "OPEN" and named:
            splices = _without_brackets(tokens, index)
            if splices is not None:
                yield Repair(tuple(splices), costs.COMMAS, "called")


def open_brackets(place: Place) -> Iterator[int]:
    """The brackets that are open at the token that does not fit, the innermost first."""
    depth = 0
    for index in range(place.error - 1, place.first - 1, -1):
        kind = place.tokens[index].kind
        depth += (kind in CLOSERS) - (kind in _BRACKETS)
        if depth < 0:
            depth = 0
            yield index


@dataclass
class _Bracket:
    """An open bracket: where it is, what separates its parts, and whether it is a call's."""

    index: int
    called: bool
    separators: list[int] = field(default_factory=list[int])


def _without_brackets(tokens: list[Token], start: int) -> list[Splice] | None:
    """The change from a call in brackets; None if its bracket is not closed nearby."""
    open_: list[_Bracket] = []
    put: dict[int, list[Token]] = {}
    for at in range(start, min(start + 2 * WINDOW, len(tokens))):
        token = tokens[at]
        if token.kind in _BRACKETS:
            open_.append(_Bracket(at, token.kind == "OPEN" and tokens[at - 1].kind == "NAME"))
        elif token.text == ",":
            open_[-1].separators.append(at)
        elif token.kind in CLOSERS:
            bracket = open_.pop()
            if token.kind != CLOSED_BY[tokens[bracket.index].kind]:
                return None
            if bracket.separators or not open_:
                put |= _parts(tokens, bracket, at)
            if not open_:
                return [Splice(i, i + 1, tuple(each)) for i, each in sorted(put.items())]
    return None


def _parts(tokens: list[Token], bracket: _Bracket, end: int) -> dict[int, list[Token]]:
    """What is put in the place of a bracket, its commas and its `=`, by their numbers."""
    ends = [bracket.index, *bracket.separators, end]
    put: dict[int, list[Token]] = {each: [] for each in ends}

    def add(at: int, kind: str) -> None:
        put.setdefault(at, []).append(made(kind, tokens[at].start, tokens[at].end))

    if not bracket.called:
        add(bracket.index, "OPEN_SHAPE")
    for before, after in pairwise(ends):
        opening, first = before, before + 1
        if bracket.called and tokens[first].kind == "NAME" and _labels(tokens[first + 1]):
            opening, first = first + 1, first + 2
            add(opening, "COLON")
        if tokens[first].kind == "MINUS" and after - first == 2:
            sign, number = tokens[first : first + 2]
            put[first] = [number._replace(text=f"-{number.text}", start=sign.start)]
            put[first + 1] = []
        elif not _is_one(tokens, first, after):
            add(opening, "OPEN")
            add(after, "CLOSE")
    if not bracket.called:
        add(end, "CLOSE_SHAPE")
    return put


def _labels(token: Token) -> bool:
    return token.kind in ("EQUAL", "COLON")


def _is_one(tokens: list[Token], start: int, end: int) -> bool:
    """Whether tokens are one argument as they are: a word, or a bracket."""
    if end - start < 2:
        return True
    if tokens[start].kind not in _BRACKETS:
        return False
    depth = 0
    for at in range(start, end):
        depth += (tokens[at].kind in _BRACKETS) - (tokens[at].kind in CLOSERS)
        if depth == 0:
            return at == end - 1
    return False


def labels(place: Place) -> Iterator[Repair]:
    """Labels with `=`, all of a call: ``conv [1 8 8] 4 3 pad=1 stride=2``."""
    tokens, at = place.tokens, place.error
    if tokens[at].kind != "EQUAL" or at - 1 < place.first or not _called(place):
        return
    splices: list[Splice] = []
    while tokens[at].kind == "EQUAL" and tokens[at - 1].kind == "NAME":
        colon = made("COLON", tokens[at].start, tokens[at].end)
        splices.append(Splice(at, at + 1, (colon,)))
        after = _after_atom(tokens, at + 1)
        while after is not None and tokens[after].kind != END and tokens[after + 1].kind != "EQUAL":
            after = _after_atom(tokens, after)
        if after is None or tokens[after].kind == END:
            break
        at = after + 1
    if splices:
        yield Repair(tuple(splices), costs.COMMAS, "labels")


def _called(place: Place) -> bool:
    """Whether the token before the one that does not fit is among the arguments of a layer."""
    depth = 0
    for at in range(place.error - 2, place.first - 1, -1):
        token = place.tokens[at]
        depth += (token.kind in CLOSERS) - (token.kind in _BRACKETS)
        if depth < 0 or (depth == 0 and token.kind not in (*_ATOMS, *_BRACKETS, "COLON")):
            return False
        if depth == 0 and token.text in RESERVED:
            return True
    return False


def computed(place: Place) -> Iterator[Repair]:
    """Parentheses around each size that is computed within a shape."""
    tokens = place.tokens
    shape = next(open_brackets(place), None)
    if tokens[place.error].kind not in _OPERATORS or shape is None:
        return
    if tokens[shape].kind != "OPEN_SHAPE":
        return
    splices: list[Splice] = []
    start: int | None = shape + 1
    while start is not None and tokens[start].kind != "CLOSE_SHAPE":
        end = _after_atom(tokens, start)
        signs = 0
        while end is not None and tokens[end].kind in _OPERATORS:
            end = _after_atom(tokens, end + 1)
            signs += 1
        if end is not None and signs:
            opened, closed = tokens[start].start, tokens[end - 1].end
            splices.append(Splice(start, start, (made("OPEN", opened, opened),)))
            splices.append(Splice(end, end, (made("CLOSE", closed, closed),)))
        start = end
    if splices:
        yield Repair(tuple(splices), costs.PARENTHESES, "computed")


def _after_atom(tokens: list[Token], start: int) -> int | None:
    """The number of the token after a word or a bracket; None if there is none."""
    if tokens[start].kind in _ATOMS:
        return start + 1
    depth = 0
    for at in range(start, min(start + 2 * WINDOW, len(tokens))):
        depth += (tokens[at].kind in _BRACKETS) - (tokens[at].kind in CLOSERS)
        if depth == 0:
            return at + 1 if at > start else None
    return None
