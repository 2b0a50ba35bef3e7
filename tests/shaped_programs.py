"""Random programs of every construct: shapes, all layers, sums, loops, functions, `_`.

They are well typed, small, and seldom square. A network is drawn for the shapes of both of its
ends, so that every rule of types can be met: between two shapes, there are all windows, strides and
paddings that lead from one to the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import strategies as st
from tests.shaped_arguments import Arguments, Place, sized
from tests.strategies import picker

from volr.language.printer import format_expression
from volr.language.syntax import Expression, Let, Loop, Name, Parallel, Sequence, Sum
from volr.source import Source

if TYPE_CHECKING:
    from random import Random

    from hypothesis.strategies import DrawFn
    from tests.strategies import Pick

    from volr.language.types import Shape

DEPTH = 3
NAMES = ("n", "width", "_w", "l1", "l1'", "λ")
CHANNELS, SIZES, WINDOWS = (1, 2, 3, 4), (2, 3, 4, 5, 7), (1, 2, 3, 4)
STRIDES, PADS = (1, 1, 2, 3), (0, 0, 1, 2)


@dataclass(frozen=True)
class ShapedProgram:
    """A program of type ``net inputs outputs``. ``alone`` says that it ends in one population."""

    expression: Expression
    inputs: Shape
    outputs: Shape
    alone: bool

    @property
    def text(self) -> str:
        return format_expression(self.expression)

    @property
    def source(self) -> Source:
        return Source(self.text)


@dataclass(frozen=True)
class Net:
    """A name of a network. It may have a `_` that its use fills in (``blank``).

    ``alone`` says that it ends in one population, and ``one`` that it reads one only.
    """

    inputs: Shape
    outputs: Shape
    alone: bool
    blank: bool
    one: bool


@dataclass(frozen=True)
class Function:
    """A name of a function: the meanings of its arguments, and of what it gives."""

    arguments: tuple[int | Shape | Net, ...]
    gives: Net


Meaning: TypeAlias = "int | Shape | Net | Function"
Scope: TypeAlias = "dict[str, Meaning]"
_Drawn: TypeAlias = "tuple[Expression, bool]"


def shapes() -> st.SearchStrategy[Shape]:
    """Shapes of one to three axes."""
    channel, size = st.sampled_from(CHANNELS), st.sampled_from(SIZES)
    row = st.tuples(st.sampled_from(range(1, 8)))
    return st.one_of(row, st.tuples(channel, size), st.tuples(channel, size, size))


@st.composite
def shaped_programs(
    draw: DrawFn,
    inputs: Shape | None = None,
    outputs: Shape | None = None,
    *,
    alone: bool = False,
    several: bool = False,
    loops: bool = True,
    depth: int = DEPTH,
) -> ShapedProgram:
    """Programs between the given or random shapes.

    Those that are ``alone`` end in one population. Where ``several`` may stand before them, they
    can read them all.
    """
    inputs = draw(shapes()) if inputs is None else inputs
    outputs = draw(shapes()) if outputs is None else outputs

    place = Place(inputs, blank=False, several=several, alone=alone)
    expression, ends = _Drawing(picker(draw), loops).network(outputs, {}, place, depth)
    return ShapedProgram(expression, inputs, outputs, ends)


def random_shaped_program(random: Random, depth: int = DEPTH) -> ShapedProgram:
    """A program as ``shaped_programs`` draws them, by a seed."""
    drawing = _Drawing(random.choice)
    inputs, outputs = drawing.shape(), drawing.shape()
    place = Place(inputs, blank=False, several=False, alone=False)
    expression, alone = drawing.network(outputs, {}, place, depth)
    return ShapedProgram(expression, inputs, outputs, alone)


@dataclass(frozen=True)
class _Drawing:
    """Draws by ``pick``. With each network comes whether it ends in one population."""

    pick: Pick
    loops: bool = True

    @property
    def arguments(self) -> Arguments:
        return Arguments(self.pick)

    def shape(self) -> Shape:
        axes = self.pick((1, 2, 3))
        if axes == 1:
            return (self.pick(range(1, 8)),)
        return (self.pick(CHANNELS), *(self.pick(SIZES) for _ in range(axes - 1)))

    def network(self, target: Shape, scope: Scope, place: Place, depth: int) -> _Drawn:
        kinds = ["layer"]
        names = self._names(target, scope, place)
        kinds += ["name"] * 4 if names else []
        if depth > 0:
            kinds += ["sequence", "sequence", "sequence", "sum", "let", "let"]
            kinds += ["parallel"] if target[0] > 1 and not place.alone else []
            kinds += ["loop"] if self.loops else []
            kinds += ["repeat", "repeat"] if place.shape == target else []
        match self.pick(kinds):
            case "name":
                return self._name(self.pick(names), scope, place, depth - 1)
            case "sequence":
                return self._sequence(target, scope, place, depth - 1)
            case "sum":
                both = replace(place, alone=True)
                left, _ = self.network(target, scope, both, depth - 1)
                right, _ = self.network(target, scope, both, depth - 1)
                return Sum(left, right), True
            case "parallel":
                first = self.pick(range(1, target[0]))
                left, _ = self.network((first, *target[1:]), scope, place, depth - 1)
                rest = (target[0] - first, *target[1:])
                right, _ = self.network(rest, scope, place, depth - 1)
                return Parallel(left, right), False
            case "loop":
                first, _ = self.network(target, scope, replace(place, alone=True), depth - 1)
                at = Place(target, blank=True, several=False, alone=True)
                back, _ = self.network(target, scope, at, depth - 1)
                return Loop(first, back), True
            case "repeat":
                several = place.several or not place.alone
                body, alone = self.network(
                    target, scope, replace(place, several=several), depth - 1
                )
                count = self.arguments.number(self.pick((1, 2, 3)), scope)
                return sized("repeat", count, body), alone
            case "let":
                return self._let(target, scope, place, depth - 1)
            case _:
                return self._layer(target, scope, place)

    def _sequence(self, target: Shape, scope: Scope, place: Place, depth: int) -> _Drawn:
        between = self.pick([self.shape(), self._reachable(place.shape), target])
        first, alone = self.network(between, scope, replace(place, alone=False), depth)
        after = Place(between, blank=True, several=not alone, alone=place.alone)
        second, alone = self.network(target, scope, after, depth)
        return Sequence(first, second), alone

    def _reachable(self, source: Shape) -> Shape:
        """What a convolution or a pool may make of a shape."""
        channels = self.pick([source[0], *CHANNELS])
        return (channels, *(self.pick(range(1, n + 1)) for n in source[1:]))

    # Layers.

    def _layer(self, target: Shape, scope: Scope, place: Place) -> _Drawn:
        source, arguments = place.shape, self.arguments
        read = arguments.read(scope, place)
        kinds = ["dense"]
        pools = _windows(source, target, (0,))
        waits = not (place.alone and place.several)
        kinds += ["id", "id"] if waits and source == target else []
        kinds += ["conv"] * 4 if _windows(source, target, PADS) else []
        kinds += ["avgpool", "maxpool"] * 2 if waits and pools and source[0] == target[0] else []
        match kind := self.pick(kinds):
            case "id":
                return sized("id", read), not place.several
            case "conv":
                axes = [self.pick(each) for each in _windows(source, target, PADS)]
                groups = 1
                if not place.several:
                    common = math.gcd(source[0], target[0])
                    groups = self.pick([g for g in (1, 2, 3, 4) if common % g == 0])
                call = sized(
                    "conv", read, arguments.number(target[0], scope), arguments.axes(axes, 0, scope)
                )
                return arguments.labelled(call, axes, groups, scope), True
            case "avgpool" | "maxpool":
                axes = [self.pick(each) for each in pools]
                call = sized(kind, read, arguments.axes(axes, 0, scope))
                return arguments.strided(call, axes, scope), not place.several
            case _:
                return sized("dense", read, arguments.shape(target, scope)), True

    # Names.

    def _names(self, target: Shape, scope: Scope, place: Place) -> list[str]:
        """The names of networks, and of functions that give some, that may stand here."""
        found: list[str] = []
        for name, meaning in scope.items():
            net = meaning.gives if isinstance(meaning, Function) else meaning
            if not isinstance(net, Net) or (net.inputs, net.outputs) != (place.shape, target):
                continue
            fits = (place.blank or not net.blank) and (net.alone or not place.alone)
            if fits and not (net.one and place.several):
                found.append(name)
        return found

    def _name(self, name: str, scope: Scope, place: Place, depth: int) -> _Drawn:
        meaning = scope[name]
        if not isinstance(meaning, Function):
            return Name(name), isinstance(meaning, Net) and meaning.alone
        row: list[Expression] = []
        for each in meaning.arguments:
            match each:
                case int():
                    row.append(self.arguments.number(each, scope))
                case tuple():
                    at = self.arguments.shape(each, scope)
                    row.append(self.arguments.read(scope, place) if each == place.shape else at)
                case Net():
                    row.append(self._value(each, scope, max(depth - 1, 0)))
        return sized(name, *row), meaning.gives.alone

    def _value(self, net: Net, scope: Scope, depth: int) -> Expression:
        """A network for a name of it."""
        at = Place(net.inputs, blank=net.blank, several=not net.one, alone=net.alone)
        return self.network(net.outputs, scope, at, depth)[0]

    def _net(self, target: Shape, place: Place) -> Net:
        source = place.shape
        ends = self.pick([(source, target), (source, source), (target, target), (source, target)])
        flags = [self.pick((False, True)) for _ in range(3)]
        return Net(*ends, alone=flags[0], blank=flags[1], one=flags[2])

    def _let(self, target: Shape, scope: Scope, place: Place, depth: int) -> _Drawn:
        name = self.pick(NAMES)
        numbers = [*place.shape, *target]
        parameters: tuple[str, ...] = ()
        match self.pick(("number", "shape", "network", "network", "function", "function")):
            case "number":
                meaning: Meaning = self.pick(numbers)
                value = self.arguments.number(meaning, scope)
            case "shape":
                meaning = self.pick([place.shape, target])
                value = self.arguments.shape(meaning, scope)
            case "network":
                meaning = self._net(target, place)
                value = self._value(meaning, scope, depth)
            case _:
                gives = self._net(target, place)
                takes: list[int | Shape | Net] = [
                    self.pick([self.pick(numbers), gives.inputs, gives.outputs]),
                    replace(gives, alone=True, one=False),
                ]
                takes = takes[: self.pick((1, 2))]
                parameters = tuple(each for each in NAMES if each != name)[: len(takes)]
                inner: Scope = {**scope, **dict(zip(parameters, takes, strict=True))}
                meaning = Function(tuple(takes), gives)
                value = self._value(gives, inner, depth)
        body, alone = self.network(target, {**scope, name: meaning}, place, depth)
        return Let(name, value, body, tuple(map(Name, parameters))), alone


def _windows(source: Shape, target: Shape, pads: tuple[int, ...]) -> list[list[tuple[int, ...]]]:
    """By axis all (window, stride, pad) from one shape to the other; none where there is no way."""
    if len(source) != len(target) or len(source) not in (2, 3):
        return []
    found = [
        [
            (window, stride, pad)
            for window in WINDOWS
            for stride in STRIDES
            for pad in pads
            if window <= n + 2 * pad and (n + 2 * pad - window) // stride + 1 == m
        ]
        for n, m in zip(source[1:], target[1:], strict=True)
    ]
    return found if all(found) else []
