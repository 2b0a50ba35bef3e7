"""The parts of a page.

Page     ::=  title, lead, Section*
Section  ::=  title, Part*
Part     ::=  Words | Table | Figures
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from volr.experiments.report.style import minus
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.report.style import Drawing


@dataclass(frozen=True)
class Words:
    """A paragraph, or, with ``code``, text as it was typed."""

    text: str
    code: bool = False


@dataclass(frozen=True)
class Cell:
    """The text of a cell. Rows are sorted by it, or by ``value``, where None comes last."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Column:
    """A ``long`` column has cells of many words, which get a line of their own on a phone."""

    title: str
    numeric: bool = False
    long: bool = False


@dataclass(frozen=True)
class Table:
    """A table to be sorted. With a ``folded`` title it is hidden until the reader opens it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: str | None = None


@dataclass(frozen=True)
class Figures:
    """Figures, side by side if there is room.

    With a ``folded`` title they are hidden until the reader opens it.
    """

    drawings: tuple[Drawing, ...]
    folded: str | None = None


LONG = 24
"""A column is ``long`` if a cell has more characters than this."""

Part: TypeAlias = Words | Table | Figures


@dataclass(frozen=True)
class Section:
    """``name`` is unique on the page, of letters, digits and hyphens."""

    name: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Page:
    """``version`` is the version of Volr that made the page."""

    title: str
    lead: str
    sections: tuple[Section, ...]
    version: str

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """All figures in order."""
        parts = [part for section in self.sections for part in section.parts]
        return tuple(each for part in parts if isinstance(part, Figures) for each in part.drawings)


def text(content: str) -> Cell:
    """A cell with text, which may come from a file."""
    return Cell(visible(content))


def number(value: float | None, form: str = "", unknown: str = "–") -> Cell:
    """A cell with a number in Python's format ``form``, or with ``unknown`` for None."""
    return Cell(unknown) if value is None else Cell(minus(f"{value:{form}}"), float(value))


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    folded: str | None = None,
) -> Table:
    """A table of cells. A column is numeric if any of its cells has a number."""
    return Table(
        caption=caption,
        columns=tuple(
            Column(
                title,
                numeric=any(row[place].value is not None for row in rows),
                long=any(len(row[place].text) > LONG for row in rows),
            )
            for place, title in enumerate(columns)
        ),
        rows=tuple(tuple(row) for row in rows),
        folded=folded,
    )
