"""Random arguments of a value: numbers, shapes and `_`, written in all ways that programs have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from volr.language.syntax import (
    Argument,
    Arithmetic,
    Blank,
    Call,
    Expression,
    Integer,
    Let,
    Name,
    Shape,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.strategies import Pick

    from volr.language import types


@dataclass(frozen=True)
class Place:
    """Where a network stands: the shape before it, and whether a `_` can stand for that.

    ``several`` populations may stand side by side before it. One that is ``alone`` must end in one.
    """

    shape: types.Shape
    blank: bool
    several: bool
    alone: bool


def integer(value: int) -> Integer:
    return Integer(str(value))


def sized(name: str, *arguments: Expression) -> Call:
    return Call(Name(name), tuple(map(Argument, arguments)))


@dataclass(frozen=True)
class Arguments:
    """Draws by ``pick`` how a value is written; names that stand for it are in a scope."""

    pick: Pick

    def number(self, value: int, scope: Mapping[str, Any]) -> Expression:
        names = [name for name, found in scope.items() if found == value]
        kinds = ["integer"] * 9 + ["name"] * 9 * bool(names) + ["arithmetic", "arithmetic", "let"]
        match self.pick(kinds):
            case "name":
                return Name(self.pick(names))
            case "arithmetic":
                other = self.pick((1, 2, 3))
                written = integer(other)
                return self.pick(
                    [
                        Arithmetic("-", integer(value + other), written),
                        Arithmetic("/", integer(value * other), written),
                        Arithmetic("*", integer(value), integer(1)),
                        *([Sum(integer(value - other), written)] if value > other else []),
                    ]
                )
            case "let":
                return Let("n", integer(value), Name("n"))
            case _:
                return integer(value)

    def shape(self, value: types.Shape, scope: Mapping[str, Any]) -> Expression:
        names = [name for name, found in scope.items() if found == value]
        kinds = ["shape"] + ["name"] * bool(names) + ["number"] * 3 * (len(value) == 1)
        match self.pick(kinds):
            case "name":
                return Name(self.pick(names))
            case "number":
                return self.number(value[0], scope)
            case _:
                return Shape(tuple(self.number(each, scope) for each in value))

    def read(self, scope: Mapping[str, Any], place: Place) -> Expression:
        """The shape that a layer reads."""
        blank = place.blank and self.pick((True, True, False))
        return Blank() if blank else self.shape(place.shape, scope)

    def axes(
        self, axes: Sequence[tuple[int, ...]], which: int, scope: Mapping[str, Any]
    ) -> Expression:
        """A window, a stride or a padding: one number where all axes have the same, or each."""
        values = tuple(each[which] for each in axes)
        if len(set(values)) == 1 and self.pick((True, False)):
            return self.number(values[0], scope)
        return self.shape(values, scope)

    def labelled(
        self, call: Call, axes: Sequence[tuple[int, ...]], groups: int, scope: Mapping[str, Any]
    ) -> Call:
        """A convolution with its labels, in any order; those of the default may be left out."""
        row: list[Argument] = []
        for which, (label, default) in enumerate((("stride", 1), ("pad", 0)), start=1):
            told = any(each[which] != default for each in axes)
            # A padding of 0 is no size, so it is not computed.
            if told or self.pick((False, False, True)):
                plain = all(each[which] == 0 for each in axes)
                value = integer(0) if plain else self._least(axes, which, scope)
                row.append(Argument(value, label))
        if groups > 1 or self.pick((False, False, True)):
            row.append(Argument(self.number(groups, scope), "groups"))
        if self.pick((False, True)):
            row.reverse()
        return replace(call, arguments=(*call.arguments, *row))

    def _least(
        self, axes: Sequence[tuple[int, ...]], which: int, scope: Mapping[str, Any]
    ) -> Expression:
        zero = any(each[which] == 0 for each in axes)
        if zero:
            return Shape(tuple(integer(each[which]) for each in axes))
        return self.axes(axes, which, scope)

    def strided(
        self, call: Call, axes: Sequence[tuple[int, ...]], scope: Mapping[str, Any]
    ) -> Call:
        """A pool with its stride, which may be left out where it is the window."""
        told = any(window != stride for window, stride, _ in axes)
        if not (told or self.pick((False, True))):
            return call
        return replace(
            call, arguments=(*call.arguments, Argument(self.axes(axes, 1, scope), "stride"))
        )
