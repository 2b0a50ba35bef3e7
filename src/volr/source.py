"""Where something stands in a program's text, and how to show it.

Offsets and columns count characters (Unicode code points), not bytes: `⦶` is one column. What is
shown is aligned by width instead: tabs are opened up, and wide characters take two columns. A text
may be hostile: nothing in it reaches the terminal that is not visible, and no line in full length.

    xor.volr:1:13: error: this network takes 3 inputs, but what comes before it gives 4
    1 | dense 2 4 ⦶ dense 3 1
      | --------- gives 4
      |             ^^^^^^^^^ takes 3
      = help: write `dense 4 1`
"""

from __future__ import annotations

import bisect
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TAB = 4
LONGEST_LINE = 160
"""Lines of more characters are cut around what is to be seen."""
_BEFORE, _AFTER = 30, 90
LONGEST_MESSAGE = 600
SHOWN = 20
"""How many diagnostics are shown in full."""


@dataclass(frozen=True, slots=True)
class Span:
    """The characters ``start`` ≤ i < ``end`` of a source; an empty span is a place between two."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True)
class Position:
    """A line and a column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """A program's text under the name that diagnostics call it by (a path, or ``<stdin>``)."""

    text: str = field(repr=False)
    name: str = "<program>"

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The offset of each line's first character."""
        starts = [0]
        while (newline := self.text.find("\n", starts[-1])) >= 0:
            starts.append(newline + 1)
        return tuple(starts)

    def position(self, offset: int) -> Position:
        line = bisect.bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> Span:
        """The characters of a line, counted from 1, without the line break."""
        start = self.line_starts[number - 1]
        last = number == len(self.line_starts)
        end = len(self.text) if last else self.line_starts[number] - 1
        return Span(start, end - 1 if self.text[start:end].endswith("\r") else end)


@dataclass(frozen=True)
class Label:
    """A second place that explains the first."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a source: ``text`` in the place of what stands in the span."""

    span: Span
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits carried out. They may not overlap."""
    for edit in sorted(edits, key=lambda each: each.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


@dataclass(frozen=True)
class Diagnostic:
    """One mistake: where it is, what was found and expected, and the edit that mends it.

    ``help`` says the edit in words. ``edits`` has it for a program to carry out; it is empty where
    the help leaves something open.
    """

    span: Span
    message: str
    label: str = ""
    help: str | None = None
    others: tuple[Label, ...] = field(default=())
    edits: tuple[Edit, ...] = field(default=())

    def render(self, source: Source) -> str:
        """``file:line:column: error: …``, the lines with their carets, and the help."""
        place = source.position(self.span.start)
        name, message = visible(source.name), visible(_clip(self.message))
        rows = [f"{name}:{place.line}:{place.column}: error: {message}"]
        excerpts = _excerpts(self, source) if source.text else []
        gutter = max((len(str(excerpt.line)) for excerpt in excerpts), default=1)
        previous = None
        for excerpt in excerpts:
            if previous is not None and excerpt.line > previous + 1:
                rows.append(f"{'.' * gutter} |")
            rows.append(f"{excerpt.line:>{gutter}} | {excerpt.text}".rstrip())
            rows += [f"{'':{gutter}} | {marks}" for marks in excerpt.marks]
            previous = excerpt.line
        if self.help is not None:
            rows.append(f"{'':{gutter}} = help: {visible(_clip(self.help))}")
        return "\n".join(rows)


def render_all(source: Source, diagnostics: Sequence[Diagnostic], *, shown: int = SHOWN) -> str:
    """The first ``shown`` diagnostics, a blank line between them, and how many more there are."""
    parts = [diagnostic.render(source) for diagnostic in diagnostics[:shown]]
    if len(diagnostics) > shown:
        parts.append(f"and {len(diagnostics) - shown:,} more")
    return "\n\n".join(parts)


def clip(text: str, limit: int = 40) -> str:
    """A text for use within a message: cut in the middle where it is longer than ``limit``."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit // 4) :]}"


