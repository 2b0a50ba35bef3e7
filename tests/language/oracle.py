"""The meaning of a program, straight from the equations of the language, by plain recursion.

    ⟦e⟧ x               =  σ (drive e x)
    drive (dense S T) x =  W x + b                drive (e ⊕ e') x  =  drive e x + drive e' x
    drive (conv …)    x =  K * x + b              drive (e ⊖ e') x  =  drive e x ++ drive e' x
    drive (e ⦶ e')    x =  drive e' (⟦e⟧ x)       ⟦avgpool …⟧ x     =  the mean of each window of x
    drive (id S)      x =  x                      ⟦id S⟧ x          =  x

It reads trees, and knows nothing of types, terms and networks. A name stands for an expression in
its own surroundings, so everything is evaluated where it is used. σ is tanh. Loops are left out.

What stands side by side stays a list of parts, each of a population, so that the weights of a
layer can be drawn by part. Those of the k-th population that has any come from a generator seeded
with k: first those of its layers and parts in order, then the bias.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from volr.language.syntax import (
    Arithmetic,
    Blank,
    Call,
    Expression,
    Integer,
    Let,
    Name,
    Parallel,
    Sequence,
    Shape,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.language import types

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """A population, or the means of its windows: what it sums up to, and what it gives on."""

    sums: Floats
    gives: Floats


@dataclass(frozen=True)
class Bound:
    """What a name stands for: an expression in its surroundings, or a shape that is known."""

    value: Expression | tuple[int, ...]
    names: Mapping[str, Bound]
    parameters: tuple[str, ...] = ()


Names: TypeAlias = "Mapping[str, Bound]"
_Draw: TypeAlias = "Callable[[types.Shape], Floats]"


@dataclass(frozen=True)
class _Drive:
    """What one layer adds to a population, and whether it has a bias by neuron or by channel."""

    gives: Callable[[_Draw], Floats]
    bias: str


@dataclass
class _Meaning:
    drawn: int = 0

    # Numbers and shapes.

    def shape(self, node: Expression, names: Names, before: list[Part]) -> types.Shape:
        match node:
            case Integer(digits):
                return (int(digits),)
            case Shape(axes):
                return tuple(self.number(each, names) for each in axes)
            case Blank():
                return (sum(each.gives.shape[0] for each in before), *before[0].gives.shape[1:])
            case Sum(left, right):
                return (self.number(left, names) + self.number(right, names),)
            case Arithmetic(sign, left, right):
                a, b = self.number(left, names), self.number(right, names)
                return ({"-": a - b, "*": a * b, "/": a // b}[sign],)
            case Let(name, value, body):
                return self.shape(body, {**names, name: Bound(value, names)}, before)
            case Name(text):
                found = names[text]
                if isinstance(found.value, tuple):
                    return found.value
                return self.shape(found.value, found.names, before)
            case _:
                raise TypeError(f"{node} is no shape")

    def number(self, node: Expression, names: Names) -> int:
        (found,) = self.shape(node, names, [])
        return found

    # Networks.

    def run(self, node: Expression, names: Names, before: list[Part]) -> list[Part]:
        """⟦node⟧, part by part."""
        match node:
            case Sequence(left, right):
                return self.run(right, names, self.run(left, names, before))
            case Parallel(left, right):
                first = self.run(left, names, before)
                return first + self.run(right, names, before)
            case Call(Name("avgpool"), _):
                means = self._windowed(node, names, before, np.mean)
                return [Part(each, each) for each in means]
            case Call(Name("maxpool"), _):
                found = self._windowed(node, names, before, np.max)
                return [Part(each, each) for each in found]
            case Call(Name("id"), _):
                return before
            case Call(Name("repeat"), (count, body)):
                for _ in range(self.number(count.value, names)):
                    before = self.run(body.value, names, before)
                return before
            case Name() | Let() | Call() if (inner := self._inner(node, names, before)) is not None:
                return self.run(*inner, before)
            case _:
                return [self._population(self.drives(node, names, before))]

    def drives(self, node: Expression, names: Names, before: list[Part]) -> list[_Drive]:
        """drive node, as the parts of its sum."""
        match node:
            case Sequence(left, right):
                return self.drives(right, names, self.run(left, names, before))
            case Sum(left, right):
                first = self.drives(left, names, before)
                return first + self.drives(right, names, before)
            case Call(Name("repeat"), (count, body)):
                for _ in range(self.number(count.value, names) - 1):
                    before = self.run(body.value, names, before)
                return self.drives(body.value, names, before)
            case Call(Name("dense"), (source, target)):
                inputs = self.shape(source.value, names, before)
                if math.prod(inputs) != sum(each.gives.size for each in before):
                    raise ValueError(f"{node} on {[each.gives.shape for each in before]}")
                return [_dense(self.shape(target.value, names, before), before)]
            case Call(Name("conv"), (_, channels, _, *_)):
                axes = before[0].gives.ndim - 1
                window, stride, pad = (
                    self._axes(node, names, which, default, axes)
                    for which, default in ((2, ()), ("stride", (1,)), ("pad", (0,)))
                )
                groups = self._axes(node, names, "groups", (1,), 1)[0]
                outputs = self.number(channels.value, names)
                return [_conv(outputs, window, stride, pad, groups, before)]
            case Name() | Let() | Call() if (inner := self._inner(node, names, before)) is not None:
                return self.drives(*inner, before)
            case _:
                (only,) = self.run(node, names, before)  # avgpool, maxpool, id
                return [_Drive(lambda _: only.gives, "none")]

    def _inner(
        self, node: Name | Let | Call, names: Names, before: list[Part]
    ) -> tuple[Expression, Names] | None:
        """The expression that a `let`, a name or a call of a function stands for."""
        match node:
            case Let(name, value, body, parameters):
                taken = tuple(each.text for each in parameters)
                return body, {**names, name: Bound(value, names, taken)}
            case Name(text):
                found = names[text]
            case Call(Name(text), arguments) if text in names:
                found = names[text]
                given: dict[str, Bound] = {}
                for parameter, each in zip(found.parameters, arguments, strict=True):
                    value: Expression | types.Shape = each.value
                    if isinstance(value, Blank):
                        value = self.shape(value, names, before)
                    given[parameter] = Bound(value, names)
                if isinstance(found.value, tuple):
                    raise TypeError(f"{text} is a shape")
                return found.value, {**found.names, **given}
            case _:
                return None
        if isinstance(found.value, tuple):
            raise TypeError(f"{node} is a shape")
        return found.value, found.names

    def _population(self, drives: list[_Drive]) -> Part:
        """One population with all that drives it, and one bias."""
        kinds = {each.bias for each in drives} - {"none"}
        self.drawn += bool(kinds)
        rng = np.random.default_rng(self.drawn)
        sums = sum(each.gives(lambda shape: rng.normal(size=shape)) for each in drives)
        sums = np.asarray(sums)
        if kinds == {"channel"}:
            sums = sums + rng.normal(size=sums.shape[0]).reshape(-1, *(1,) * (sums.ndim - 1))
        elif kinds:
            sums = sums + rng.normal(size=sums.size).reshape(sums.shape)
        return Part(sums, np.tanh(sums))

    def _axes(
        self, node: Call, names: Names, which: int | str, default: types.Shape, axes: int
    ) -> types.Shape:
        """An argument by its place or label, as one number for each axis."""
        found = default
        for index, each in enumerate(node.arguments):
            if which in (each.label or None, None if each.label else index):
                found = self.shape(each.value, names, [])
        return found * axes if len(found) == 1 else found

    def _windowed(
        self, node: Call, names: Names, before: list[Part], merge: Callable[[Floats], np.float64]
    ) -> list[Floats]:
        """The mean, or the largest, of each window of each part."""
        axes = before[0].gives.ndim - 1
        window = self._axes(node, names, 1, (), axes)
        stride = self._axes(node, names, "stride", window, axes)
        found: list[Floats] = []
        for part in before:
            x = part.gives
            sizes = _sizes(x.shape[1:], window, stride)
            result = np.empty((x.shape[0], *sizes))
            for channel, *at in np.ndindex(*result.shape):
                places = tuple(
                    slice(s * i, s * i + w) for i, s, w in zip(at, stride, window, strict=True)
                )
                result[(channel, *at)] = merge(x[(channel, *places)])
            found.append(result)
        return found


def meaning(expression: Expression, x: Floats) -> Floats:
    """What a closed program computes from x, in the shape of its input: ``[outputs]``.

    The program shows what its last layers sum up to, without σ. What is shown a second time, or
    read by an `avgpool`, is shown as it is given on.
    """
    shown: set[int] = set()
    found: list[Floats] = []
    for each in _Meaning().run(expression, {}, [Part(x, x)]):
        found.append((each.gives if id(each) in shown else each.sums).ravel())
        shown.add(id(each))
    return np.concatenate(found)


def _dense(outputs: types.Shape, before: list[Part]) -> _Drive:
    def gives(draw: _Draw) -> Floats:
        size = math.prod(outputs)
        rows = [draw((size, each.gives.size)) @ each.gives.ravel() for each in before]
        return np.sum(rows, axis=0).reshape(outputs)

    return _Drive(gives, "neuron")


def _conv(
    outputs: int,
    window: types.Shape,
    stride: types.Shape,
    pad: types.Shape,
    groups: int,
    before: list[Part],
) -> _Drive:
    def gives(draw: _Draw) -> Floats:
        return np.sum([_convolved(each.gives, draw) for each in before], axis=0)

    def _convolved(x: Floats, draw: _Draw) -> Floats:
        """Entry by entry, with the sums of the definition."""
        inputs, each = x.shape[0] // groups, outputs // groups
        kernel = draw((outputs, inputs, *window))
        padded = np.pad(x, [(0, 0), *((p, p) for p in pad)])
        result = np.zeros((outputs, *_sizes(padded.shape[1:], window, stride)))
        for channel, *at in np.ndindex(*result.shape):
            first = channel // each * inputs
            places = tuple(
                slice(s * i, s * i + w) for i, s, w in zip(at, stride, window, strict=True)
            )
            seen = padded[(slice(first, first + inputs), *places)]
            result[(channel, *at)] = np.sum(kernel[channel] * seen)
        return result

    return _Drive(gives, "channel")


def _sizes(sizes: types.Shape, window: types.Shape, stride: types.Shape) -> types.Shape:
    return tuple((n - w) // s + 1 for n, w, s in zip(sizes, window, stride, strict=True))
