"""What stands in grey beside the text: the shape of each `_`, and the type of each `let`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from volr.language.syntax import Blank, Let
from volr.lsp import words
from volr.source import Edit

if TYPE_CHECKING:
    from collections.abc import Collection

    from volr.language.types import Shape
    from volr.lsp.documents import View
    from volr.source import Span


def hints(view: View, range: types.Range) -> list[types.InlayHint]:
    """The hints in a range, as far as their places are what they were."""
    if view.analysis is None:
        return []
    asked = view.text.span(range)
    found: list[types.InlayHint] = []
    for node in view.analysis.telling:
        place = view.now(node.name_span if isinstance(node, Let) else node.span)
        if place is None or place.end < asked.start or place.start > asked.end:
            continue
        match node:
            case Blank() if shapes := view.analysis.filled.get(id(node)):
                found.append(_shape(view, place, shapes))
            case Let() if values := view.analysis.values(node.name_span):
                kind, at = types.InlayHintKind.Type, view.text.position(place.end)
                found.append(types.InlayHint(at, f": {words.types_of(values)}", kind))
            case _:
                pass
    return found


def _shape(view: View, place: Span, shapes: Collection[Shape]) -> types.InlayHint:
    text = words.shapes_of(shapes)
    hint = types.InlayHint(view.text.position(place.end), text, padding_left=True)
    if len(shapes) == 1:
        hint.text_edits = [view.text.edit(Edit(place, text))]
        hint.tooltip = f"`_` is {text} here. A double click writes it out."
    return hint
