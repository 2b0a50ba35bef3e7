"""What a connector is: a sparse linear map with shared weights, and what each one owes.

A connector knows four things about a projection: which shapes fit, the shape of its weights, its
synapses one by one, and what it computes. It knows nothing about its readers. A reader that has the
operation, for example a convolution, uses it; all others take the synapses.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.checks.arrays import Floats, Integers
    from volr.network.connectors.synapses import Synapses

Shape: TypeAlias = tuple[int, ...]

Scaling: TypeAlias = Literal["unit", "channel", "tied"]
"""Which factors the units at both ends of a projection may have: one each, or one for a channel,
which is the first axis. Tied ends have the same channels, and the same factors."""


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Some synapses: number k goes from neuron ``pre[k]`` to ``post[k]``.

    Its weight is ``factor[k] · weights.flat[index[k]]``. Neurons are numbered within their
    population, the last axis fastest. Several entries for one pair of neurons add up.
    """

    post: Integers
    pre: Integers
    index: Integers
    factor: Floats


class Connector(ABC):
    """Which neurons of a source reach which of a target, and which weight each synapse has.

    Subclasses are frozen dataclasses whose fields are numbers, so that connectors compare with
    ``==`` and are written into files. ``source`` and ``target`` are shapes of populations that fit
    (``misfit`` is None).
    """

    __slots__ = ()
    name: ClassVar[str]
    """Its name in texts and files, such as ``all_to_all``."""

    def __str__(self) -> str:
        return self.name

    @property
    def labels(self) -> tuple[str, ...]:
        """What a drawing writes at its arrow, line by line."""
        return (str(self),)

    @property
    def trained(self) -> bool:
        """Whether training changes its weights."""
        return True

    @property
    def divisor(self) -> int:
        """What a weight is divided by where it becomes a synapse's: 1, unless means are taken."""
        return 1

    @abstractmethod
    def misfit(self, source: Shape, target: Shape) -> str | None:
        """Why it cannot connect these shapes; None if it can."""

    @abstractmethod
    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        """The shape of its weights."""

    @property
    @abstractmethod
    def scaling(self) -> Scaling:
        """Which factors ``rescaled`` takes."""

    @abstractmethod
    def rescaled(
        self, weights: Floats, after: Floats, before: Floats, source: Shape, target: Shape
    ) -> Floats:
        """The weights with which each synapse is multiplied by after[post] / before[pre].

        ``after`` ``[post]`` and ``before`` ``[pre]`` are factors that its ``scaling`` allows.
        """

    @abstractmethod
    def entries(self, source: Shape, target: Shape) -> Iterator[Entries]:
        """All synapses, in blocks: by neuron of the target, then by neuron of the source."""

    @abstractmethod
    def apply(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        """The input of each neuron of the target, ``[batch, post]``.

        ``values`` are those of the source, ``[batch, pre]``. This is the meaning of the connector;
        a test holds it against ``entries``.
        """

    @abstractmethod
    def transposed(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        """The transpose of ``apply``: from ``[batch, post]`` back to ``[batch, pre]``."""

    def largest(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        """The largest that arrives at each neuron of the target, where ``apply`` has the sum.

        A neuron that no synapse leads to gets minus infinity. A subclass may have a shorter way.
        """
        import numpy as np

        found = np.full((math.prod(target), len(values)), -np.inf)
        for each in self.entries(source, target):
            arriving = (each.factor * weights.flat[each.index])[:, None] * values.T[each.pre]
            np.maximum.at(found, each.post, arriving)
        return found.T

    def fan_in(self, source: Shape, target: Shape) -> int:
        """The number of weights in the input of one neuron, away from the edges of a map."""
        return self.weight_count(source, target) // self.weight_shape(source, target)[0]

    def bias_count(self, target: Shape) -> int:
        """The number of biases that a target of this shape needs for it: one for each neuron.

        A subclass may need one for each channel, which is the first axis, or none.
        """
        return math.prod(target)

    @property
    def parts(self) -> tuple[Connector, ...]:
        """Itself, and the connectors that it is made of. A reader has to know all of them."""
        return (self,)

    def synapses(self, weights: Floats, source: Shape, target: Shape) -> Synapses:
        """All synapses with their weights, each pair of neurons once. A subclass may be faster."""
        from volr.network.connectors.synapses import summed

        return summed(self.entries(source, target), weights, math.prod(target))

    def matrix(self, weights: Floats, source: Shape, target: Shape, missing: float) -> Floats:
        """The weight of each synapse, ``[post, pre]``; ``missing`` where there is no synapse."""
        import numpy as np

        matrix = np.full((math.prod(target), math.prod(source)), missing)
        # Several entries may be one synapse, so all places are cleared before any is added to.
        for each in self.entries(source, target):
            matrix[each.post, each.pre] = 0.0
        for each in self.entries(source, target):
            np.add.at(matrix, (each.post, each.pre), each.factor * weights.flat[each.index])
        return matrix

    def shared(self, source: Shape, target: Shape) -> Integers | None:
        """Which weight each synapse has, ``[post, pre]``; −1 where there is no synapse, or where
        several entries add up. None where no two synapses share a weight.
        """
        import numpy as np

        if self.synapse_count(source, target) == self.weight_count(source, target):
            return None
        shape = math.prod(target), math.prod(source)
        found, entries = np.full(shape, -1), np.zeros(shape, np.int64)
        for each in self.entries(source, target):
            found[each.post, each.pre] = each.index
            np.add.at(entries, (each.post, each.pre), 1)
        found[entries > 1] = -1
        return found

    def synapse_count(self, source: Shape, target: Shape) -> int:
        """The number of synapses. This counts them; a subclass may have a formula."""
        return sum(len(each.post) for each in self.entries(source, target))

    def fan_out(self, weights: Floats, source: Shape, target: Shape) -> Integers:
        """The synapses that leave each neuron of the source, ``[pre]``, without those of weight 0.

        Several entries for one pair of neurons are one synapse. A subclass may be faster.
        """
        import numpy as np

        found = self.synapses(weights, source, target)
        return np.bincount(found.pre[found.weight != 0], minlength=math.prod(source))

    def read(self, values: Floats, source: Shape) -> Floats:
        """What its weights are multiplied by, ``[batch, n]``, for values ``[batch, pre]``.

        These are the values themselves, unless a subclass takes means of them first.
        """
        return values

    def products(self, weights: Floats, source: Shape, target: Shape) -> Integers:
        """The products that each value of ``read`` is in, ``[n]``, without those of weight 0."""
        return self.fan_out(weights, source, target)

    def multiplication_count(self, source: Shape, target: Shape) -> int:
        """The products of a weight and a value for one result of ``apply``.

        There is one for each synapse, and none where all weights are 1.
        """
        return self.synapse_count(source, target) if self.trained else 0

    def weight_count(self, source: Shape, target: Shape) -> int:
        """The number of weights, each of which several synapses may share."""
        return math.prod(self.weight_shape(source, target))


def by_channel(factors: Floats, shape: Shape) -> Floats:
    """Factors ``[unit]`` that are the same within each channel, as ``[channel]``."""
    return factors.reshape(shape[0], -1)[:, 0]


def axes_text(values: Shape) -> str:
    """A number by axis: one where all axes have the same, ``3x5`` otherwise."""
    return str(values[0]) if len(set(values)) == 1 else "x".join(map(str, values))
