"""The tokens of a text, and how tokens are spelled."""

from __future__ import annotations

from volr.language.grammar import END, Token, tables
from volr.source import clip

HOLE = "HOLE"
"""Something that is missing, and fits wherever a network or a size does."""
UNREADABLE = "UNREADABLE"
"""A character that no token begins with. It fits nowhere."""

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
"""The tokens that are always spelled alike, or in one of two ways."""
OPERATORS = ("BESIDE", "THEN")
CLOSED_BY = {"OPEN": "CLOSE", "LET": "IN"}
"""The tokens that begin a construct, and the one that each of them waits for."""


def listed(text: str) -> tuple[list[Token], Token | None]:
    """The tokens of a text, the end among them, and the comment that is never closed."""
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
    # A character such as `²` is no digit for the grammar's patterns, and no letter either.
    no_letter = token.kind == "NAME" and not (token.text[0].isalpha() or token.text[0] == "_")
    return token._replace(kind=UNREADABLE) if token.kind == "STRAY" or no_letter else token


def made(kind: str, start: int, end: int) -> Token:
    """A token of a kind in the place of some characters. A hole and a name have no text."""
    return Token(kind, SPELLED.get(kind, ""), start, end)


def spelled(token: Token) -> str:
    """A token as it is written in a program. It is empty for a hole and for a name without text."""
    return SPELLED.get(token.kind, token.text)


def shown(token: Token) -> str:
    """A token as messages call it."""
    return "the end of the program" if token.kind == END else f"`{clip(token.text)}`"
