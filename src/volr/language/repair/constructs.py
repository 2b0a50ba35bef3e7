"""Changes of whole constructs, possibly at several places at once.

Constructs of other languages are comments, calls, commas between sizes, brackets and quotation
marks. One construct is of Volr: a `let` within an expression, which needs parentheses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language import foreign, lookalikes
from volr.language.grammar import END, Token
from volr.language.layers import RESERVED
from volr.language.repair import costs
from volr.language.repair.changes import WINDOW, Repair, Splice, spliced
from volr.language.tokens import CLOSED_BY, HOLE, UNREADABLE, bound_names, made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.language.repair.changes import Place

_QUOTES = frozenset("\"'`“”„‘’‚«»")


def around(place: Place, index: int) -> Iterator[Repair]:
    """The changes of constructs that begin with this token, or have it as a comma."""
    yield from _comment(place, index)
    yield from call(place, index)
    yield from _commas(place, index)
    yield from _quotes(place, index)
    yield from _brackets(place, index)


def _comment(place: Place, index: int) -> Iterator[Repair]:
    """Leave out a comment in the spelling of another language, with its text."""
    token, text = place.tokens[index], place.text
    for opener, closer in foreign.COMMENTS.items():
        if not text.startswith(opener, token.start):
            continue
        end = text.find(closer, token.start + len(opener))
        end = len(text) if end < 0 else end + len(closer.strip("\n"))
        stop = index
        while place.tokens[stop].kind != END and place.tokens[stop].start < end:
            stop += 1
        if place.tokens[stop].start >= end or place.tokens[stop].kind == END:
            yield spliced(index, stop, [], costs.COMMENT, "comment")


def call(place: Place, index: int) -> Iterator[Repair]:
    """Replace a word and its arguments, with or without parentheses, by an unknown part."""
    token = place.tokens[index]
    if token.kind != "NAME":
        return
    stop = index + 1
    while place.tokens[stop].text == "." and place.tokens[stop + 1].kind == "NAME":
        stop += 2
    if place.tokens[stop].kind == "OPEN":
        closing = _closing(place.tokens, stop)
        inside = place.tokens[stop : closing or stop]
        # What is known and called with commas only has its arguments misspelled.
        if closing is None or (_has_commas(inside) and _is_known(place, token.text)):
            return
        stop = closing + 1
    else:
        while place.tokens[stop].kind in ("INTEGER", "MALFORMED"):
            stop += 1
    if stop > index + 1:
        word = "".join(each.text for each in place.tokens[index:stop] if each.kind == "NAME")
        known = foreign.is_activation(token.text) or foreign.instead_of(word) is not None
        known = known or foreign.layer_meant(word) is not None
        foreign_word = token.text not in foreign.LAYERS and known
        hole = made(HOLE, token.start, place.tokens[stop - 1].end)
        cost = costs.FOREIGN_CALL if foreign_word else costs.CALL
        yield spliced(index, stop, [hole], cost, "call")


def _has_commas(tokens: list[Token]) -> bool:
    return any(token.text == "," for token in tokens)


def _is_known(place: Place, word: str) -> bool:
    return word in RESERVED or any(each == word for each in bound_names(place.tokens))


def _closing(tokens: list[Token], index: int) -> int | None:
    """The `)` of a `(`, if it is near."""
    depth = 0
    for at in range(index, min(index + 2 * WINDOW, len(tokens))):
        depth += (tokens[at].kind == "OPEN") - (tokens[at].kind == "CLOSE")
        if depth == 0:
            return at
    return None


def _commas(place: Place, index: int) -> Iterator[Repair]:
    """Commas between sizes: ``dense 2, 4`` and ``[1, 28]``."""
    tokens = place.tokens
    if tokens[index].text != ",":
        return
    commas: list[Splice] = []
    at = index
    while tokens[at].kind in ("INTEGER", "NAME", "BLANK") or tokens[at].text == ",":
        commas += [Splice(at, at + 1, ())] if tokens[at].text == "," else []
        at += 1
    if len(commas) > 1:
        yield Repair(tuple(commas), costs.COMMAS, "comma")
    yield spliced(index, index + 1, [], costs.COMMAS, "comma")


def _quotes(place: Place, index: int) -> Iterator[Repair]:
    """Quotation marks around a word."""
    pair = place.tokens[index : index + 3 : 2]
    if len(pair) == 2 and all(each.kind == UNREADABLE and each.text in _QUOTES for each in pair):
        splices = (Splice(index, index + 1, ()), Splice(index + 2, index + 3, ()))
        yield Repair(splices, costs.BRACKETS, "quotes")


def _brackets(place: Place, index: int) -> Iterator[Repair]:
    """Brackets of other kinds for parentheses."""
    token = place.tokens[index]
    if token.kind != UNREADABLE or lookalikes.plain(token.text) != "(":
        return
    depth = 0
    for at in range(index, len(place.tokens)):
        each = place.tokens[at]
        plain = lookalikes.plain(each.text) if each.kind == UNREADABLE else ""
        depth += (plain == "(") - (plain == ")")
        if depth == 0:
            opened = made("OPEN", token.start, token.end)
            closed = made("CLOSE", each.start, each.end)
            splices = (Splice(index, index + 1, (opened,)), Splice(at, at + 1, (closed,)))
            yield Repair(splices, costs.BRACKETS, "brackets")
            return


def brackets_around(place: Place) -> Iterator[Repair]:
    """Parentheses for the ``[`` and ``]`` around a network."""
    tokens, depth = place.tokens, 0
    for index in range(place.error - 1, place.first - 1, -1):
        depth += (tokens[index].kind == "CLOSE_SHAPE") - (tokens[index].kind == "OPEN_SHAPE")
        if depth < 0:
            break
    else:
        return
    for at in range(place.error, len(tokens)):
        depth += (tokens[at].kind == "OPEN_SHAPE") - (tokens[at].kind == "CLOSE_SHAPE")
        if depth == -2:
            ends = ((index, "OPEN"), (at, "CLOSE"))
            splices = [
                Splice(i, i + 1, (made(kind, tokens[i].start, tokens[i].end),)) for i, kind in ends
            ]
            yield Repair(tuple(splices), costs.BRACKETS, "brackets")
            return


def let_within(place: Place) -> Iterator[Repair]:
    """Put parentheses around a `let` within an expression, with all of its body."""
    let = place.tokens[place.error]
    if let.kind != "LET":
        return
    waiting: list[str] = []
    for at in range(place.error, len(place.tokens)):
        token = place.tokens[at]
        if token.kind in CLOSED_BY:
            waiting.append(CLOSED_BY[token.kind])
        elif waiting and token.kind == waiting[-1]:
            waiting.pop()
        elif token.kind in ("CLOSE", "IN", END):
            end = place.tokens[at - 1].end
            opened, closed = made("OPEN", let.start, let.start), made("CLOSE", end, end)
            splices = (Splice(place.error, place.error, (opened,)), Splice(at, at, (closed,)))
            yield Repair(splices, costs.PARENTHESES, "let")
            return
