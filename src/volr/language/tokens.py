"""The tokens of a text, and how tokens are spelled."""

from __future__ import annotations

from volr.language.grammar import END, Token, tables
from volr.source import clip

HOLE = "HOLE"
"""A missing part. It fits in the place of a network or a size."""
UNREADABLE = "UNREADABLE"
"""A character that begins no token. It fits nowhere."""

SPELLED = {
    "DENSE": "dense",
    "LET": "let",
    "IN": "in",
    "EQUAL": "=",
    "BESIDE": "⊖",
    "THEN": "⦶",
    "OPEN": "(",
    "CLOSE": ")",
}
"""The tokens with one spelling, or with two."""
OPERATORS = ("BESIDE", "THEN")
CLOSED_BY = {"OPEN": "CLOSE", "LET": "IN"}
"""The tokens that begin a construct, each with the token that must follow later."""


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
    return found, unfinished


def _readable(token: Token) -> Token:
    # For the grammar's patterns, a character such as `²` is neither a digit nor a letter.
    no_letter = token.kind == "NAME" and not (token.text[0].isalpha() or token.text[0] == "_")
    return token._replace(kind=UNREADABLE) if token.kind == "STRAY" or no_letter else token


def made(kind: str, start: int, end: int) -> Token:
    """A token of a kind in the place of some characters. A hole and a name have no text."""
    return Token(kind, SPELLED.get(kind, ""), start, end)


def spelled(token: Token) -> str:
    """A token as it is written in a program. It is empty for a hole and for a name without text."""
    return SPELLED.get(token.kind, token.text)


def shown(token: Token) -> str:
    """A token as messages show it."""
    return "the end of the program" if token.kind == END else f"`{clip(token.text)}`"
