"""The kind of each word, for editors that have no grammar of their own for programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from volr.language.grammar import comments, tables
from volr.language.layers import RESERVED

if TYPE_CHECKING:
    from volr.language.grammar import Token
    from volr.lsp.text import Text

_BY_KIND = {
    "LET": "keyword",
    "IN": "keyword",
    "INTEGER": "number",
    "BLANK": "keyword",
    "NAME": "variable",
    "COMMENT": "comment",
    **dict.fromkeys(("BESIDE", "THEN", "LOOP", "PLUS", "MINUS", "TIMES", "OVER"), "operator"),
}
KINDS = ("keyword", "number", "variable", "comment", "operator", "function", "property")
LEGEND = types.SemanticTokensLegend(list(KINDS), [])
_LINE = re.compile(r"[^\r\n]+")


def colours(text: Text) -> types.SemanticTokens:
    """The kinds of all words, each with its place relative to the one before."""
    data: list[int] = []
    line, column = 0, 0
    pieces = _pieces(text.text)
    places = text.positions(at for start, end, _ in pieces for at in (start, end))
    for _, _, kind in pieces:
        place, end = next(places), next(places)
        length = end.character - place.character
        new = place.line > line
        data += [
            place.line - line,
            place.character - (0 if new else column),
            length,
            KINDS.index(kind),
            0,
        ]
        line, column = place.line, place.character
    return types.SemanticTokens(data)


def _pieces(text: str) -> list[tuple[int, int, str]]:
    """Each coloured word, and each line of a comment, in order: where it is, and its kind."""
    tokens = list(tables().tokens(text))
    found: list[tuple[int, int, str]] = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1].kind if index + 1 < len(tokens) else ""
        kind = _kind(token, following)
        if kind is not None:
            found.append((token.start, token.end, kind))
    found += (
        (comment.start + line.start(), comment.start + line.end(), "comment")
        for comment in comments(text)
        for line in _LINE.finditer(comment.text)
    )
    return sorted(found)


def _kind(token: Token, following: str) -> str | None:
    if token.kind == "NAME" and following == "COLON":
        return "property"
    if token.text in RESERVED:
        return "function"
    return _BY_KIND.get(token.kind)
