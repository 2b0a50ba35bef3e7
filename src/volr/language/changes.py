"""The changes that may mend a text where a token does not fit, each with what it costs.

Tokens are put in, left out, replaced, swapped, split and joined. A change costs less, the more
likely it undoes a slip: look-alike characters, words of other languages, a letter too many. What
can be put in and replaced is the list of the language's tokens (`tokens.SPELLED`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.language import foreign, lookalikes
from volr.language.tables import END, Token, kind_of
from volr.language.tokens import CLOSED_BY, HOLE, SPELLED, UNREADABLE, made

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from volr.language.automaton import Stack

WINDOW = 32
"""So many tokens before the one that does not fit are tried."""
MOST_JOINED = 5
LONGEST_WORD = 40

_INSERTED = {
    ("CLOSE",): 1.0,
    ("IN",): 1.0,
    ("EQUAL",): 1.0,
    ("DENSE",): 1.0,
    ("THEN",): 1.0,
    ("BESIDE",): 1.02,
    ("LET",): 1.05,
    ("NAME",): 1.05,
    (HOLE,): 1.1,
    ("IN", HOLE): 1.2,
    ("OPEN",): 1.5,
    (HOLE, HOLE): 1.6,
    ("THEN", HOLE, "THEN"): 1.6,
}
_DELETED, _REPLACED, _HOLE, _SWAPPED, _RENAMED, _EACH_MORE = 1.2, 1.7, 1.9, 1.15, 1.2, 0.05
_UNREADABLE_DELETED, _UNREADABLE_REPLACED = 0.9, 1.0
_LOOK_ALIKE, _SLIP, _SPLIT, _JOINED, _COMMENT = 0.2, 0.4, 0.6, 0.5, 0.7
_MISTYPED = 0.9
_PARENTHESES, _CALL, _COMMAS, _BRACKETS = 0.9, 1.4, 0.6, 0.3
_SIGNS = "()=| "
_QUOTES = frozenset("\"'`“”„‘’‚«»")
_WORD = re.compile(r"\w[\w']*|>>|\S")
_WORDS = frozenset(SPELLED.values())
_FARTHER = 0.01
"""What a change costs more for each token that it is farther from the one that does not fit."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Other tokens in the place of those from ``start`` up to ``end``, by their numbers."""

    start: int
    end: int
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """A change of the text, at one place or more, in order. ``story`` says what was mistaken."""

    splices: tuple[Splice, ...]
    cost: float
    story: str = ""

    @property
    def first(self) -> Splice:
        return self.splices[0]

    def applied(self, tokens: list[Token]) -> None:
        """Carry out the change in a list of tokens."""
        for splice in reversed(self.splices):
            tokens[splice.start : splice.end] = splice.tokens


@dataclass(frozen=True)
class Place:
    """Where a text could not be read on.

    ``stacks`` are those before the tokens ``first`` … ``error``, of which the last does not fit.
    """

    text: str
    tokens: list[Token]
    stacks: Sequence[Stack]
    error: int

    @property
    def first(self) -> int:
        return self.error - len(self.stacks) + 1

    def before(self, index: int) -> Stack:
        return self.stacks[index - self.first]


def candidates(place: Place) -> Iterator[Repair]:
    """All changes that are tried at a place, those at the token that does not fit first."""
    for index in range(place.error, place.first - 1, -1):
        farther = _FARTHER * (place.error - index)
        for repair in _changes(place, index):
            yield Repair(repair.splices, repair.cost + farther, repair.story)
    for index in range(place.error, max(place.first - 1, place.error - 3), -1):
        yield from _comment(place, index)
        yield from _call(place, index)
        yield from _commas(place, index)
        yield from _brackets(place, index)
    yield from _needs_parentheses(place)


def _changes(place: Place, index: int) -> Iterator[Repair]:
    """What may be done at one token: put in, left out, replaced, swapped, split and joined."""
    token = place.tokens[index]
    at = place.tokens[index - 1].end if index else token.start
    # A name without a text binds; elsewhere a hole says that something is missing.
    binds = index > 0 and place.tokens[index - 1].kind == "LET"
    for kinds, cost in _INSERTED.items():
        if kinds == ("NAME",) and not binds:
            continue
        yield _splice(index, index, [made(kind, at, at) for kind in kinds], cost)
    if token.kind == END:
        return
    yield from _left_out(place, index)
    yield _splice(index, index + 1, [made(HOLE, token.start, token.end)], _HOLE)
    if binds and token.kind != "NAME":
        yield _splice(index, index + 1, [made("NAME", token.start, token.end)], _RENAMED)
    for kind, word in SPELLED.items():
        if kind != token.kind:
            put = made(kind, token.start, token.end)
            yield _splice(index, index + 1, [put], _cost_of_replacing(token, word))
    following = place.tokens[index + 1]
    if following.kind != END:
        yield _splice(index, index + 2, [following, token], _SWAPPED, "swapped")
    yield from _respelled(place, index)


