"""What each connector is in PyTorch: the operation that it becomes.

Values are ``[batch, unit]``. Of several candidates, values and weights have one leading axis more;
their kernels become the groups of one convolution.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from volr.network.connectors import (
    AllToAll,
    Convolution,
    OneToOne,
    Pooled,
    Windows,
    shared_by,
)

if TYPE_CHECKING:
    from torch import Tensor

    from volr.network import Connector, Network, Projection
    from volr.network.connectors import AveragePool, Shape


@dataclass(frozen=True, slots=True)
class Operation(ABC):
    """What one projection makes of its source's values."""

    def takes_bias(self, count: int) -> bool:
        """Whether it adds so many biases itself."""
        del count
        return False

    @abstractmethod
    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """The sums ``[batch, post]``, with biases that it takes."""

    def added(self, z: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        """z and what it makes of x."""
        return z + self(x, weight)

    def largest(self, x: Tensor, weight: Tensor) -> Tensor:
        """The largest of what arrives, where a call gives the sum."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class MatrixProduct(Operation):
    """``AllToAll``."""

    post: int

    def takes_bias(self, count: int) -> bool:
        return count == self.post

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if weight.ndim == 2:
            return functional.linear(x, weight, bias)
        return x @ weight.mT if bias is None else torch.baddbmm(bias.unsqueeze(1), x, weight.mT)

    def added(self, z: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        if weight.ndim == 2:
            return torch.addmm(z, x, weight.t())
        return torch.baddbmm(z, x, weight.mT)


@dataclass(frozen=True, slots=True)
class KernelProduct(Operation):
    """``Convolution`` of a source of this shape."""

    connector: Convolution
    source: Shape
    channels: int

    def takes_bias(self, count: int) -> bool:
        return count == self.channels

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        of = self.connector
        convolve = functional.conv1d if len(of.window) == 1 else functional.conv2d
        if x.ndim == 2:
            maps = x.reshape(-1, *self.source)
            return convolve(maps, weight, bias, of.stride, of.pad, groups=of.groups).flatten(1)
        candidates, batch = x.shape[:2]
        maps = x.transpose(0, 1).reshape(batch, -1, *self.source[1:])
        found = convolve(
            maps,
            weight.flatten(0, 1),
            None if bias is None else bias.flatten(),
            of.stride,
            of.pad,
            groups=candidates * of.groups,
        )
        return found.reshape(batch, candidates, -1).transpose(0, 1)


@dataclass(frozen=True, slots=True)
class Scaling(Operation):
    """``OneToOne``: one weight for all."""

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        del bias  # it takes none
        return x * _one(weight, x)


@dataclass(frozen=True, slots=True)
class Pooling(Operation):
    """``Windows``: the sum, or the largest, of each. Sums of ``whole`` numbers are exact."""

    pool: AveragePool
    source: Shape
    whole: bool = False

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        del bias  # it takes none
        if self.whole:
            sums = summed(x, self.pool, self.source)
            return sums * _one(weight, sums)
        means = averaged(x, self.pool, self.source)
        return means * (math.prod(self.pool.window) * _one(weight, means))

    def largest(self, x: Tensor, weight: Tensor) -> Tensor:
        pool = functional.max_pool1d if len(self.pool.window) == 1 else functional.max_pool2d
        maps = (x * _one(weight, x)).reshape(-1, *self.source)
        return pool(maps, self.pool.window, self.pool.stride).reshape(*x.shape[:-1], -1)


@dataclass(frozen=True, slots=True)
class Averaged(Operation):
    """``Pooled``: the means of windows, of windows of these and so on, go on to ``then``.

    With a ``divisor`` these are the sums, and the weights are divided by it. So whole numbers stay
    exact: their mean need not be one.
    """

    pools: tuple[tuple[AveragePool, Shape], ...]
    then: Operation
    divisor: int | None = None

    def takes_bias(self, count: int) -> bool:
        return self.then.takes_bias(count)

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return self.then(self._means(x), self._shared(weight), bias)

    def added(self, z: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        return self.then.added(z, self._means(x), self._shared(weight))

    def largest(self, x: Tensor, weight: Tensor) -> Tensor:
        return self.then.largest(self._means(x), self._shared(weight))

    def _means(self, x: Tensor) -> Tensor:
        pooled = averaged if self.divisor is None else summed
        for pool, source in self.pools:
            x = pooled(x, pool, source)
        return x

    def _shared(self, weight: Tensor) -> Tensor:
        return weight if self.divisor is None else weight / self.divisor


def by_unit(numbers: Tensor, size: int) -> Tensor:
    """Numbers by unit or by channel, along the last axis, as numbers of ``size`` units."""
    count = numbers.shape[-1]
    return numbers if count == size else numbers.repeat_interleave(size // count, dim=-1)


def averaged(x: Tensor, pool: AveragePool, source: Shape) -> Tensor:
    """The means of the windows of maps of this shape."""
    average = functional.avg_pool1d if len(pool.window) == 1 else functional.avg_pool2d
    means = average(x.reshape(-1, *source), pool.window, pool.stride)
    return means.reshape(*x.shape[:-1], -1)


def summed(x: Tensor, pool: AveragePool, source: Shape) -> Tensor:
    """The sums of the windows of maps of this shape."""
    maps, window, stride = x.reshape(-1, *source), pool.window, pool.stride
    if len(window) == 1:
        # `avg_pool1d` divides.
        sums = maps.unfold(-1, window[0], stride[0]).sum(-1)
    else:
        sums = functional.avg_pool2d(maps, window, stride, divisor_override=1)
    return sums.reshape(*x.shape[:-1], -1)


def operation_of(network: Network, projection: Projection, *, whole: bool = False) -> Operation:
    """The operation of a projection whose connector is one of the record's.

    Where values are ``whole`` numbers it gives whole numbers.
    """
    return _operation(projection.connector, *network.ends(projection), whole=whole)


def _operation(connector: Connector, source: Shape, target: Shape, *, whole: bool) -> Operation:
    match connector:
        case AllToAll():
            return MatrixProduct(math.prod(target))
        case Convolution():
            return KernelProduct(connector, source, target[0])
        case OneToOne():
            return Scaling()
        case Windows():
            return Pooling(connector.pool, source, whole)
        case Pooled(pools, then):
            steps: list[tuple[AveragePool, Shape]] = []
            for pool in pools:
                steps.append((pool, source))
                source = pool.reduced(source)
            following = _operation(then, source, target, whole=whole)
            return Averaged(tuple(steps), following, shared_by(pools) if whole else None)
        case _:
            raise NotImplementedError(connector.name)


def _one(weight: Tensor, x: Tensor) -> Tensor:
    """A weight ``[1]``, or ``[candidate, 1]``, that multiplies x."""
    return weight if weight.ndim == 1 else weight.view(-1, *[1] * (x.ndim - 1))
