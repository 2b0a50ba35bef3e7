"""Texts, tables and drawings: what a result shows, wherever it is shown.

Part  ::=  str | Table | Markup
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence


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
