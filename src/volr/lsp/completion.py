"""What could be written at a place: names, labels, keywords and signs; and how a call goes on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from volr.language.layers import LAYERS, REPEAT
from volr.language.syntax import Let
from volr.lsp import words
from volr.lsp.places import Written, call_at, in_scope
from volr.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.language.layers import Layer
    from volr.language.syntax import Name
    from volr.lsp.documents import View

TRIGGERS = (">", "|", "+", "<")
"""The last characters of signs that can be written in ASCII."""
_WORD = re.compile(r"[\w']*\Z")
_SIGN = re.compile(r"(>>|<<|\||\+)\Z")


def completions(
    view: View, position: types.Position, *, snippets: bool
) -> list[types.CompletionItem]:
    """What could be written at a position. ``snippets`` have places for the arguments."""
    at = view.text.offset(position)
    text = view.text.text
    line = text[text.rfind("\n", 0, at) + 1 : at]
    if _in_comment(text, at, line):
        return []
    if (sign := _SIGN.search(line)) is not None:
        return [_sign(view, at, sign[1])]
    found = _WORD.search(line)
    word = found[0] if found else ""
    if word[:1].isdigit():
        return []
    return [*_labels(view, at - len(word)), *_names(view, at), *_fixed(view, at, snippets=snippets)]


def _in_comment(text: str, at: int, line: str) -> bool:
    return "//" in line or text.rfind("/*", 0, at) > text.rfind("*/", 0, at)


def _sign(view: View, at: int, written: str) -> types.CompletionItem:
    sign, meaning = words.SIGNS[written]
    place = Span(at - len(written), at)
    return types.CompletionItem(
        label=sign,
        kind=types.CompletionItemKind.Operator,
        detail=meaning,
        filter_text=written,
        text_edit=view.text.edit(Edit(place, sign)),
    )


def _labels(view: View, at: int) -> Iterator[types.CompletionItem]:
    """The labels that the layer whose arguments are being written takes, but for those given."""
    written = call_at(view.text.text, at)
    layer = None if written is None else LAYERS.get(written.function.text)
    if written is None or layer is None or written.label:
        return
    for name, parameter in layer.labelled.items():
        if name not in written.given and written.unlabelled >= len(layer.required):
            yield types.CompletionItem(
                label=f"{name}:",
                kind=types.CompletionItemKind.Field,
                detail=words.parameter(parameter),
                sort_text=f"0{name}",
            )


def _names(view: View, at: int) -> Iterator[types.CompletionItem]:
    """The names that the program binds before this place."""
    analysis, then = view.analysis, view.analysed(at)
    if then is None:
        # The place is new, as is the word that is being written there.
        then = view.analysed(view.changes[-1].span.start) if view.changes else None
    if analysis is None or analysis.expression is None or then is None:
        return
    for name, binder in in_scope(analysis.source.text, analysis.expression, then).items():
        values = analysis.values(binder.name_span if isinstance(binder, Let) else binder.span)
        is_function = isinstance(binder, Let) and bool(binder.parameters)
        detail = words.types_of(values)
        if isinstance(binder, Let) and is_function:
            detail = str(words.signature(binder))
        kind = types.CompletionItemKind
        yield types.CompletionItem(
            label=name,
            kind=kind.Function if is_function else kind.Variable,
            detail=detail or None,
            sort_text=f"1{name}",
        )


def _fixed(view: View, at: int, *, snippets: bool) -> Iterator[types.CompletionItem]:
    """Layers and keywords."""
    first = not view.text.text[:at].strip()
    for name in (*LAYERS, REPEAT):
        call = words.signature(LAYERS.get(name, REPEAT))
        yield types.CompletionItem(
            label=name,
            kind=types.CompletionItemKind.Function,
            detail=str(call),
            documentation=_markdown(call.about),
            sort_text=f"2{name}",
            insert_text=_snippet(call) if snippets else name,
            insert_text_format=types.InsertTextFormat.Snippet
            if snippets
            else types.InsertTextFormat.PlainText,
        )
    for name, about in words.KEYWORDS.items():
        if first and name != "let":
            continue
        yield types.CompletionItem(
            label=name,
            kind=types.CompletionItemKind.Keyword,
            documentation=_markdown(about),
            sort_text=f"3{name}",
        )


def _snippet(call: words.Signature) -> str:
    """The call with a place for each argument that it must have."""
    fields = [f"${{{index}:{each}}}" for index, each in enumerate(call.parameters, 1)]
    return " ".join([call.name, *fields])


def _markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, text)


def signature_help(view: View, position: types.Position) -> types.SignatureHelp | None:
    """The call in which a position is, and the parameter that comes next."""
    at = view.text.offset(position)
    written = call_at(view.text.text, at)
    function = None if written is None else _function(view, written, at)
    if written is None or function is None:
        return None
    call = words.signature(function)
    pieces = [*call.parameters, *(f"{each}:…" for each in call.labels)]
    index = min(written.unlabelled, len(call.parameters))
    if written.label in call.labels:
        index = len(call.parameters) + call.labels.index(written.label)
    about = (
        {}
        if isinstance(function, Let | str)
        else {each.name: words.parameter(each) for each in function.parameters}
    )
    names = [*call.parameters, *call.labels]
    return types.SignatureHelp(
        [
            types.SignatureInformation(
                label=str(call),
                documentation=_markdown(call.about) if call.about else None,
                parameters=[
                    types.ParameterInformation(
                        piece, _markdown(about[name]) if name in about else None
                    )
                    for piece, name in zip(pieces, names, strict=True)
                ],
            )
        ],
        active_signature=0,
        active_parameter=index,
    )


def _function(view: View, written: Written, at: int) -> Layer | Let | str | None:
    name = written.function.text
    if name == REPEAT:
        return REPEAT
    if (layer := LAYERS.get(name)) is not None:
        return layer
    analysis, then = view.analysis, view.analysed(at)
    if then is None and view.changes:
        then = view.analysed(view.changes[-1].span.start)
    if analysis is None or analysis.expression is None or then is None:
        return None
    binder: Let | Name | None = in_scope(analysis.source.text, analysis.expression, then).get(name)
    return binder if isinstance(binder, Let) and binder.parameters else None
