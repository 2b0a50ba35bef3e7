"""Characters read in another way: as look-alikes, as two words, or joined into one.

A token is split if a space or a sign may be missing, and tokens are joined if there may be one too
many. Look-alikes are replaced (`lookalikes`), and so are words of other languages (`foreign`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from volr.language import foreign, lookalikes
from volr.language.grammar import END, Token, kind_of
from volr.language.repair import costs
from volr.language.repair.changes import spliced
from volr.language.token_messages import SIZES
from volr.language.tokens import SPELLED, UNREADABLE, made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.language.repair.changes import Place, Repair

MOST_JOINED = 5
LONGEST_WORD = 40
_SIGNS = "()[]=| "
_WORD = re.compile(r"\w[\w']*|>>|\S")
_WORDS = frozenset({*SPELLED.values(), *foreign.LAYERS} - {"_"})


def respelled(place: Place, index: int) -> Iterator[Repair]:
    """A token, or several from it on, as other tokens with nearly the same characters."""
    token = place.tokens[index]
    for at in range(1, min(len(token.text), LONGEST_WORD)):
        left, right = token.text[:at], token.text[at:]
        if left in _WORDS or right in _WORDS or left.isdigit() or right.isdigit():
            parts = _lexed(left, token.start) + _lexed(right, token.start + at)
            if len(parts) == 2 and _sound(parts):
                yield spliced(index, index + 1, parts, costs.SPLIT, "split")
    if sizes := SIZES.fullmatch(token.text):
        parts = [*_lexed(sizes[1], token.start), *_lexed(sizes[2], token.start + sizes.start(2))]
        yield spliced(index, index + 1, parts, costs.SPLIT, "split")
    if token.kind in ("NAME", "MALFORMED") and token.text not in foreign.LAYERS:
        for sign in _SIGNS:
            for text in (sign + token.text[1:], token.text[:-1] + sign):
                parts = _lexed(text, token.start)
                if len(parts) == 2 and _sound(parts):
                    yield spliced(index, index + 1, parts, costs.MISTYPED, "split")
    run: list[Token] = []
    for following in place.tokens[index : index + MOST_JOINED]:
        if following.kind == END or (run and following.start > run[-1].end + 1):
            break
        run.append(following)
        if following.end - token.start > LONGEST_WORD:
            break
        yield from _read_as(place, index, run)


def _read_as(place: Place, start: int, run: list[Token]) -> Iterator[Repair]:
    """A run of tokens with look-alikes replaced, or as a similar word."""
    end = start + len(run)
    span = (run[0].start, run[-1].end)
    text = place.text[span[0] : span[1]]
    plain = lookalikes.plain(text)
    glued = sum(len(each.text) for each in run) == len(text)
    if (
        plain != text
        and not _cut_short(place, end)
        and (glued or all(lookalikes.impostors(each.text) for each in run))
    ):
        parts = _lexed(plain, span[0])
        if parts and _sound(parts):
            parts = [each._replace(start=span[0], end=span[1]) for each in parts]
            cost = costs.LOOK_ALIKE + costs.EACH_MORE * len(run)
            yield spliced(start, end, parts, cost, "look-alike")
    if len(run) == 1:
        return
    together = "".join(each.text for each in run)
    squeezed = "".join(each.text for each in run if each.kind != UNREADABLE)
    for parts in _shifted(run, together, span[0]):
        yield spliced(start, end, parts, costs.SPLIT, "joined")
    half = glued and len(run) == 2 and UNREADABLE in (run[0].kind, run[1].kind)
    if not (_is_one_word(run) or half or (glued and _is_sign(run))):
        return
    for kind, word in SPELLED.items():
        if word in (squeezed, together) or foreign.keyword_meant(plain, word):
            yield spliced(start, end, [made(kind, *span)], costs.JOINED, "joined")
    if squeezed != together and glued and _is_one_word(run):
        parts = _lexed(squeezed, span[0])
        if len(parts) == 1 and _sound(parts):
            parts = [parts[0]._replace(start=span[0], end=span[1])]
            yield spliced(start, end, parts, costs.SPLIT, "joined")


def _cut_short(place: Place, end: int) -> bool:
    """Whether a word goes on after the tokens before ``end``."""
    last, following = place.tokens[end - 1], place.tokens[end]
    goes_on = following.start == last.end and following.text[:1].isalnum()
    return goes_on and lookalikes.plain(last.text)[-1:].isalnum()


def _shifted(run: list[Token], together: str, start: int) -> Iterator[list[Token]]:
    """Two words that are right except for the space or the sign between them."""
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
    """Whether tokens may be one word with a wrong space or sign in it."""
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
