"""What a page is made of.

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
    """A paragraph, or, where ``code`` says so, what was typed."""

    text: str
    code: bool = False


@dataclass(frozen=True)
class Cell:
    """What is shown; rows are sorted by it, or by a number, where None comes last."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Column:
    """A ``long`` one has cells of many words, which get a line of their own on a phone."""

    title: str
    numeric: bool = False
    long: bool = False


@dataclass(frozen=True)
class Table:
    """Sortable. ``folded`` is the title under which it is hidden until the reader opens it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: str | None = None


@dataclass(frozen=True)
class Figures:
    """Side by side where there is room.

    ``folded`` is the title under which they are hidden until the reader opens it.
    """

    drawings: tuple[Drawing, ...]
    folded: str | None = None


LONG = 24
"""Characters of a cell beyond which its column is ``long``."""

Part: TypeAlias = Words | Table | Figures


@dataclass(frozen=True)
class Section:
    """``name`` is unique on the page, of letters, digits and hyphens."""

    name: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Page:
    """``version`` is that of Volr which made it."""

    title: str
    lead: str
    sections: tuple[Section, ...]
    version: str

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """All figures, in their order."""
        parts = [part for section in self.sections for part in section.parts]
        return tuple(each for part in parts if isinstance(part, Figures) for each in part.drawings)


def text(content: str) -> Cell:
    """A cell with words, which may come from a file."""
    return Cell(visible(content))


def number(value: float | None, form: str = "", unknown: str = "–") -> Cell:
    """A cell with a number in Python's format ``form``, or the sign for none."""
    return Cell(unknown) if value is None else Cell(minus(f"{value:{form}}"), float(value))


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    folded: str | None = None,
) -> Table:
    """A table of cells, whose columns are numeric where any of their cells has a number."""
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