def _left_out(place: Place, index: int) -> Iterator[Repair]:
    """A token left out, or several: a run of characters that mean nothing, or of sizes."""
    tokens = place.tokens
    kind, text = tokens[index].kind, tokens[index].text
    if kind != UNREADABLE:
        yield _splice(index, index + 1, [], _DELETED)
    elif not lookalikes.plain(text).strip():
        yield _splice(index, index + 1, [], _LOOK_ALIKE)
    else:
        yield _splice(index, index + 1, [], _UNREADABLE_DELETED)
    if kind in (UNREADABLE, "INTEGER"):
        stop = index + 1
        while tokens[stop].kind == kind and stop < index + LONGEST_WORD:
            stop += 1
        if stop > index + 1:
            yield _splice(index, stop, [], _DELETED + _EACH_MORE * (stop - index))


def _splice(start: int, end: int, tokens: list[Token], cost: float, story: str = "") -> Repair:
    return Repair((Splice(start, end, tuple(tokens)),), cost, story)


def _cost_of_replacing(token: Token, word: str) -> float:
    """A token by a word of the language: less where one can be taken for the other."""
    plain = lookalikes.plain(token.text)
    if plain == word and token.text != word:
        return _LOOK_ALIKE
    if foreign.keyword_meant(plain, word):
        return _SLIP
    if token.kind == "MALFORMED" and word.isalpha() and plain.endswith(word):
        return _SPLIT
    if token.kind == UNREADABLE:
        return _UNREADABLE_REPLACED
    return _REPLACED


def _respelled(place: Place, index: int) -> Iterator[Repair]:
    """Characters that read otherwise if a space or a sign more or less stood between them."""
    token = place.tokens[index]
    for at in range(1, min(len(token.text), LONGEST_WORD)):
        left, right = token.text[:at], token.text[at:]
        if (
            left in _WORDS
            or right in _WORDS
            or left.isdigit() != right.isdigit()
            or (left.isdigit() and right.isdigit())
        ):
            parts = _lexed(left, token.start) + _lexed(right, token.start + at)
            if len(parts) == 2 and _sound(parts):
                yield _splice(index, index + 1, parts, _SPLIT, "split")
    if token.kind in ("NAME", "MALFORMED"):
        for sign in _SIGNS:
            for text in (sign + token.text[1:], token.text[:-1] + sign):
                parts = _lexed(text, token.start)
                if len(parts) == 2 and _sound(parts):
                    yield _splice(index, index + 1, parts, _MISTYPED, "split")
    run: list[Token] = []
    for following in place.tokens[index : index + MOST_JOINED]:
        if following.kind == END or (run and following.start > run[-1].end + 1):
            break
        run.append(following)
        if following.end - token.start > LONGEST_WORD:
            break
        yield from _read_as(place, index, run)


def _read_as(place: Place, start: int, run: list[Token]) -> Iterator[Repair]:
    """A run of tokens as what its characters look like, or as the word that they nearly are."""
    end = start + len(run)
    span = (run[0].start, run[-1].end)
    text = place.text[span[0] : span[1]]
    plain = lookalikes.plain(text)
    glued = sum(len(each.text) for each in run) == len(text)
    if plain != text and (glued or all(lookalikes.impostors(each.text) for each in run)):
        parts = _lexed(plain, span[0])
        if parts and _sound(parts):
            parts = [each._replace(start=span[0], end=span[1]) for each in parts]
            yield _splice(start, end, parts, _LOOK_ALIKE + _EACH_MORE * len(run), "look-alike")
    if len(run) == 1:
        return
    together = "".join(each.text for each in run)
    squeezed = "".join(each.text for each in run if each.kind != UNREADABLE)
    for parts in _shifted(run, together, span[0]):
        yield _splice(start, end, parts, _SPLIT, "joined")
    half = glued and len(run) == 2 and UNREADABLE in (run[0].kind, run[1].kind)
    if not (_is_one_word(run) or half or (glued and _is_sign(run))):
        return
    for kind, word in SPELLED.items():
        if word in (squeezed, together) or foreign.keyword_meant(plain, word):
            yield _splice(start, end, [made(kind, *span)], _JOINED, "joined")
    if squeezed != together and glued and _is_one_word(run):
        parts = _lexed(squeezed, span[0])
        if len(parts) == 1 and _sound(parts):
            parts = [parts[0]._replace(start=span[0], end=span[1])]
            yield _splice(start, end, parts, _SPLIT, "joined")


