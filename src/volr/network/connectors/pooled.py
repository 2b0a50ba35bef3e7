"""``AveragePool``, and ``Pooled``: a connector that reads the means of windows of its source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.network.connectors.base import Connector, Entries, axes_text, by_channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from volr.checks.arrays import Floats, Integers
    from volr.network.connectors.base import Scaling, Shape


@dataclass(frozen=True, slots=True)
class AveragePool:
    """The mean of each window over the axes after the channels: ``[c, n…]`` to ``[c, m…]``.

        m = ⌊(n − window) / stride⌋ + 1      on each axis

    There are one or two axes. ``stride`` is the window by default. What no window reaches is not
    read. It has no neurons of its own.
    """

    window: Shape
    stride: Shape = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "stride", self.stride or self.window)

    def __str__(self) -> str:
        stride = f" stride:{axes_text(self.stride)}" if self.stride != self.window else ""
        return f"avgpool {axes_text(self.window)}{stride}"

    def misfit(self, source: Shape) -> str | None:
        """Why it cannot read a population of that shape; None where it can."""
        axes = len(self.window)
        if axes not in (1, 2) or len(self.stride) != axes:
            return f"{self} is of {axes} axes, and a pool is of one or two, all alike"
        if min(*self.window, *self.stride) < 1:
            return f"the window or the stride of {self} is below 1"
        if len(source) != axes + 1:
            words = "axis" if axes == 1 else "axes"
            return f"{self} needs a shape of channels and {axes} {words}, and this is {source}"
        for n, window, stride in zip(source[1:], self.window, self.stride, strict=True):
            if window > n:
                formula = f"⌊({n} − {window})/{stride}⌋ + 1 = {(n - window) // stride + 1}"
                return f"{self} makes {formula} of {n}"
        return None

    def reduced(self, source: Shape) -> Shape:
        """The shape of the means of a source that fits."""
        sizes = zip(source[1:], self.window, self.stride, strict=True)
        return source[0], *((n - window) // stride + 1 for n, window, stride in sizes)

    def members(self, source: Shape) -> Integers:
        """The neurons of each window, ``[mean, member]``, rising."""
        import numpy as np

        channels = math.prod(source[1:]) * np.arange(source[0])
        found = channels[:, None]
        inner = np.zeros((1, 1), np.int64)
        axes = zip(source[1:], self.reduced(source)[1:], self.window, self.stride, strict=True)
        for n, m, window, stride in axes:
            at = stride * np.arange(m)[:, None] + np.arange(window)
            inner = (n * inner[:, None, :, None] + at[None, :, None, :]).reshape(len(inner) * m, -1)
        return (found[:, None] + inner[None]).reshape(-1, inner.shape[1])


def shape_through(pools: Iterable[AveragePool], shape: Shape) -> Shape:
    """What a shape becomes through pools, one after the other, each of which fits."""
    for pool in pools:
        shape = pool.reduced(shape)
    return shape


def shared_by(pools: Iterable[AveragePool]) -> int:
    """The neurons behind one mean of these pools, one after the other."""
    return math.prod(math.prod(pool.window) for pool in pools)


@dataclass(frozen=True, slots=True)
class Pooled(Connector):
    """A ``connector`` that reads its source through ``pools``, from the source on.

    Weights are the connector's. A synapse has 1/n of the weight, n neurons being in a window; where
    windows overlap, several entries lead from one neuron to another.
    """

    pools: tuple[AveragePool, ...]
    connector: Connector

    name = "pooled"

    def __str__(self) -> str:
        return " of ".join([str(self.connector), *map(str, reversed(self.pools))])

    @property
    def labels(self) -> tuple[str, ...]:
        return (*map(str, self.pools), *self.connector.labels)

    @property
    def trained(self) -> bool:
        return self.connector.trained

    @property
    def divisor(self) -> int:
        return shared_by(self.pools) * self.connector.divisor

    def misfit(self, source: Shape, target: Shape) -> str | None:
        for pool in self.pools:
            if wrong := pool.misfit(source):
                return wrong
            source = pool.reduced(source)
        return self.connector.misfit(source, target)

    def pooled(self, source: Shape) -> Shape:
        """The shape that the connector reads."""
        return shape_through(self.pools, source)

    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        return self.connector.weight_shape(self.pooled(source), target)

    def bias_count(self, target: Shape) -> int:
        return self.connector.bias_count(target)

    @property
    def parts(self) -> tuple[Connector, ...]:
        return (self, *self.connector.parts)

    @property
    def scaling(self) -> Scaling:
        inner = self.connector.scaling
        return "channel" if inner == "unit" else inner

    def rescaled(
        self, weights: Floats, after: Floats, before: Floats, source: Shape, target: Shape
    ) -> Floats:
        import numpy as np

        pooled = self.pooled(source)
        means = np.repeat(by_channel(before, source), math.prod(pooled[1:]))
        return self.connector.rescaled(weights, after, means, pooled, target)

    def synapse_count(self, source: Shape, target: Shape) -> int:
        return shared_by(self.pools) * self.connector.synapse_count(self.pooled(source), target)

    def multiplication_count(self, source: Shape, target: Shape) -> int:
        """Those of the connector, since the means are taken once."""
        return self.connector.multiplication_count(self.pooled(source), target)

    def fan_out(self, weights: Floats, source: Shape, target: Shape) -> Integers:
        import numpy as np

        members = self.members(source)
        size = math.prod(source)
        if np.bincount(members.ravel(), minlength=size).max() > 1:
            # Windows overlap, and two ways from one neuron to another are one synapse.
            return Connector.fan_out(self, weights, source, target)
        found = np.zeros(size, np.int64)
        means = self.connector.fan_out(weights, self.pooled(source), target)
        found[members] = means[:, None]
        return found

    def read(self, values: Floats, source: Shape) -> Floats:
        means = values[:, self.members(source)].mean(axis=2)
        return self.connector.read(means, self.pooled(source))

    def products(self, weights: Floats, source: Shape, target: Shape) -> Integers:
        return self.connector.products(weights, self.pooled(source), target)

    def members(self, source: Shape) -> Integers:
        """The neurons of the source behind each value that the connector reads, ``[mean, n]``."""
        import numpy as np

        found = np.arange(math.prod(source))[:, None]
        for pool in self.pools:
            found = found[pool.members(source)].reshape(math.prod(pool.reduced(source)), -1)
            source = pool.reduced(source)
        return found

    def entries(self, source: Shape, target: Shape) -> Iterator[Entries]:
        import numpy as np

        members = self.members(source)
        each = members.shape[1]
        for some in self.connector.entries(self.pooled(source), target):
            post, pre = np.repeat(some.post, each), members[some.pre].ravel()
            order = np.lexsort((pre, post))
            index, factor = np.repeat(some.index, each), np.repeat(some.factor / each, each)
            yield Entries(post[order], pre[order], index[order], factor[order])

    def apply(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        members = self.members(source)
        sums = values[:, members].sum(axis=2)
        # Divided last: then whole numbers stay exact where the weights are multiples.
        return self.connector.apply(weights, sums, self.pooled(source), target) / members.shape[1]

    def transposed(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        import numpy as np

        members = self.members(source)
        means = self.connector.transposed(weights, values, self.pooled(source), target)
        found = np.zeros((len(values), math.prod(source)))
        # Member k of one window is not member k of another.
        for member in members.T:
            found[:, member] += means / members.shape[1]
        return found
