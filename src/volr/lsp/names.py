"""Names: where they are bound, where they are used, and another name for all of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from volr.errors import VolrError
from volr.language.grammar import kind_of, tables
from volr.language.layers import RESERVED
from volr.language.syntax import Let, Name, parts
from volr.lsp import words
from volr.lsp.places import word_at
from volr.source import Edit, Span

if TYPE_CHECKING:
    from volr.language.analysis import Analysis
    from volr.lsp.documents import View


def binder_at(view: View, position: types.Position) -> Let | Name | None:
    """What binds the name at a position; None for layers and for all that is no name."""
    at = view.analysed(view.text.offset(position))
    analysis = view.analysis
    if at is None or analysis is None or analysis.expression is None:
        return None
    node = word_at(analysis.expression, at)
    if isinstance(node, Let):
        named = node.name_span.start <= at <= node.name_span.end
        return node if named and node.name else None
    if not isinstance(node, Name):
        return None
    binder = analysis.binders.get(id(node))
    if binder is None and node in _parameters(analysis):
        return node
    return binder if isinstance(binder, Let | Name) else None


def _parameters(analysis: Analysis) -> list[Name]:
    return (
        []
        if analysis.expression is None
        else [
            each
            for let in parts(analysis.expression)
            if isinstance(let, Let)
            for each in let.parameters
        ]
    )


def bound_at(binder: Let | Name) -> Span:
    return binder.name_span if isinstance(binder, Let) else binder.span


def places(view: View, binder: Let | Name, *, bound: bool = True) -> list[Span]:
    """Where a name is used and, if asked for, ``bound``: in the text of now, in its order."""
    if view.analysis is None:
        return []
    spans = [each.span for each in view.analysis.uses(binder)]
    spans += [bound_at(binder)] if bound else []
    moved = (view.now(each) for each in spans)
    return sorted((each for each in moved if each is not None), key=lambda each: each.start)


def renamed(view: View, uri: str, binder: Let | Name, name: str) -> types.WorkspaceEdit:
    """The edits that give a name everywhere another.

    Raises ``VolrError`` if it cannot be a name, or if the program has this name already, since then
    a use might come to mean something else.
    """
    if kind_of(name) != "NAME" or not (name[0].isalpha() or name[0] == "_"):
        raise VolrError(f"`{name}` is no name: a letter or _, then letters, digits, _ or '")
    if name in RESERVED:
        raise VolrError(f"`{name}` is bound from the start")
    taken = {each.text for each in tables().tokens(view.text.text) if each.kind == "NAME"}
    if name in taken:
        raise VolrError(f"the program has the name `{name}` already")
    edits = [view.text.edit(Edit(each, name)) for each in places(view, binder)]
    return types.WorkspaceEdit(changes={uri: edits})


def outline(view: View) -> list[types.DocumentSymbol]:
    """The names that a program binds, in the order of the text."""
    analysis = view.analysis
    if analysis is None or analysis.expression is None:
        return []
    found: list[types.DocumentSymbol] = []
    for node in parts(analysis.expression):
        if not isinstance(node, Let) or not node.name:
            continue
        whole = view.range(Span(node.span.start, node.value.span.end))
        name = view.range(node.name_span)
        if whole is not None and name is not None:
            values = analysis.values(node.name_span)
            kind = types.SymbolKind.Function if node.parameters else types.SymbolKind.Variable
            detail = " ".join(each.text for each in node.parameters) or words.types_of(values)
            found.append(types.DocumentSymbol(node.name, kind, whole, name, detail))
    return found
