"""A version of a document, and places in it as a client counts them.

The protocol counts lines, and within a line the units of an encoding: UTF-16 unless the client and
the server agree on another. The language counts characters from the start of the text. A line ends
with ``\\n``, ``\\r\\n`` or ``\\r``, and with nothing else that Python takes for the end of a line.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from lsprotocol import types

from volr.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Encoding: TypeAlias = Literal["utf-8", "utf-16", "utf-32"]

_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Text:
    """A version of a document. ``encoding`` is the one whose units the client counts."""

    text: str = field(repr=False)
    encoding: Encoding = "utf-16"

    @cached_property
    def _lines(self) -> tuple[list[int], list[int]]:
        """Where each line starts, and where it ends without its line break."""
        found = list(_BREAK.finditer(self.text))
        starts = [0, *(each.end() for each in found)]
        return starts, [*(each.start() for each in found), len(self.text)]

    def offset(self, position: types.Position) -> int:
        """The characters before a position. One beyond the end of its line, or of the text, is
        there, and one within a character is before it."""
        starts, ends = self._lines
        if position.line >= len(starts):
            return len(self.text)
        start = starts[max(position.line, 0)]
        line = self.text[start : ends[max(position.line, 0)]]
        if line.isascii() or self.encoding == "utf-32":
            return start + min(max(position.character, 0), len(line))
        left = position.character
        for index, character in enumerate(line):
            left -= 1 if character < "\x80" else self._units(character)
            if left < 0:
                return start + index
        return start + len(line)

    def _units(self, text: str) -> int:
        """How many units of the encoding a text takes. Lines may be long, so Python encodes it."""
        if text.isascii() or self.encoding == "utf-32":
            return len(text)
        if self.encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def position(self, offset: int) -> types.Position:
        """The position of a character."""
        starts, _ = self._lines
        line = bisect.bisect_right(starts, offset) - 1
        return types.Position(line, self._units(self.text[starts[line] : offset]))

    def positions(self, offsets: Iterable[int]) -> Iterator[types.Position]:
        """The positions of characters in their order. Each is counted from the one before, since a
        line may be long."""
        starts, _ = self._lines
        line, column, before = 0, 0, 0
        for offset in offsets:
            found = bisect.bisect_right(starts, offset) - 1
            if found > line:
                line, column, before = found, 0, starts[found]
            column, before = column + self._units(self.text[before:offset]), offset
            yield types.Position(line, column)

    def range(self, span: Span) -> types.Range:
        return types.Range(self.position(span.start), self.position(span.end))

    def span(self, range: types.Range) -> Span:
        """The characters of a range, in whichever order its ends are."""
        start, end = sorted((self.offset(range.start), self.offset(range.end)))
        return Span(start, end)

    def edit(self, edit: Edit) -> types.TextEdit:
        return types.TextEdit(self.range(edit.span), edit.text)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a document: the characters of ``span`` were replaced by so many."""

    span: Span
    length: int

    def after(self, span: Span) -> Span | None:
        """Where these characters are after the change; None if it touches them.

        What is written next to a word may belong to it, and so touches it.
        """
        if span.end < self.span.start:
            return span
        if span.start > self.span.end:
            moved = self.length - (self.span.end - self.span.start)
            return Span(span.start + moved, span.end + moved)
        return None

    def before(self, offset: int) -> int | None:
        """Where a place was before the change; None if what is there is new."""
        if offset < self.span.start:
            return offset
        if offset > self.span.start + self.length:
            return offset - self.length + (self.span.end - self.span.start)
        return None
