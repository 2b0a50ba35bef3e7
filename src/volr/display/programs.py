"""Programs as HTML, in colour."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from volr.source import clip, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 4000
"""A longer program is cut."""

# The colours of JupyterLab's editor, in which they follow its theme. Elsewhere they are those of
# the second column, which can be read on white and on black.
COLOURS = {
    "Comment": ("--jp-mirror-editor-comment-color", "#6f7c85"),
    "Keyword": ("--jp-mirror-editor-keyword-color", "#9a62c9"),
    "Literal.Number": ("--jp-mirror-editor-number-color", "#2e8b4a"),
    "Operator": ("--jp-mirror-editor-operator-color", "#9a62c9"),
    "Name.Builtin": ("--jp-mirror-editor-builtin-color", "#2b80c4"),
    "Name.Attribute": ("--jp-mirror-editor-attribute-color", "#a8711c"),
    "Error": ("--jp-error-color1", "#d8483e"),
}
_LAYOUT = "line-height: 1.5; margin: 0.5em 0; white-space: pre-wrap"
_FILLED = "border-bottom: 1px dotted; cursor: help"


def program_html(text: str, titles: Mapping[int, str] | None = None) -> str:
    """A program as HTML; what begins at one of the offsets of ``titles`` gets that tooltip."""
    from volr.display.lexer import VolrLexer

    text = text.rstrip("\r\n")
    if len(text) > LONGEST:
        text, titles = clip(text, LONGEST), {}
    titles = titles or {}
    pieces: list[str] = []
    for start, kind, part in VolrLexer().get_tokens_unprocessed(text):
        lines = _unix(part, text[start + len(part) :][:1]).split("\n")
        shown = "\n".join("\t".join(map(visible, line.split("\t"))) for line in lines)
        style = _style(str(kind).removeprefix("Token."))
        title = titles.get(start)
        said = "" if title is None else f' title="{escape(title)}"'
        style = "; ".join(filter(None, [style, "" if title is None else _FILLED]))
        made = escape(shown)
        pieces.append(f'<span{said} style="{style}">{made}</span>' if style else made)
    return f'<pre style="{_LAYOUT}">{"".join(pieces)}</pre>'


def _unix(part: str, following: str) -> str:
    """A part of a program with the line breaks of Unix; those of Windows may go on after it."""
    if part.endswith("\r") and following == "\n":
        part = part[:-1]
    return part.replace("\r\n", "\n")


def _style(kind: str) -> str:
    for name, (variable, colour) in COLOURS.items():
        if kind == name or kind.startswith(f"{name}."):
            return f"color: var({variable}, {colour})"
    return ""
