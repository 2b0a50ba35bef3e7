"""The words for mistakes within one token: numbers, comments and characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from volr.language import lookalikes
from volr.language.tokens import shown
from volr.source import Diagnostic, Edit, Span, clip

if TYPE_CHECKING:
    from volr.language.grammar import Token

_LONGEST_RUN = 30
_ENDS = ("INTEGER", "NAME", "BLANK", "CLOSE", "CLOSE_SHAPE", "MALFORMED", "HOLE")
"""What a `-` follows that takes something away."""
SIZES = re.compile(r"([0-9]+)[xX×]([0-9]+)")
"""Sizes as they are written elsewhere: 2x4."""


def of_tokens(tokens: list[Token]) -> list[Diagnostic]:
    """The mistakes that are tokens of the grammar: wrong numbers."""
    found: list[Diagnostic] = []
    for index, token in enumerate(tokens):
        if token.kind == "MINUS" and (not index or tokens[index - 1].kind not in _ENDS):
            number = tokens[index + 1].text.lstrip("0") or "1"
            span = token.span.to(tokens[index + 1].span)
            message = f"a size must be at least 1, found `-{clip(number)}`"
            help, edits = f"write `{clip(number)}`", (Edit(span, number),)
            found.append(Diagnostic(span, message, help=help, edits=edits))
        if token.kind == "MALFORMED":
            help, edits = None, ()
            if sizes := SIZES.fullmatch(token.text):
                two = f"{sizes[1]} {sizes[2]}"
                help = f"write `{clip(two)}`, or `[{clip(two)}]` for a shape"
                edits = (Edit(token.span, two),)
            found.append(Diagnostic(token.span, malformed(token), help=help, edits=edits))
    return found


def unfinished_comment(token: Token) -> Diagnostic:
    span = Span(token.start, token.start + 2)
    end = Edit(Span(token.end, token.end), " */")
    help = "close it with `*/`"
    return Diagnostic(span, "this comment is never closed", help=help, edits=(end,))


def malformed(token: Token) -> str:
    if "." in token.text:
        return f"a size is a whole number, found {shown(token)}"
    if token.text[0].isdigit() and set(token.text) <= set("0123456789_'eE"):
        return f"a size is written in digits only, found {shown(token)}"
    return f"{shown(token)} is neither a size nor a name: a name does not begin with a digit"


def characters(source: str, span: Span) -> str:
    """Characters of a text for a message. A single invisible one is shown by its name."""
    text = source[span.start : min(span.end, span.start + _LONGEST_RUN)]
    if len(text) == 1 and not (text.isascii() and text.isprintable()):
        return f"character {lookalikes.called(text)}"
    more = "" if len(text) == span.end - span.start else "…"
    return f"character{'s' if len(text) > 1 else ''} `{text}{more}`"
