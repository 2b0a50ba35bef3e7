"""The tokens of a text, and how tokens are spelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language import lookalikes
from volr.language.grammar import END, Token, tables
from volr.source import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLE = "HOLE"
"""A missing part. It fits in the place of a network or a size."""
UNREADABLE = "UNREADABLE"
"""A character that begins no token. It fits nowhere."""

SPELLED = {
    "LET": "let",
    "IN": "in",
    "EQUAL": "=",
    "BESIDE": "⊖",
    "THEN": "⦶",
    "LOOP": "↺",
    "PLUS": "⊕",
    "MINUS": "-",
    "TIMES": "*",
    "OVER": "/",
    "COLON": ":",
    "BLANK": "_",
    "OPEN_SHAPE": "[",
    "CLOSE_SHAPE": "]",
    "OPEN": "(",
    "CLOSE": ")",
}
"""The tokens with one spelling, or with two."""
REPLACING = (
    *("LET", "IN", "EQUAL", "BESIDE", "THEN", "LOOP", "PLUS", "COLON"),
    *("OPEN", "CLOSE", "OPEN_SHAPE", "CLOSE_SHAPE"),
)
"""The tokens that may stand for another token, or for a character that begins none."""
_SIGNS = frozenset(SPELLED[kind] for kind in ("BESIDE", "THEN", "LOOP", "PLUS")) | {"|"}
"""Signs that some letters look like, such as Φ. A letter that is bound is a name all the same."""
OPERATORS = ("BESIDE", "THEN", "LOOP", "PLUS", "MINUS", "TIMES", "OVER")
CLOSED_BY = {"OPEN": "CLOSE", "OPEN_SHAPE": "CLOSE_SHAPE", "LET": "IN"}
"""The tokens that begin a construct, each with the token that must follow later."""
CLOSERS = ("CLOSE", "CLOSE_SHAPE")


def listed(text: str) -> tuple[list[Token], Token | None]:
    """The tokens of a text with its end, and the comment that is never closed, if there is one."""
    found: list[Token] = []
    last, unfinished = 0, None
    for token in tables().tokens(text):
        if token.kind == "UNFINISHED":
            unfinished = token
            break
        found.append(_readable(token))
        last = token.end
    found.append(Token(END, "", last, last))
    names = {token.text for token in found if token.kind == "NAME"}
    alike = {name for name in names if lookalikes.plain(name) in _SIGNS}
    if alike:
        bound = set(map(lookalikes.plain, bound_names(found)))
        alike = {name for name in alike if lookalikes.plain(name) not in bound}
        for index, token in enumerate(found):
            if token.kind == "NAME" and token.text in alike:
                found[index] = token._replace(kind=UNREADABLE)
    if any(token.kind == "MINUS" for token in found):
        found = _signed(found)
    return found, unfinished


def _signed(tokens: list[Token]) -> list[Token]:
    """Numbers below zero as one token, where no number stands before to take something from.

    That is after a label, and between the axes of a shape: ``pad:-1`` and ``[1 -8 8]``. No size is
    below zero, and the checker says so.
    """
    found: list[Token] = []
    opened: list[str] = []
    for token in tokens:
        if token.kind in ("OPEN", "OPEN_SHAPE"):
            opened.append(token.kind)
        elif token.kind in CLOSERS and opened:
            opened.pop()
        elif token.kind == "INTEGER" and len(found) > 1 and found[-1].kind == "MINUS":
            before, sign = found[-2:]
            axis = opened[-1:] == ["OPEN_SHAPE"] and before.end < sign.start
            begins = axis or before.kind in ("OPEN_SHAPE", "COLON")
            digits = token.text.lstrip("0")
            if digits and begins and sign.end == token.start:
                found[-1] = Token("INTEGER", f"-{digits}", sign.start, token.end)
                continue
        found.append(token)
    return found


def bound_names(tokens: list[Token]) -> Iterator[str]:
    """The names that a text binds: those between `let` and `=`."""
    within = False
    for token in tokens:
        within = token.kind == "LET" or (within and token.kind == "NAME")
        if within and token.kind == "NAME":
            yield token.text


def _readable(token: Token) -> Token:
    # For the grammar's patterns, a character such as `²` is neither a digit nor a letter.
    no_letter = token.kind == "NAME" and not (token.text[0].isalpha() or token.text[0] == "_")
    unreadable = token.kind in ("STRAY", "DASHES") or no_letter
    return token._replace(kind=UNREADABLE) if unreadable else token


def made(kind: str, start: int, end: int) -> Token:
    """A token of a kind in the place of some characters. A hole and a name have no text."""
    return Token(kind, SPELLED.get(kind, ""), start, end)


def spelled(token: Token) -> str:
    """A token as it is written in a program. It is empty for a hole and for a name without text."""
    return SPELLED.get(token.kind, token.text)


def shown(token: Token) -> str:
    """A token as messages show it."""
    return "the end of the program" if token.kind == END else f"`{clip(token.text)}`"
