"""The features of the server, by their names in the protocol, and what they share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from volr.errors import VolrError
from volr.lsp import colours, completion, findings, formatting, hints, hover, names
from volr.lsp.background import in_thread
from volr.lsp.documents import Document, View
from volr.lsp.text import Encoding, Text

if TYPE_CHECKING:
    from collections.abc import Callable

_ENCODINGS: dict[str | None, Encoding] = {"utf-8": "utf-8", "utf-32": "utf-32"}
_OWN = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
)


def server(version: str) -> Server:
    """A server with all features, which knows no document yet. It tells clients its version."""
    made = Server(version)
    for name, (feature, options) in _FEATURES.items():
        made.feature(name, options)(feature)
    return made


class Server(LanguageServer):
    """The open documents by their URI, and what the client can do."""

    def __init__(self, version: str) -> None:
        super().__init__("volr", version)  # pyright: ignore[reportUnknownMemberType]
        self.documents: dict[str, Document] = {}
        self.drawings = False
        # pygls' own copies of the documents count other line breaks than the protocol does.
        features: Any = self.protocol.fm
        for each in _OWN:
            features.builtin_features.pop(each, None)

    def capability(self, path: str) -> Any:
        """A capability of the client by its path; None if it has none."""
        found: Any = getattr(self.protocol, "client_capabilities", None)
        for name in path.split("."):
            found = getattr(found, name, None)
        return found

    @property
    def encoding(self) -> Encoding:
        found = getattr(self.protocol, "server_capabilities", None)
        named = getattr(found, "position_encoding", None)
        return _ENCODINGS.get(
            None if named is None else str(getattr(named, "value", named)), "utf-16"
        )

    async def view(self, uri: str) -> View | None:
        """What is known of a document; None if it is not open."""
        document = self.documents.get(uri)
        return None if document is None else await document.fresh()

    async def checked(self, uri: str) -> View | None:
        """As ``view``, after a check that is under way, however long it takes."""
        document = self.documents.get(uri)
        return None if document is None else await document.fresh(None)

    def show(self, document: Document) -> None:
        """Send the mistakes of a document that has just been checked."""
        related = self.capability("text_document.publish_diagnostics.related_information")
        found = findings.diagnostics(document.view(), document.uri, related=bool(related))
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(document.uri, found, document.version)
        )
        if document.answered_old:
            document.answered_old = False
            if self.capability("workspace.inlay_hint.refresh_support"):
                self.workspace_inlay_hint_refresh(None)

    def tell_failure(self, document: Document, error: BaseException) -> None:
        """Log that a document could not be checked, which is a mistake of Volr's."""
        message = f"{document.uri} could not be checked: {type(error).__name__}: {error}"
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))


def _initialize(ls: Server, params: types.InitializeParams) -> None:
    wanted: Any = params.initialization_options
    ls.drawings = isinstance(wanted, dict) and cast("Any", wanted).get("drawings") is True


