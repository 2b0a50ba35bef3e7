"""Parts as HTML that can be read on light and on dark pages.

A notebook decides about fonts and colours: text and lines have those of the page. There is no style
sheet, since some notebooks take it away.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from volr.display.parts import Markup, Table
from volr.source import clip, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.display.parts import Part

MOST_ROWS = 40
"""A longer table is cut."""
MOST_LINES = 40
"""A longer text is cut."""
_LONGEST = 500  # characters of a cell, or of a line

_TABLE = "border-collapse: collapse; margin: 0.5em 0"
_CELL = "padding: 0.2em 0.7em; white-space: nowrap"
_HEAD = f"{_CELL}; border-bottom: 1px solid currentColor"
_LINES = "white-space: pre-wrap; margin: 0.5em 0"


def html(parts: Iterable[Part]) -> str:
    """The parts below each other, as one element."""
    return "\n".join(['<div class="volr-display">', *map(_part, parts), "</div>"])


def text_html(text: str) -> str:
    """A text within an element, escaped; its line breaks stay."""
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES:,} more lines"]
    return "\n".join(map(_shown, lines))


def _part(part: Part) -> str:
    match part:
        case str():
            return f'<p style="{_LINES}">{text_html(part)}</p>'
        case Table():
            return _table(part)
        case Markup():
            return part.html


def _table(table: Table) -> str:
    def row(tag: str, style: str, cells: Iterable[str]) -> str:
        made = (
            f'<{tag} style="{style}; text-align: {"left" if at < table.left else "right"}">'
            f"{_shown(cell)}</{tag}>"
            for at, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    rows = [row("td", _CELL, each) for each in table.rows[:MOST_ROWS]]
    if (more := len(table.rows) - MOST_ROWS) > 0:
        said = f"… {more:,} more row{'s' if more > 1 else ''}"
        rows.append(
            f'<tr><td style="{_CELL}; text-align: left" colspan="{len(table.columns)}">{said}</td>'
            "</tr>"
        )
    return "\n".join(
        [
            f'<table style="{_TABLE}">',
            f"<thead>{row('th', _HEAD, table.columns)}</thead>",
            "<tbody>",
            *rows,
            "</tbody>",
            "</table>",
        ]
    )


def _shown(text: str) -> str:
    return escape(visible(clip(text, _LONGEST)))
