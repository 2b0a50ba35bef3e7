"""Finding what a user named, or saying what there is to name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from volr.checks.annotations import shown, type_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.errors import VolrError

T = TypeVar("T")


def named(what: str, name: object, known: Mapping[str, T], error: type[VolrError]) -> T:
    """``known[name]``, or else an ``error`` with the nearest name and all there are."""
    if not isinstance(name, str):
        raise error(
            f"the name of a {what} is a text, not {shown(name)}, {type_of(name)}",
            help=f"choose one of {', '.join(known)}",
        )
    if name in known:
        return known[name]
    import difflib

    # Names that differ only in their case come first.
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    guess = f"did you mean {folded[near[0]]!r}? " if near else ""
    raise error(f"there is no {what} {name!r}", help=f"{guess}choose one of {', '.join(known)}")