def _shifted(run: list[Token], together: str, start: int) -> Iterator[list[Token]]:
    """Two words whose characters are right, and the space or the sign between them is not."""
    if not (_is_word(run[0]) and _is_word(run[-1])) or len(run) > 3:
        return
    spaces = run[-1].end - run[0].start - len(together)
    if len(run) == 2 and spaces == 1:
        for word in filter(str.isalpha, _WORDS):
            if together.startswith(word):
                yield _lexed(f"{word} {together[len(word) :]}", start)
            if together.endswith(word):
                yield _lexed(f"{together[: -len(word)]} {word}", start)
    if len(run) == 3 and spaces <= 1 and run[0].text + run[2].text in _WORDS:
        word, sign = run[0].text + run[2].text, run[1].text
        yield _lexed(f"{sign} {word}", start)
        yield _lexed(f"{word} {sign}", start)


def _is_one_word(run: list[Token]) -> bool:
    """Whether tokens may be one word, with a space or a sign in it that does not belong there."""
    spaces = run[-1].end - run[0].start - sum(len(each.text) for each in run)
    words = _is_word(run[0]) and _is_word(run[-1])
    return words and (len(run), spaces) in ((2, 0), (2, 1), (3, 0))


def _is_sign(run: list[Token]) -> bool:
    """Whether tokens may be one sign of another language, such as ``->``."""
    return not any(_is_word(each) for each in run)


def _is_word(token: Token) -> bool:
    return token.text[:1].isalnum() or token.text[:1] == "_"


def _lexed(text: str, start: int) -> list[Token]:
    """The tokens of a few characters."""
    return [
        Token(
            kind_of(word.group()) or UNREADABLE,
            word.group(),
            start + word.start(),
            start + word.end(),
        )
        for word in _WORD.finditer(text)
    ]


def _sound(tokens: list[Token]) -> bool:
    return all(token.kind in SPELLED or token.kind in ("NAME", "INTEGER") for token in tokens)


def _comment(place: Place, index: int) -> Iterator[Repair]:
    """A comment as another language writes it, with all that stands in it left out."""
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
            yield _splice(index, stop, [], _COMMENT, "comment")


def _call(place: Place, index: int) -> Iterator[Repair]:
    """A word and the arguments after it, in parentheses or not, as one part that is unknown."""
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
        yield _splice(index, stop, [hole], _CALL, "call")


def _closing(tokens: list[Token], index: int) -> int | None:
    """The `)` of a `(`, if it is not far."""
    depth = 0
    for at in range(index, min(index + 2 * WINDOW, len(tokens))):
        depth += (tokens[at].kind == "OPEN") - (tokens[at].kind == "CLOSE")
        if depth == 0:
            return at
    return None


def _commas(place: Place, index: int) -> Iterator[Repair]:
    """Arguments as Python writes them: ``dense(2, 4)``, and ``dense 2, 4``."""
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
        splices = (
            Splice(start, start + 1, ()),
            Splice(index, index + 1, ()),
            Splice(closed, closed + 1, ()),
        )
        yield Repair(splices, _COMMAS, "comma")
    yield _splice(index, index + 1, [], _COMMAS, "comma")


def _brackets(place: Place, index: int) -> Iterator[Repair]:
    """``[`` and ``]``, or other brackets, for parentheses; and quotation marks around a word."""
    token = place.tokens[index]
    if token.kind != UNREADABLE:
        return
    closing = place.tokens[index + 2 : index + 3]
    if token.text in _QUOTES and any(
        each.kind == UNREADABLE and each.text in _QUOTES for each in closing
    ):
        splices = (Splice(index, index + 1, ()), Splice(index + 2, index + 3, ()))
        yield Repair(splices, _BRACKETS, "quotes")
    if lookalikes.plain(token.text) != "(":
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
            yield Repair(splices, _BRACKETS, "brackets")
            return


def _needs_parentheses(place: Place) -> Iterator[Repair]:
    """A `let` within an expression, with parentheses around all that it reaches over."""
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
            yield Repair(splices, _PARENTHESES, "let")
            return
