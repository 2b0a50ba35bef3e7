"""Mistakes as diagnostics, and the edits that mend them as quick fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from volr.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from volr.lsp.documents import View
    from volr.source import Diagnostic

SOURCE = "volr"
MOST = 200
"""So many mistakes of one document are shown."""


def diagnostics(view: View, uri: str, *, related: bool) -> list[types.Diagnostic]:
    """The mistakes of a document, as far as their places are what they were.

    If the client does not show ``related`` places, they are told in the message.
    """
    found = () if view.analysis is None else view.analysis.diagnostics
    shown = (_diagnostic(each, view, uri, related=related) for each in found[:MOST])
    return [each for each in shown if each is not None]


def quick_fixes(view: View, uri: str, asked: Span) -> Iterator[types.CodeAction]:
    """The edits that mend the mistakes in ``asked``, and one that mends all of the document."""
    found = () if view.analysis is None else view.analysis.diagnostics
    here = False
    for each in found:
        place = view.now(each.span)
        if not each.edits or place is None or place.start > asked.end or place.end < asked.start:
            continue
        edits = _moved(view, each.edits)
        shown = _diagnostic(each, view, uri, related=False)
        if edits is None or shown is None:
            continue
        here = True
        title = each.help or "mend it"
        yield types.CodeAction(
            title=f"{title[0].upper()}{title[1:]}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            is_preferred=True,
            edit=_edit(view, uri, edits),
        )
    fixable = [each for each in found if each.edits]
    if here and len(fixable) > 1:
        edits = _apart(view, fixable)
        yield types.CodeAction(
            title=f"Mend all that can be mended ({len(fixable)} mistakes)",
            kind=types.CodeActionKind.QuickFix,
            edit=_edit(view, uri, edits),
        )


def _diagnostic(
    found: Diagnostic, view: View, uri: str, *, related: bool
) -> types.Diagnostic | None:
    place = view.range(found.span)
    if place is None:
        return None
    message = found.message
    if found.label:
        message += f" ({found.label})"
    others = [(view.range(each.span), each.text) for each in found.others]
    if not related:
        message += "".join(
            f"\n{text}: line {at.start.line + 1}" for at, text in others if at is not None
        )
    if found.help is not None:
        message += f"\nhelp: {found.help}"
    return types.Diagnostic(
        range=place,
        severity=types.DiagnosticSeverity.Error,
        source=SOURCE,
        message=message,
        related_information=[
            types.DiagnosticRelatedInformation(types.Location(uri, at), text)
            for at, text in others
            if at is not None
        ]
        if related and others
        else None,
    )


def _moved(view: View, edits: Sequence[Edit]) -> list[Edit] | None:
    """The edits in the text of now; None if one of their places was changed since."""
    spans = [view.now(each.span) for each in edits]
    moved = [Edit(span, each.text) for span, each in zip(spans, edits, strict=True) if span]
    return moved if len(moved) == len(edits) else None


def _apart(view: View, found: Sequence[Diagnostic]) -> list[Edit]:
    """The edits of all mistakes, without those that would touch an edit of an earlier one."""
    taken: list[Edit] = []
    for each in found:
        edits = _moved(view, each.edits) or []
        apart = all(
            one.span.end < other.span.start or one.span.start > other.span.end
            for one in edits
            for other in taken
        )
        taken += edits if apart else []
    return taken


def _edit(view: View, uri: str, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    return types.WorkspaceEdit(changes={uri: [view.text.edit(each) for each in edits]})
