"""Changes of whole constructs, possibly at several places at once.

Constructs of other languages are comments, calls, commas between sizes, brackets and quotation
marks. One construct is of Volr: a `let` within an expression, which needs parentheses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language import foreign, lookalikes
from volr.language.grammar import END, Token
from volr.language.repair import costs
from volr.language.repair.changes import WINDOW, Repair, Splice, spliced
from volr.language.tokens import CLOSED_BY, HOLE, UNREADABLE, made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.language.repair.changes import Place

_QUOTES = frozenset("\"'`“”„‘’‚«»")


def around(place: Place, index: int) -> Iterator[Repair]:
    """The changes of constructs that begin with this token, or have it as a comma."""
    yield from _comment(place, index)
    yield from _call(place, index)
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


def _call(place: Place, index: int) -> Iterator[Repair]:
    """Replace a word and its arguments, with or without parentheses, by an unknown part."""
    token = place.tokens[index]
    if token.kind != "NAME":
        return
    stop = index + 1
    while place.tokens[stop].text == "." and place.tokens[stop + 1].kind == "NAME":
        stop += 2
    if place.tokens[stop].kind == "OPEN":
        closing = _closing(place.tokens, stop)
        if closing is None:
            return
        stop = closing + 1
    else:
        while place.tokens[stop].kind in ("INTEGER", "MALFORMED"):
            stop += 1
    if stop > index + 1:
        hole = made(HOLE, token.start, place.tokens[stop - 1].end)
        yield spliced(index, stop, [hole], costs.CALL, "call")


def _closing(tokens: list[Token], index: int) -> int | None:
    """The `)` of a `(`, if it is near."""
    depth = 0
    for at in range(index, min(index + 2 * WINDOW, len(tokens))):
        depth += (tokens[at].kind == "OPEN") - (tokens[at].kind == "CLOSE")
        if depth == 0:
            return at
    return None


def _commas(place: Place, index: int) -> Iterator[Repair]:
    """Arguments in Python's spelling: ``dense(2, 4)``, and ``dense 2, 4``."""
    tokens = place.tokens
    if tokens[index].text != ",":
        return
    start = index - 2
    closed = index + 2
    if (
        start - 1 >= place.first
        and tokens[start].kind == "OPEN"
        and closed < len(tokens)
        and tokens[closed].kind == "CLOSE"
    ):
        splices = tuple(Splice(at, at + 1, ()) for at in (start, index, closed))
        yield Repair(splices, costs.COMMAS, "comma")
    yield spliced(index, index + 1, [], costs.COMMAS, "comma")


def _quotes(place: Place, index: int) -> Iterator[Repair]:
    """Quotation marks around a word."""
    pair = place.tokens[index : index + 3 : 2]
    if len(pair) == 2 and all(each.kind == UNREADABLE and each.text in _QUOTES for each in pair):
        splices = (Splice(index, index + 1, ()), Splice(index + 2, index + 3, ()))
        yield Repair(splices, costs.BRACKETS, "quotes")


def _brackets(place: Place, index: int) -> Iterator[Repair]:
    """``[`` and ``]``, or other brackets, for parentheses."""
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
