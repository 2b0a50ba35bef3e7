"""A checked program in a notebook: its text, in which each `_` says what it stands for."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from volr.language.inference import inferred
from volr.language.syntax import parts
from volr.language.types import shaped

if TYPE_CHECKING:
    from volr.language.stages import Checked

_LAYOUT = "line-height: 1.5"
_FILLED = "border-bottom: 1px dotted; cursor: help"


def program_html(checked: Checked) -> str:
    """The program as HTML. The shape of a `_` shows where the mouse is on it."""
    text = checked.source.text
    filled = inferred(checked.expression).filled
    pieces: list[str] = []
    end = 0
    for blank in parts(checked.expression):
        shapes = sorted(filled.get(id(blank), ()), key=lambda shape: (len(shape), shape))
        if not shapes:
            continue
        title = " or ".join(map(shaped, shapes))
        pieces.append(escape(text[end : blank.span.start]))
        pieces.append(f'<span title="{title}" style="{_FILLED}">_</span>')
        end = blank.span.end
    pieces.append(escape(text[end:].rstrip("\n")))
    return (
        f'<pre style="{_LAYOUT}">{"".join(pieces)}</pre>\n<code>{escape(str(checked.type))}</code>'
    )
