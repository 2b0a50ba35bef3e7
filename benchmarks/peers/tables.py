"""Plain tables, and the same numbers for a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Cell: TypeAlias = str | int | float | None
Row: TypeAlias = Mapping[str, Cell]


def show(title: str, rows: Sequence[Row], formats: Mapping[str, str]) -> None:
    """Print rows under a title: the columns of ``formats``, each with its format of numbers."""
    print(f"\n{title}")
    columns = list(formats)
    cells = [[_cell(row.get(name), formats[name]) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    texts = {name for name in columns if any(isinstance(row.get(name), str) for row in rows)}
    for line in [columns, *cells]:
        padded = [
            cell.ljust(width) if name in texts else cell.rjust(width)
            for name, cell, width in zip(columns, line, widths, strict=True)
        ]
        print("  ".join(padded).rstrip())


def say(what: str) -> None:
    """Progress, which is not a result."""
    print(what, file=sys.stderr, flush=True)


def _cell(value: Cell, format_: str) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else format(value, format_)
