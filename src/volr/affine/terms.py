"""What arrives from one population, as a map that a projection can be.

    Term  ::=  Scaled(source, pools, scale)              each mean of the pools times a number
            |  Weighted(source, pools, connector, weights)

Each of the two can have a delay, in the unit of time of its graph. Terms of different delays stay
apart.

A node makes another term of a term. It stays a kernel where that is exact: a pool behind a kernel
is a larger kernel with a larger stride, say. Where nothing but single weights says it, the term is
written out as a matrix, ``AllToAll``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.network.connectors import (
    AllToAll,
    AveragePool,
    Convolution,
    OneToOne,
    Pooled,
    shape_through,
)
from volr.system.memory import check_room

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


@dataclass
class Room:
    """The memory, bytes, that the forms of a graph have taken: a small file may need a lot.

    ``computed`` is how many numbers were computed that are the same for every stimulus.
    """

    taken: int = 0
    computed: int = 0

    def take(self, *shape: int) -> None:
        """Raise ``ModelError`` unless there is room for one more matrix."""
        self.taken += 8 * math.prod(shape)
        check_room({"its matrices": self.taken}, "to multiply out the graph")


@dataclass(frozen=True, eq=False)
class Scaled:
    """The values of ``source``, seen in the shape ``of``, after ``pools``, times ``scale`` each.

    ``scale`` is ``[value]``.
    """

    source: str
    of: Shape
    scale: Floats
    pools: tuple[AveragePool, ...] = ()
    delay: float = 0.0

    @property
    def given(self) -> Shape:
        """The shape of the values."""
        return shape_through(self.pools, self.of)

    @property
    def kept(self) -> bool:
        """Whether it is the values of the source, unchanged and at once."""
        return not self.pools and not self.delay and bool((self.scale == 1.0).all())

    def seen(self, shape: Shape, room: Room) -> Term:
        """The same values in another shape."""
        if shape == self.given:
            return self
        if not self.pools:
            return replace(self, of=shape)
        return replace(self.written_out(room), given=shape)

    def times(self, scale: Floats, room: Room) -> Term:
        """Each value times a number ``[value]``."""
        del room
        return replace(self, scale=self.scale * scale)

    def weighted(self, weight: Floats, room: Room) -> Term:
        """The product with a matrix ``[post, value]``."""
        if not (self.scale == 1.0).all():
            room.take(*weight.shape)
            weight = weight * self.scale
        return self.through(AllToAll(), weight, (len(weight),))

    def pooled(self, pool: AveragePool, room: Room) -> Term:
        """The means of windows."""
        factors = factors_of_channels(self.scale, self.given)
        if factors is None:
            return self.written_out(room).pooled(pool, room)
        area = math.prod(pool.reduced(self.given)[1:])
        return replace(self, scale=np.repeat(factors, area), pools=(*self.pools, pool))

    def convolved(self, connector: Convolution, weights: Floats, target: Shape, room: Room) -> Term:
        """What a kernel makes of it."""
        factors = factors_of_channels(self.scale, self.given)
        if factors is None:
            return self.written_out(room).convolved(connector, weights, target, room)
        if not (factors == 1.0).all():
            room.take(*weights.shape)
            groups, axes = connector.groups, (1,) * len(connector.window)
            before = np.repeat(factors.reshape(groups, -1), target[0] // groups, axis=0)
            weights = weights * before.reshape(*before.shape, *axes)
        return self.through(connector, weights, target)

    def through(self, connector: AllToAll | Convolution, weights: Floats, given: Shape) -> Weighted:
        """What a connector gives of the same source and pools, without the scale."""
        return Weighted(self.source, self.of, connector, weights, given, self.pools, self.delay)

    def written_out(self, room: Room) -> Weighted:
        """The same with a weight for each pair of neurons."""
        size = math.prod(self.of)
        room.take(len(self.scale), size)
        if self.pools:
            means = Pooled(self.pools, OneToOne()).matrix(np.ones(1), self.of, self.given, 0.0)
            matrix = means * self.scale[:, None]
        else:
            matrix = np.diag(self.scale)
        return replace(self.through(AllToAll(), matrix, self.given), of=(size,), pools=())


@dataclass(frozen=True, eq=False)
class Weighted:
    """A ``connector`` with ``weights`` from ``source``, seen as ``of``, through ``pools``.

    ``given`` is the shape of what it gives.
    """

    source: str
    of: Shape
    connector: AllToAll | Convolution
    weights: Floats
    given: Shape
    pools: tuple[AveragePool, ...] = field(default=())
    delay: float = 0.0

    kept = False

    def seen(self, shape: Shape, room: Room) -> Term:
        """The same values in another shape."""
        if shape == self.given:
            return self
        found = self if isinstance(self.connector, AllToAll) else self.written_out(room)
        return replace(found, given=shape)

    def times(self, scale: Floats, room: Room) -> Term:
        """Each value times a number ``[value]``."""
        if isinstance(self.connector, AllToAll):
            return replace(self, weights=self.weights * scale[:, None])
        factors = factors_of_channels(scale, self.given)
        if factors is None:
            return self.written_out(room).times(scale, room)
        axes = (1,) * (self.weights.ndim - 1)
        return replace(self, weights=self.weights * factors.reshape(-1, *axes))

    def weighted(self, weight: Floats, room: Room) -> Term:
        """The product with a matrix ``[post, value]``."""
        found = self.written_out(room)
        room.take(len(weight), found.weights.shape[1])
        return replace(found, weights=weight @ found.weights, given=(len(weight),))

    def pooled(self, pool: AveragePool, room: Room) -> Term:
        """The means of windows."""
        if isinstance(self.connector, Convolution):
            connector, weights = _with_means(self.connector, self.weights, pool, room)
            return replace(
                self, connector=connector, weights=weights, given=pool.reduced(self.given)
            )
        target = pool.reduced(self.given)
        room.take(math.prod(target), math.prod(pool.window))
        room.take(math.prod(target), self.weights.shape[1])
        means = _means(self.weights.T, pool, self.given).T
        return replace(self, weights=means, given=target)

    def convolved(self, connector: Convolution, weights: Floats, target: Shape, room: Room) -> Term:
        """What a kernel makes of it."""
        found = self.written_out(room)
        room.take(math.prod(target), found.weights.shape[1])
        matrix = connector.apply(weights, found.weights.T, self.given, target).T
        return replace(found, weights=matrix, given=target)

    def written_out(self, room: Room) -> Weighted:
        """The same with a weight for each pair of neurons, or of a mean and a neuron."""
        if isinstance(self.connector, AllToAll):
            return self
        connector = Pooled(self.pools, self.connector) if self.pools else self.connector
        size = math.prod(self.of)
        room.take(math.prod(self.given), size)
        matrix = connector.matrix(self.weights, self.of, self.given, 0.0)
        return replace(self, of=(size,), connector=AllToAll(), weights=matrix, pools=())


Term: TypeAlias = Scaled | Weighted


def factors_of_channels(values: Floats, shape: Shape) -> Floats | None:
    """Numbers by unit as numbers by channel, ``[channel]``; None where they differ within one."""
    each = values.reshape(shape[0], -1)
    return each[:, 0] if bool((each == each[:, :1]).all()) else None


def as_kernel(term: Scaled, room: Room) -> Weighted:
    """Values, all times one number, as a kernel of one place for each channel, or as a matrix."""
    shape = term.given
    if len(shape) not in {2, 3}:
        return term.written_out(room)
    window = (1,) * (len(shape) - 1)
    weights = np.full((shape[0], 1, *window), term.scale[0])
    kernel = Convolution(window, groups=shape[0])
    return term.through(kernel, weights, shape)


def block(term: Term, room: Room) -> Floats:
    """The weight of each synapse, ``[post, pre]``, NaN where there is none."""
    room.take(math.prod(term.given), math.prod(term.of))
    if isinstance(term, Weighted):
        connector = Pooled(term.pools, term.connector) if term.pools else term.connector
        return connector.matrix(term.weights, term.of, term.given, math.nan)
    same = Pooled(term.pools, OneToOne()) if term.pools else OneToOne()
    return same.matrix(np.ones(1), term.of, term.given, math.nan) * term.scale[:, None]


def added_up(terms: list[Term], room: Room) -> tuple[Term, ...]:
    """Terms of which no two can be one, in their order."""
    found: dict[object, Term] = {}
    for term in terms:
        dense = isinstance(term, Weighted) and isinstance(term.connector, AllToAll)
        whole = not term.pools and (dense or len(term.of) == 1)
        connector = term.connector if isinstance(term, Weighted) else None
        key = (term.source, term.delay)
        key = key if whole else (*key, term.of, term.pools, connector)
        before = found.get(key)
        found[key] = term if before is None else _sum(before, term, room)
    return tuple(found.values())


def _sum(a: Term, b: Term, room: Room) -> Term:
    if isinstance(a, Scaled) and isinstance(b, Scaled):
        return replace(a, scale=a.scale + b.scale)
    a = a.written_out(room) if isinstance(a, Scaled) else a
    b = b.written_out(room) if isinstance(b, Scaled) else b
    room.take(*a.weights.shape)
    return replace(a, weights=a.weights + b.weights)


def means_of(values: Floats, pool: AveragePool, shape: Shape) -> Floats:
    """The means of windows of values ``[unit]``."""
    return _means(values[None], pool, shape)[0]


def _means(values: Floats, pool: AveragePool, shape: Shape) -> Floats:
    """The means of windows, ``[row, mean]`` of ``[row, unit]``."""
    target = pool.reduced(shape)
    total = np.zeros((len(values), math.prod(target)))
    # One member of each window at a time.
    for member in pool.members(shape).T:
        total += values[:, member]
    return total / math.prod(pool.window)


def _with_means(
    connector: Convolution, weights: Floats, pool: AveragePool, room: Room
) -> tuple[Convolution, Floats]:
    """A kernel and the means of windows of its result, as one kernel.

    The windows of a mean are one beside the other at the kernel's stride, so the kernel spreads
    over (window − 1) · stride places more.
    """
    for axis, (count, stride) in enumerate(zip(pool.window, connector.stride, strict=True), 2):
        width = weights.shape[axis]
        shape = [*weights.shape]
        shape[axis] = width + (count - 1) * stride
        room.take(*shape)
        spread = np.moveaxis(np.zeros(shape), axis, 0)
        kernel = np.moveaxis(weights, axis, 0)
        for number in range(count):
            spread[number * stride : number * stride + width] += kernel
        weights = np.moveaxis(spread, 0, axis) / count
    strides = zip(connector.stride, pool.stride, strict=True)
    made = Convolution(
        weights.shape[2:], tuple(a * b for a, b in strides), connector.pad, connector.groups
    )
    return made, np.ascontiguousarray(weights)
