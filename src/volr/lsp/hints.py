"""What stands in grey beside the text: the shape of each `_`, and the type of each `let`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from volr.language.syntax import Blank, Let, parts
from volr.lsp import words
from volr.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.language.analysis import Analysis
    from volr.lsp.documents import View


def hints(view: View, range: types.Range) -> list[types.InlayHint]:
    """The hints in a range, as far as their places are what they were."""
    if view.analysis is None:
        return []
    asked = view.text.span(range)
    found = (_hint(view, span, text) for span, text in _all(view.analysis))
    return [each for place, each in found if each is not None and asked.start <= place <= asked.end]


def _hint(view: View, span: Span, text: str) -> tuple[int, types.InlayHint | None]:
    place = view.now(span)
    if place is None:
        return 0, None
    is_type = text.startswith(":")
    hint = types.InlayHint(
        view.text.position(place.end),
        text,
        types.InlayHintKind.Type if is_type else types.InlayHintKind.Parameter,
        padding_left=not is_type,
    )
    if not is_type and " or " not in text:
        hint.text_edits = [view.text.edit(Edit(place, text))]
        hint.tooltip = f"`_` is {text} here. A double click writes it out."
    return place.end, hint


def _all(analysis: Analysis) -> Iterator[tuple[Span, str]]:
    if analysis.expression is None:
        return
    for node in parts(analysis.expression):
        match node:
            case Blank() if shapes := analysis.filled.get(id(node)):
                yield node.span, words.shapes_of(shapes)
            case Let(parameters=()) if values := analysis.values(node.name_span):
                yield node.name_span, f": {words.types_of(values)}"
            case _:
                pass