def _opened(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    told = params.text_document
    document = Document(told.uri, Text(told.text, ls.encoding), ls.show, ls.tell_failure)
    document.version = told.version
    if (before := ls.documents.get(told.uri)) is not None:
        before.close()
    ls.documents[told.uri] = document
    document.check()


def _changed(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    if (document := ls.documents.get(params.text_document.uri)) is not None:
        document.change(params.content_changes, params.text_document.version)


def _closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    if (document := ls.documents.pop(uri, None)) is not None:
        document.close()
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


async def _hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    view = await ls.view(params.text_document.uri)
    return None if view is None else hover.hover(view, params.position, drawn=ls.drawings)


async def _hints(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        return []
    view = await document.fresh()
    document.answered_old = document.answered_old or not view.is_new
    return hints.hints(view, params.range)


async def _completion(ls: Server, params: types.CompletionParams) -> types.CompletionList | None:
    view = await ls.view(params.text_document.uri)
    if view is None:
        return None
    path = "text_document.completion.completion_item.snippet_support"
    found = completion.completions(view, params.position, snippets=bool(ls.capability(path)))
    return types.CompletionList(is_incomplete=False, items=found)


async def _signature(ls: Server, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
    view = await ls.view(params.text_document.uri)
    return None if view is None else completion.signature_help(view, params.position)


async def _definition(ls: Server, params: types.DefinitionParams) -> types.Location | None:
    view = await ls.view(params.text_document.uri)
    binder = None if view is None else names.binder_at(view, params.position)
    if view is None or binder is None:
        return None
    place = view.range(names.bound_at(binder))
    return None if place is None else types.Location(params.text_document.uri, place)


async def _references(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
    view = await ls.view(params.text_document.uri)
    binder = None if view is None else names.binder_at(view, params.position)
    if view is None or binder is None:
        return []
    found = names.places(view, binder, bound=params.context.include_declaration)
    return [types.Location(params.text_document.uri, view.text.range(each)) for each in found]


async def _highlight(
    ls: Server, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight]:
    view = await ls.view(params.text_document.uri)
    binder = None if view is None else names.binder_at(view, params.position)
    if view is None or binder is None:
        return []
    return [types.DocumentHighlight(view.text.range(each)) for each in names.places(view, binder)]


async def _prepare_rename(ls: Server, params: types.PrepareRenameParams) -> types.Range | None:
    view = await ls.checked(params.text_document.uri)
    binder = None if view is None else names.binder_at(view, params.position)
    if view is None or binder is None:
        return None
    at = view.text.offset(params.position)
    found = (each for each in names.places(view, binder) if each.start <= at <= each.end)
    return next((view.text.range(each) for each in found), None)


async def _rename(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    uri = params.text_document.uri
    view = await ls.checked(uri)
    binder = None if view is None else names.binder_at(view, params.position)
    if view is None or binder is None:
        return None
    try:
        return names.renamed(view, uri, binder, params.new_name)
    except VolrError as error:
        raise JsonRpcInvalidParams(error.message) from None


async def _outline(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    view = await ls.view(params.text_document.uri)
    return [] if view is None else names.outline(view)


async def _format(
    ls: Server, params: types.DocumentFormattingParams
) -> list[types.TextEdit] | None:
    view = await ls.checked(params.text_document.uri)
    return None if view is None else await in_thread(partial(formatting.formatted, view))


async def _quick_fixes(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    view = await ls.view(uri)
    return [] if view is None else [*findings.quick_fixes(view, uri, view.text.span(params.range))]


async def _colours(ls: Server, params: types.SemanticTokensParams) -> types.SemanticTokens | None:
    document = ls.documents.get(params.text_document.uri)
    return None if document is None else await in_thread(partial(colours.colours, document.text))


_FEATURES: dict[str, tuple[Callable[..., Any], Any]] = {
    types.INITIALIZE: (_initialize, None),
    types.TEXT_DOCUMENT_DID_OPEN: (_opened, None),
    types.TEXT_DOCUMENT_DID_CHANGE: (_changed, None),
    types.TEXT_DOCUMENT_DID_CLOSE: (_closed, None),
    types.TEXT_DOCUMENT_HOVER: (_hover, None),
    types.TEXT_DOCUMENT_INLAY_HINT: (_hints, None),
    types.TEXT_DOCUMENT_COMPLETION: (
        _completion,
        types.CompletionOptions(trigger_characters=[*completion.TRIGGERS]),
    ),
    types.TEXT_DOCUMENT_SIGNATURE_HELP: (
        _signature,
        types.SignatureHelpOptions(trigger_characters=[" ", ":"]),
    ),
    types.TEXT_DOCUMENT_DEFINITION: (_definition, None),
    types.TEXT_DOCUMENT_REFERENCES: (_references, None),
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: (_highlight, None),
    types.TEXT_DOCUMENT_PREPARE_RENAME: (_prepare_rename, None),
    types.TEXT_DOCUMENT_RENAME: (_rename, types.RenameOptions(prepare_provider=True)),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (_outline, None),
    types.TEXT_DOCUMENT_FORMATTING: (_format, None),
    types.TEXT_DOCUMENT_CODE_ACTION: (
        _quick_fixes,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    ),
    types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: (_colours, colours.LEGEND),
}
