"""Docstrings of Volr's on their way to a page: aligned lists of fields become lists.

``epochs``         passes over the training split; None: 30, and more where that would be fewer
                   than 2,000 updates
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from griffe import Extension

if TYPE_CHECKING:
    from griffe import Object

_FIELD = re.compile(r"^(``[^`]+``)\s{2,}(.+)$")


class AlignedFields(Extension):
    """Found by mkdocstrings, which loads this file."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = with_lists(obj.docstring.value)


def with_lists(text: str) -> str:
    """The text with a list for each run of aligned fields."""
    lines: list[str] = []
    within = False
    for line in text.split("\n"):
        if field := _FIELD.match(line):
            lines.append(f"- {field[1]}: {field[2]}")
            within = True
        elif within and line.startswith("    "):
            lines.append(f"  {line.strip()}")
        else:
            lines.append(line)
            within = False
    return "\n".join(lines)
