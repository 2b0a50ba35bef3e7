"""What the checker knows of an expression: its type, its term, and its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from volr.language.syntax import Dense, Expression, Let, Name
    from volr.language.terms import Term


@dataclass(frozen=True, slots=True)
class Number:
    """A value of type int with so many decimal ``digits``, written at ``origin``.

    ``size`` is None if a mistake left it unknown (``digits`` is then 1), or if it is too large.
    """

    size: int | None
    digits: int
    origin: Expression | None = None

    @property
    def huge(self) -> bool:
        return self.size is None and self.digits > 1


@dataclass(frozen=True, slots=True)
class Width:
    """The number of a network's inputs or outputs, and the expression that it comes from.

    This is the written number, or the `⊖` whose sides it adds up. One edit fixes all widths of one
    origin.
    """

    size: int
    origin: Expression


@dataclass(frozen=True, slots=True)
class NetValue:
    """A value of type net. A width that a mistake left unknown is None, and then so is ``term``.

    The other fields are places for diagnostics. ``side`` is the first of the parts side by side,
    ``last`` the last of the parts one after the other, ``layer`` the layer that reads the input, if
    there is one, and ``name`` the name by which the value was used, if there is one.
    """

    inputs: Width | None
    outputs: Width | None
    term: Term | None
    side: Expression
    last: Expression
    layer: Dense | None = None
    name: Name | None = None

    def used_at(self, name: Name) -> NetValue:
        return replace(self, side=name, last=name, name=name)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value whose mistake is reported already."""


Value: TypeAlias = Number | NetValue | Unknown


@dataclass(frozen=True, slots=True)
class Binding:
    """The value of a name, and where it was bound."""

    value: Value
    let: Let
