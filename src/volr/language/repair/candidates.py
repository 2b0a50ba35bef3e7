"""The changes that may fix a text where a token does not fit.

Tokens are added, left out, replaced and swapped here, one or two at a time. The tokens to add are
those of the language (`tokens.REPLACING`). `respelling` splits and joins tokens, and `constructs`
changes several places at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language import foreign, lookalikes
from volr.language.grammar import END, Token
from volr.language.repair import arguments, constructs, costs
from volr.language.repair.changes import Repair, spliced
from volr.language.repair.respelling import LONGEST_WORD, respelled
from volr.language.tokens import HOLE, REPLACING, SPELLED, UNREADABLE, made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.language.repair.changes import Place


_HIDING = frozenset({"OPEN", "CLOSE", "OPEN_SHAPE", "CLOSE_SHAPE", "LET"})


def candidates(place: Place) -> Iterator[Repair]:
    """All changes to try at a place. Those at the token that does not fit come first."""
    for index in range(place.error, place.first - 1, -1):
        farther = costs.FARTHER * (place.error - index)
        for repair in _changes(place, index):
            yield Repair(repair.splices, repair.cost + farther, repair.story)
    for index in range(place.error, max(place.first - 1, place.error - 4), -1):
        yield from constructs.around(place, index)
    for index in arguments.open_brackets(place):
        if place.first < index < place.error - 3:
            yield from constructs.call(place, index - 1)
    yield from arguments.in_brackets(place)
    yield from arguments.labels(place)
    yield from arguments.computed(place)
    yield from constructs.brackets_around(place)
    yield from constructs.let_within(place)


def _changes(place: Place, index: int) -> Iterator[Repair]:
    """The changes at one token: add, leave out, replace, swap, split and join."""
    token = place.tokens[index]
    at = place.tokens[index - 1].end if index else token.start
    # After `let`, a name without text is added; elsewhere, a hole is.
    binds = index > 0 and place.tokens[index - 1].kind == "LET"
    for kinds, cost in costs.INSERTED.items():
        if kinds == ("NAME",) and not binds:
            continue
        yield spliced(index, index, [made(kind, at, at) for kind in kinds], cost)
    if token.kind == END:
        return
    yield from _left_out(place, index)
    yield spliced(index, index + 1, [made(HOLE, token.start, token.end)], costs.BY_HOLE)
    if binds and token.kind != "NAME":
        yield spliced(index, index + 1, [made("NAME", token.start, token.end)], costs.RENAMED)
    for kind in REPLACING:
        if kind != token.kind and not _is_far(token, kind):
            put = made(kind, token.start, token.end)
            cost = _cost_of_replacing(token, SPELLED[kind])
            yield spliced(index, index + 1, [put], cost)
    following = place.tokens[index + 1]
    if following.kind != END:
        yield spliced(index, index + 2, [following, token], costs.SWAPPED, "swapped")
    yield from respelled(place, index)


def _left_out(place: Place, index: int) -> Iterator[Repair]:
    """Leave out a token, or several: a run of unreadable characters, or of sizes."""
    tokens = place.tokens
    kind, text = tokens[index].kind, tokens[index].text
    if kind != UNREADABLE:
        yield spliced(index, index + 1, [], costs.DELETED)
    elif not lookalikes.plain(text).strip():
        yield spliced(index, index + 1, [], costs.LOOK_ALIKE)
    else:
        yield spliced(index, index + 1, [], costs.UNREADABLE_DELETED)
    if kind in (UNREADABLE, "INTEGER"):
        stop = index + 1
        while tokens[stop].kind == kind and stop < index + LONGEST_WORD:
            stop += 1
        if stop > index + 1:
            yield spliced(index, stop, [], costs.DELETED + costs.EACH_MORE * (stop - index))


def _is_far(token: Token, kind: str) -> bool:
    """Whether a character looks like no bracket or word, which would hide what follows.

    The name of a layer looks like nothing else.
    """
    word = SPELLED[kind]
    plain = lookalikes.plain(token.text)
    if plain == word or foreign.keyword_meant(plain, word):
        return False
    hides = token.kind == UNREADABLE and kind in _HIDING
    return hides or token.text in foreign.LAYERS


def _cost_of_replacing(token: Token, word: str) -> float:
    """The cost of a word of the language for a token; less if the two are similar."""
    plain = lookalikes.plain(token.text)
    if plain == word and token.text != word:
        return costs.LOOK_ALIKE
    if foreign.keyword_meant(plain, word):
        return costs.SLIP
    if token.kind == "MALFORMED" and word.isalpha() and plain.endswith(word):
        return costs.SPLIT
    if token.kind == UNREADABLE:
        return costs.UNREADABLE_REPLACED
    return costs.REPLACED
