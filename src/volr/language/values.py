"""What the checker knows of an expression: its type, its term, and its place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Hashable

    from volr.language.syntax import Call, Expression, Let, Name
    from volr.language.terms import Term
    from volr.language.types import Shape


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
class ShapeValue:
    """A value of type shape, written at ``origin``; None if a mistake left it unknown.

    ``axes`` are where its numbers come from. What takes it says how large they must be at least.
    """

    shape: Shape | None
    origin: Expression | None = None
    axes: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Width:
    """The shape of a network's inputs or outputs, and the expression that it comes from.

    This is the written number or shape, the layer that computes it, or the `⊖` whose sides it adds
    up. One edit fixes all widths of one origin.
    """

    shape: Shape
    origin: Expression


class Absent(Enum):
    """Why there is no shape before an expression."""

    NOTHING = "it begins the program"
    OPEN = "it is the value of a name, and each use has its own"
    LOST = "a mistake left it unknown"


Before: TypeAlias = "Width | Absent"
"""The shape of what comes before an expression."""


@dataclass(frozen=True, slots=True)
class NetValue:
    """A value of type net. A width that a mistake left unknown is None, and then so is ``term``.

    An ``open`` value has a `_` that the use of its name fills in. The other fields are places for
    diagnostics. ``side`` is the first of the parts side by side, ``last`` the last of the parts one
    after the other, ``layer`` the layer that reads the input, if there is one, and ``name`` the
    name by which the value was used, if there is one.
    """

    inputs: Width | None
    outputs: Width | None
    term: Term | None
    side: Expression
    last: Expression
    layer: Call | None = None
    name: Name | None = None
    open: bool = False

    def used_at(self, name: Name) -> NetValue:
        return replace(self, side=name, last=name, name=name)

    def called_at(self, call: Call) -> NetValue:
        return replace(self, side=call, last=call, layer=None, name=None)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value whose mistake is reported already."""


Value: TypeAlias = Number | ShapeValue | NetValue | Unknown


@dataclass(eq=False, slots=True)
class Binding:
    """The value of a name, where it was bound, and its expression.

    ``by_shape`` has the values of an open one by the shape of what came before.
    """

    value: Value
    let: Let | None
    expression: Expression
    by_shape: dict[Hashable, Value] = field(default_factory=dict["Hashable", "Value"])

    def key(self) -> Hashable:
        """The same for bindings that a function cannot tell apart."""
        match self.value:
            case Number(size=size, digits=digits, origin=origin):
                return (size, digits, id(origin))
            case ShapeValue(shape=shape, origin=origin):
                return (shape, id(origin))
            case NetValue() | Unknown():
                return self


@dataclass(eq=False, slots=True)
class Function:
    """A function, and its values by arguments and by the shape of what came before.

    They hold the bindings of the arguments too, so that no other binding gets their identity.
    """

    let: Let
    results: dict[Hashable, Value] = field(default_factory=dict["Hashable", "Value"])


def key_of(before: Before) -> Hashable:
    return (before.shape, id(before.origin)) if isinstance(before, Width) else before
