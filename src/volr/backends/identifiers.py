"""Names of populations as identifiers of a target language.

A population may have any printable name: ``λ'``, ``def``, ``x; import os``. An identifier consists
of ASCII letters, digits and underscores, begins with a letter, is not a keyword of the target, and
is different for different names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_LONGEST = 60


def identifiers(names: Iterable[str], *, reserved: Collection[str] = ()) -> dict[str, str]:
    """An identifier for each name, in order: the name itself where it is one.

    ``reserved`` are the target's keywords and whatever else the generated code calls by name.
    """
    names = list(dict.fromkeys(names))
    # Names that can stay as they are have priority.
    found = {name: name for name in names if _fits(name) and name not in reserved}
    taken = {*reserved, *found.values()}
    for name in names:
        if name in found:
            continue
        base = re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_")[:_LONGEST]
        base = base if base[:1].isascii() and base[:1].isalpha() else f"p_{base}".rstrip("_")
        candidate, number = base, 1
        while candidate in taken:
            number += 1
            candidate = f"{base}_{number}"
        found[name] = candidate
        taken.add(candidate)
    return {name: found[name] for name in names}


def comment(text: str) -> str:
    """The text for a comment of one line: without characters that end the line."""
    return "".join(each if each.isprintable() else " " for each in text)


def _fits(name: str) -> bool:
    return re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", name) is not None and len(name) <= _LONGEST
