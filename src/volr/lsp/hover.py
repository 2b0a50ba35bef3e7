"""What the mouse shows of a part of a program: its type, what it is, and a drawing of its network.

Clients cut what is too long, and a client that shows text alone would show a picture as a long row
of letters. So a drawing is made only for a client that asks for it, and only of a small network.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from lsprotocol import types

from volr.language.layers import LAYERS, REPEAT
from volr.language.lowering import lower
from volr.language.syntax import (
    Argument,
    Blank,
    Call,
    Let,
    Loop,
    Name,
    Parallel,
    Sequence,
    Sum,
)
from volr.language.values import NetValue
from volr.lsp import words
from volr.lsp.places import call_of, holds, word_at
from volr.network.drawing.svg import network_svg
from volr.network.text import counted

if TYPE_CHECKING:
    from volr.language.analysis import Analysis
    from volr.language.scoping import Binder
    from volr.language.syntax import Expression
    from volr.language.terms import Term
    from volr.lsp.documents import View
    from volr.source import Span

MOST_DRAWN = 60
"""A network of more populations, or of more projections, is not drawn."""
LONGEST = 60_000
"""The most characters of a drawing; VS Code cuts a hover after 100,000."""
_INDENT = re.compile(r"\n\s*")


def hover(view: View, position: types.Position, *, drawn: bool) -> types.Hover | None:
    """What is known of the part at a position."""
    at = view.analysed(view.text.offset(position))
    analysis = view.analysis
    if at is None or analysis is None or analysis.expression is None:
        return None
    node = word_at(analysis.expression, at)
    if node is None:
        return None
    if isinstance(node, Let) and _near(node.name_span, at):
        found = _named(analysis, node, node.name_span)
        place = node.name_span
    elif isinstance(node, Name):
        found, place = _of_name(analysis, node), node.span
    else:
        found, place = _of_part(analysis, node), node.span
    if found is None:
        return None
    text, term = found
    if term is not None:
        text += f"\n\n{_size(term)}"
        text += _drawing(term) if drawn else ""
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), view.range(place))


def _near(span: Span, at: int) -> bool:
    return holds(span, at) or at == span.end


def _of_name(analysis: Analysis, name: Name) -> tuple[str, Term | None] | None:
    binder = analysis.binders.get(id(name))
    match binder:
        case Let() | Name():
            return _named(analysis, binder, name.span)
        case None:
            # A parameter where it is bound has the type of its uses.
            uses = (each for each in analysis.uses(name))
            first = next(uses, None)
            return None if first is None else _named(analysis, name, first.span)
        case _:
            return _of_function(analysis, name, binder)


def _of_function(analysis: Analysis, name: Name, binder: Binder) -> tuple[str, Term | None]:
    """A layer or ``repeat``: how it is called, the type of this call, and what it does."""
    text = str(words.signature(LAYERS.get(name.text, REPEAT)))
    call = None if analysis.expression is None else call_of(analysis.expression, name)
    values = () if call is None else analysis.values(call.span)
    if values:
        text += f" : {words.types_of(values)}"
    whole = call is not None and isinstance(binder, str)
    term = _only_term(analysis, call.span) if call is not None and whole else None
    return f"{_code(text)}\n\n{words.ABOUT[name.text]}", term


def _named(analysis: Analysis, binder: Let | Name, span: Span) -> tuple[str, Term | None]:
    """A name, where it is bound or used."""
    values = analysis.values(span)
    text = words.bound(binder)
    if values:
        text += f" : {words.types_of(values)}"
    elif isinstance(binder, Let) and binder.parameters:
        results = analysis.values(binder.value.span)
        text += f" : {words.types_of(results)}" if results else ""
    return _code(text), _only_term(analysis, span)


def _of_part(analysis: Analysis, node: Expression) -> tuple[str, Term | None] | None:
    match node:
        case Blank():
            shapes = analysis.filled.get(id(node))
            return (_code(f"_ = {words.shapes_of(shapes)}"), None) if shapes else None
        case Argument(label=label):
            return f"{_code(f'{label}:…')}\n\nAn argument with a label.", None
        case _:
            values = analysis.values(node.span)
            if not values:
                return None
            networks = isinstance(node, Sequence | Parallel | Sum | Loop | Let | Call)
            term = _only_term(analysis, node.span) if networks else None
            return _code(words.types_of(values)), term


def _only_term(analysis: Analysis, span: Span) -> Term | None:
    """The network of a part, if it is one network and not one in each call."""
    match analysis.values(span):
        case (NetValue(term=term),):
            return term
        case _:
            return None


def _size(term: Term) -> str:
    bulk = term.bulk
    return ", ".join(
        [
            counted(bulk.populations + 1, "population"),
            counted(bulk.projections, "projection"),
            counted(bulk.weights, "weight"),
        ]
    )


def _drawing(term: Term) -> str:
    """The network as a picture in Markdown; nothing if it would be too large."""
    if max(term.bulk.populations, term.bulk.projections) > MOST_DRAWN:
        return ""
    svg = _INDENT.sub("\n", network_svg(lower(term)))
    picture = base64.b64encode(svg.encode()).decode()
    if len(picture) > LONGEST:
        return ""
    return f"\n\n![the network](data:image/svg+xml;base64,{picture})"


def _code(text: str) -> str:
    return f"```volr\n{text}\n```"
