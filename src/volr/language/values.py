"""What the checker knows of an expression: its type, its term, and where to point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from volr.language.syntax import Dense, Expression, Let, Name
    from volr.language.terms import Term


@dataclass(frozen=True, slots=True)
class Number:
    """Of type int, of so many decimal ``digits``; ``origin`` is where it is written.

    ``size`` is None where a mistake left it unknown (``digits`` is 1 then), or out of all bounds.
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

    That is the number as it is written, or the `⊖` whose sides it counts. Widths of the same
    origin are mended together.
    """

    size: int
    origin: Expression


@dataclass(frozen=True, slots=True)
class NetValue:
    """Of type net. A width that a mistake left unknown is None, and then ``term`` is, too.

    The rest are places for diagnostics: ``side``, the first of the parts beside one another;
    ``last``, the last of those after one another; ``layer``, the one that reads the input, if there
    is one, and the ``name`` by which it was used, if by one.
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
    """Of what has been reported already."""


Value: TypeAlias = Number | NetValue | Unknown


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name stands for, and where it was bound."""

    value: Value
    let: Let
