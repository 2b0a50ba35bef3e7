"""The open documents, their changes, and when they are checked.

A long program takes longer to check than an editor likes to wait for an answer. So a document is
checked in the background, in a thread of its own, and what is asked meanwhile is answered from the
last analysis, with its places moved by the changes since. A short program is checked before it is
answered, so its answers are always new.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types

from volr.language.analysis import Analysis, analysed
from volr.lsp.background import in_thread
from volr.lsp.text import Change, Text
from volr.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE = 0.03
"""Seconds that an answer waits for a check that is under way."""
LONGEST_PAUSE = 0.15
"""The most seconds without a change until a document is checked."""
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class View:
    """What is known of a document: its text, the last analysis, and the changes between them."""

    text: Text
    analysis: Analysis | None
    changes: tuple[Change, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the analysis is of this very text."""
        return self.analysis is not None and not self.changes

    def analysed(self, offset: int) -> int | None:
        """Where a place of the text is in the text that was analysed; None if it is new."""
        for change in reversed(self.changes):
            found = change.before(offset)
            if found is None:
                return None
            offset = found
        return offset

    def now(self, span: Span) -> Span | None:
        """Where a part of the analysed text is now; None if it was changed since."""
        for change in self.changes:
            moved = change.after(span)
            if moved is None:
                return None
            span = moved
        return span

    def range(self, span: Span) -> types.Range | None:
        """The range, in the text of now, of a part of the analysed text."""
        moved = self.now(span)
        return None if moved is None else self.text.range(moved)


@dataclass
class Document:
    """An open document. ``told`` is called on the event loop after each check."""

    uri: str
    text: Text
    told: Callable[[Document], None]
    failed: Callable[[Document, BaseException], None]
    version: int | None = None
    analysis: Analysis | None = None
    answered_old: bool = False
    _checked: Text | None = None
    _changes: list[Change] = field(default_factory=list[Change])
    _checks: asyncio.Task[None] | None = None
    _moved_on: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False
    _took: float = 0.0

    def change(
        self, changes: Sequence[types.TextDocumentContentChangeEvent], version: int | None
    ) -> None:
        """Take over what the client changed, and check the document anew."""
        self.version = version
        for each in changes:
            old = self.text.text
            if isinstance(each, types.TextDocumentContentChangePartial):
                span = self.text.span(each.range)
            else:
                span = Span(0, len(old))
            self._changes.append(Change(span, len(each.text)))
            text = f"{old[: span.start]}{each.text}{old[span.end :]}"
            self.text = replace(self.text, text=text)
        self._wake()
        self.check()

    def check(self) -> None:
        """Check the document in the background, unless that is under way."""
        if self._checks is None or self._checks.done():
            self._checks = asyncio.ensure_future(self._check())

    def close(self) -> None:
        self._closed = True
        self._wake()

    def view(self) -> View:
        return View(self.text, self.analysis, tuple(self._changes))

    async def fresh(self, patience: float | None = PATIENCE) -> View:
        """What is known now. If a check is under way, it may end within ``patience`` seconds.

        Another change of the document ends the wait at once: the answer is about the text that the
        client asked about.
        """
        view = self.view()
        end = time.monotonic() + (patience or 0.0)
        while self._checked is not view.text is self.text and not self._closed:
            left = end - time.monotonic()
            if patience is not None and left <= 0:
                break
            try:
                async with asyncio.timeout(None if patience is None else left):
                    await self._moved_on.wait()
            except TimeoutError:
                break
            if self.text is view.text:
                view = self.view()
        return view

    def _wake(self) -> None:
        """Wake all that wait for this document."""
        waited, self._moved_on = self._moved_on, asyncio.Event()
        waited.set()

    async def _check(self) -> None:
        """Check the document until nothing has changed while it was checked."""
        while not self._closed:
            text = self.text
            # A program that takes long is not checked at every key, or all answers would be late.
            await asyncio.sleep(min(self._took / 2, LONGEST_PAUSE))
            if text is not self.text:
                continue
            count = len(self._changes)
            begun = time.monotonic()
            try:
                found = await in_thread(partial(_analysed, Source(text.text, self.uri)))
            except Exception as error:  # noqa: BLE001
                # Nothing that is wrong with one text may end the server.
                self.failed(self, error)
                found = self.analysis
            self._took = time.monotonic() - begun
            self._checked = text
            if found is not self.analysis:
                self.analysis = found
                del self._changes[:count]
            self._wake()
            if text is self.text:
                if not self._closed:
                    self.told(self)
                return


def _analysed(source: Source) -> Analysis:
    """The analysis, with what every editor asks for at once."""
    if source.text.startswith(_BYTE_ORDER_MARK):
        # `volr check` skips it as well; here all places stay what they are.
        source = replace(source, text=f" {source.text[1:]}")
    found = analysed(source)
    _ = found.telling
    return found