def visible(text: str) -> str:
    """The text with escapes for what a terminal would obey or hide instead of showing it."""
    return "".join(map(_shown, text))


def _clip(text: str) -> str:
    return clip(text, LONGEST_MESSAGE)


def _shown(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def _width(character: str) -> int:
    """The columns that a visible character takes."""
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


@dataclass(frozen=True)
class _Mark:
    """What one line shows of a span: ``start`` and ``end`` are offsets in the source."""

    start: int
    end: int
    sign: str
    text: str


@dataclass(frozen=True)
class _Excerpt:
    """A line, or a piece of one, and the rows of marks under it."""

    line: int
    text: str
    marks: tuple[str, ...]


def _excerpts(diagnostic: Diagnostic, source: Source) -> list[_Excerpt]:
    by_line: dict[int, list[_Mark]] = {}
    labels = [(diagnostic.span, "^", diagnostic.label)]
    labels += [(other.span, "-", other.text) for other in diagnostic.others]
    for span, sign, text in labels:
        for line, mark in _marks(span, sign, text, source):
            by_line.setdefault(line, []).append(mark)
    found: list[_Excerpt] = []
    for line in sorted(by_line):
        marks = sorted(by_line[line], key=lambda mark: (mark.start, mark.end))
        for window, inside in _windows(source.line(line), marks):
            found.append(_excerpt(line, source, window, inside))
    return found


def _marks(span: Span, sign: str, text: str, source: Source) -> list[tuple[int, _Mark]]:
    """A span of several lines is marked on its first and on its last."""
    first = source.position(span.start).line
    last = source.position(max(span.start, span.end - 1)).line
    if first == last:
        return [(first, _Mark(span.start, span.end, sign, text))]
    head, tail = source.line(first), source.line(last)
    blank = source.text[tail.start : tail.end]
    indent = tail.start + len(blank) - len(blank.lstrip())
    return [
        (first, _Mark(span.start, max(head.end, span.start), sign, "…")),
        (last, _Mark(min(indent, span.end), span.end, sign, text)),
    ]


def _windows(line: Span, marks: list[_Mark]) -> list[tuple[Span, list[_Mark]]]:
    """The pieces of a line to show, each with its marks: the whole line unless it is long."""
    if line.end - line.start <= LONGEST_LINE:
        return [(line, marks)]
    found: list[tuple[Span, list[_Mark]]] = []
    for mark in marks:
        start = max(line.start, mark.start - _BEFORE)
        end = min(line.end, mark.start + _AFTER)
        if found and start <= found[-1][0].end and end - found[-1][0].start <= LONGEST_LINE:
            window, inside = found[-1]
            found[-1] = (window.to(Span(start, end)), [*inside, mark])
        else:
            found.append((Span(start, end), [mark]))
    return found


def _excerpt(line: int, source: Source, window: Span, marks: list[_Mark]) -> _Excerpt:
    whole = source.line(line)
    shown = ["… "] if window.start > whole.start else []
    column = sum(map(len, shown))
    columns: list[int] = []
    for character in source.text[window.start : window.end]:
        columns.append(column)
        if character == "\t":
            text = " " * (TAB - column % TAB)
            column += len(text)
        else:
            text = _shown(character)
            column += _width(text) if len(text) == 1 else len(text)
        shown.append(text)
    columns.append(column)
    if window.end < whole.end:
        shown.append(" …")
    rows: list[str] = []
    for mark in marks:
        start = columns[min(mark.start - window.start, len(columns) - 1)]
        end = columns[min(max(mark.end, mark.start) - window.start, len(columns) - 1)]
        label = visible(clip(mark.text, 120))
        rows.append(f"{' ' * start}{mark.sign * max(end - start, 1)} {label}".rstrip())
    return _Excerpt(line, "".join(shown), tuple(rows))
