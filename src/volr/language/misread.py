"""The words for text that is no token of the language, and for tokens in messages."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING

from volr.language.tables import END
from volr.source import Diagnostic, Span, clip

if TYPE_CHECKING:
    from volr.language.tables import Token

LAYERS = ("dense",)
"""The words that begin a layer."""

STRAY = "unexpected character"
LONGEST_RUN = 30


def stray(source: str, span: Span) -> Diagnostic:
    """Characters that no token begins with."""
    text = source[span.start : min(span.end, span.start + LONGEST_RUN)]
    if len(text) == 1 and not (text.isascii() and text.isprintable()):
        named = f" U+{ord(text):04X}"
        name = unicodedata.name(text, "")
        named += f" ({name})" if name else ""
    else:
        more = "" if len(text) == span.end - span.start else "…"
        named = f"{'s' if len(text) > 1 else ''} `{text}{more}`"
    joins = text in (">", "->", "=>", "→", ">>>", "⟶")
    help = "layers in sequence are joined by `⦶` or `>>`" if joins else None
    return Diagnostic(span, STRAY + named, help=help)


def malformed(token: Token) -> str:
    if "." in token.text:
        return f"a size is a whole number, found {shown(token)}"
    if token.text[0].isdigit() and set(token.text) <= set("0123456789_'eE"):
        return f"a size is written in digits only, found {shown(token)}"
    return f"{shown(token)} is neither a size nor a name: a name does not begin with a digit"


def shown(token: Token) -> str:
    return "the end of the program" if token.kind == END else f"`{clip(token.text)}`"


def nearest_layer(word: str) -> str | None:
    close = difflib.get_close_matches(clip(word.lower()), LAYERS, n=1)
    return close[0] if close else None
