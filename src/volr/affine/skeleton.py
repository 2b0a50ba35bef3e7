"""A network before it has projections: its populations, and what arrives at each, as forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.affine.forms import Form
    from volr.affine.terms import Room
    from volr.network.connectors import Shape, Windows


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
