"""Texts, tables and drawings: what a result shows, wherever it is shown.

Part  ::=  str | Table | Markup
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Table:
    """Rows of cells under the names of their ``columns``.

    The first ``left`` columns are left-aligned, the others right-aligned.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1


@dataclass(frozen=True)
class Markup:
    """HTML or SVG that is safe as it is. Only notebooks show it."""

    html: str


Part: TypeAlias = str | Table | Markup
"""A text is plain, and may have several lines."""


class Displayed:
    """A result that shows itself in a notebook."""

    __slots__ = ()

    def _display(self) -> Iterable[Part]:
        """What it shows."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        from volr.display.html import html

        return html(self._display())
