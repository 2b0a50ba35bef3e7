"""The standard layout of a document, as `volr format` writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language.printer import format_text
from volr.source import Edit, Span

if TYPE_CHECKING:
    from lsprotocol import types

    from volr.lsp.documents import View


def formatted(view: View) -> list[types.TextEdit] | None:
    """The edits that lay a document out; none if it has a mistake of syntax.

    Only the lines that change are edited, so that cursors and marks elsewhere stay. A document
    keeps its kind of line breaks.
    """
    analysis = view.analysis
    if not view.is_new or analysis is None or analysis.expression is None or not analysis.readable:
        return None
    old = view.text.text
    new = format_text(analysis.expression, old)
    if "\r\n" in old:
        new = new.replace("\r\n", "\n").replace("\n", "\r\n")
    if new == old:
        return []
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    first = _alike(before, after)
    last = _alike(before[first:][::-1], after[first:][::-1])
    start = sum(map(len, before[:first]))
    end = len(old) - sum(map(len, before[len(before) - last :]))
    text = "".join(after[first : len(after) - last])
    return [view.text.edit(Edit(Span(start, end), text))]


def _alike(one: list[str], other: list[str]) -> int:
    """How many lines at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
