"""A network before it has projections: its populations, and what arrives at each, as forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.affine.forms import Form
    from volr.affine.terms import Room
    from volr.network.connectors import Shape, Windows


class Names:
    """Names of populations, each of which is given once."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def free(self, name: str) -> str:
        """A name that a population can have: this one where that is possible, or else one that is
        printable, with a number if it was given before.
        """
        base = "".join(each if each.isprintable() and each != " " else "_" for each in name)
        found = base = base.replace("->", "_") or "population"
        while found in self._given:
            self._given[base] += 1
            found = f"{base}_{self._given[base]}"
        self._given[found] = 1
        return found


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """Populations in topological order, by their ``shapes``.

    ``forms`` are what arrives at each of them but the inputs, and those that take the ``largest``
    value of windows of another population: of which one, and the windows.
    """

    shapes: Mapping[str, Shape]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    forms: Mapping[str, Form]
    room: Room
    largest: Mapping[str, tuple[str, Windows]] = field(
        default_factory=dict[str, "tuple[str, Windows]"]
    )

    @property
    def sources(self) -> set[str]:
        """The populations that lead to others."""
        found = {term.source for form in self.forms.values() for term in form.terms}
        return found | {source for source, _ in self.largest.values()}
