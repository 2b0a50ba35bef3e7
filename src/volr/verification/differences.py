"""What a comparison finds: every difference, and how many values were asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal["topology", "parameters"]

FIELDS = (
    *("populations", "inputs", "outputs", "weights", "biases", "merges", "activations"),
    *("cells", "delays", "dt", "ticks", "precision", "rest"),
)
"""What is compared, by name. A parameter of the neurons is, for example, ``cells.tau_m``, and a
part of the rest of a document ``rest.program``."""


@dataclass(frozen=True)
class Difference:
    """One difference from the model.

    ``where`` is a population or a projection. ``message`` says what was found there and what was
    expected, ``cause`` what mistake would explain it, or None. ``field`` is one of ``FIELDS``, a
    parameter of the neurons, or a part of the rest.
    """

    kind: Kind
    where: str
    message: str
    cause: str | None = None
    field: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.cause})" if self.cause else "")


@dataclass
class Tally:
    """How many values of a field the back end was asked for, and how many the model told it.

    ``notes`` say how it was asked if it was not a plain question, ``why`` why it could not be.
    """

    asked: int = 0
    told: int = 0
    notes: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Every difference in what was asked, and how much was asked, by field."""

    differences: tuple[Difference, ...]
    fields: Mapping[str, Tally]

    @property
    def asked(self) -> int:
        """The number of values that were asked for and compared."""
        return sum(each.asked for each in self.fields.values())

    @property
    def told(self) -> int:
        """The number of values that the back end only has from the model: they prove nothing."""
        return sum(each.told for each in self.fields.values())
