"""What the nodes of an ONNX graph say, one after the other: inputs, weighted sums, activations.

A node is read with its own attributes and tensors. Whatever ``layers`` does not write is refused.
A sum that is activated, or sent on as it is, is that of a population.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from volr.backends.onnx.attributes import ACTIVATIONS, attributes_of, refuse, slides
from volr.backends.onnx.chains import CHAINED, Chain
from volr.backends.onnx.sums import Sum
from volr.backends.probing import ANOTHER
from volr.backends.terms import WINDOWS, Reading, Term, by_channel
from volr.network.connectors import AllToAll, AveragePool, Convolution, OneToOne, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray
    from onnx import NodeProto

    from volr.checks.arrays import Floats
    from volr.network.connectors import Connector, Shape


Value: TypeAlias = "Reading[str] | Sum"


@dataclass
class Found:
    """What the nodes have said so far; values are called by the names of their tensors.

    ``sources``      values that projections start from, by name, with their shapes: inputs,
                     activations, and sums that are sent on as they are
    ``inputs``       those of them that are inputs
    ``values``       what has been read, and weighted sums; without those that another one continues
    ``activations``  by sum: the name of ours, and the value
    ``views``        values that are others in another shape: the other, and the shape
    ``logits``       what Concat has put side by side, by its value
    ``chains``       what makes an input or an activation of each number, by its value
    """

    arrays: Mapping[str, NDArray[Any]]
    given: set[str]
    sources: dict[str, Shape]
    inputs: list[str]
    values: dict[str, Value] = field(default_factory=dict[str, "Value"])
    activations: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    views: dict[str, tuple[str, Shape]] = field(default_factory=dict[str, "tuple[str, Shape]"])
    logits: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    chains: dict[str, Chain] = field(default_factory=dict[str, Chain])

    @property
    def sums(self) -> dict[str, Sum]:
        """The weighted sums of populations, by the names of their values."""
        return {name: each for name, each in self.values.items() if isinstance(each, Sum)}

    def base(self, name: str) -> str:
        """The value that another one shows in another shape."""
        return self.views[name][0] if name in self.views else name

    def take(self, node: NodeProto) -> None:
        """Add what one node says; ``ModelFileError`` where it does not fit those before it."""
        operator, taken, given = node.op_type, list(node.input), list(node.output)
        attributes = attributes_of(node)
        if self.given.intersection(given) or len(set(given)) != len(given):
            refuse(f"a value of {node.name!r}, a {operator}, is there already")
        self.given.update(given)
        is_single = bool(taken) and len(given) == 1
        if operator in CHAINED and is_single and self._chained(node, attributes):
            return
        match operator, taken, given:
            case "Split", [whole, sizes], parts if self.inputs == [whole] and not self.values:
                self._split(whole, self._array(sizes, 1, np.int64), parts)
            case "Concat", parts, [whole]:
                self.logits[whole] = parts
            case "Reshape", [x, sizes], [y]:
                self._view(x, y, self._array(sizes, 1, np.int64).tolist())
            case "Flatten", [x], [y]:
                self._view(x, y, [0, math.prod(self._shape(x))])
            case "Gemm", [x, weight, rest], [z]:
                self._gemm(x, self._array(weight, 2), rest, z)
            case "Conv", [x, weight, *bias], [z] if len(bias) < 2:
                self._convolve(x, weight, bias, z, attributes)
            case "AveragePool" | "MaxPool", [x], [y]:
                self._pool(x, y, attributes, largest=operator == "MaxPool")
            case "Round", [x], [y] if (sums := self._taken(x).counted) is not None:
                self.values[y] = sums
            case "Mul", [x, weight], [z]:
                self._times(x, self._array(weight, 1), z)
            case "Add", [x, y], [z]:
                self.values[z] = self._joined(self._taken(x), self._taken(y))
            case "Max", [_, _, *_], [z]:
                self.values[z] = self._largest([self._taken(each) for each in taken])
            case _, [z], [a] if operator in ACTIVATIONS and self._is_bare(z):
                self.activations[self.base(z)] = ACTIVATIONS[operator], a
                self.sources[a] = self._shape(z)
            case _:
                refuse(f"the node {node.name!r}, a {operator}, does not fit those before it")

    def _split(self, whole: str, sizes: NDArray[Any], parts: list[str]) -> None:
        (size,) = self.sources.pop(whole)
        if len(sizes) != len(parts) or sizes.min() < 1 or sizes.sum() != size:
            refuse(f"its input is split into {sizes.tolist()}")
        self.sources.update((part, (each,)) for part, each in zip(parts, sizes, strict=True))
        if whole in self.chains:
            self.chains |= dict.fromkeys(parts, self.chains.pop(whole))
        self.inputs[:] = parts

    def _chained(self, node: NodeProto, attributes: Mapping[str, Any]) -> bool:
        """Whether a node goes on with a chain, or begins one; then it is added."""
        (x, *rest), (y,) = node.input, node.output
        of_inputs = self.inputs == [x] and not self.values
        begins = of_inputs if node.op_type == "Cast" else node.op_type == "Div" and self._is_bare(x)
        chain = self.chains.get(x, Chain())
        if chain.ended or not (begins or x in self.chains):
            return False
        self.chains.pop(x, None)
        constants = tuple(self.arrays[each] for each in rest if each in self.arrays)
        self.chains[y] = chain.then(node.op_type, constants, attributes.get("to", 0))
        shape = self._shape(x)
        if of_inputs:
            self.inputs[:] = [y]
        else:
            sums = next((z for z, (_, a) in self.activations.items() if a == x), self.base(x))
            self.activations[sums] = "", y
        self.sources.pop(x, None)
        self.sources[y] = shape
        return True

    def _view(self, x: str, y: str, sizes: list[int]) -> None:
        shape, before = tuple(sizes[1:]), self._shape(x)
        if sizes[0] != 0 or min(shape, default=0) < 1 or math.prod(shape) != math.prod(before):
            refuse(f"{x!r} of the shape {list(before)} becomes {sizes}")
        value = self.values.get(x)
        if isinstance(value, Reading):
            self.values[y] = value.reshaped(shape)
        else:
            self.views[y] = self.base(x), shape

    def _gemm(self, x: str, weight: Floats, rest: str, z: str) -> None:
        read = self._read(x)
        if len(read.shape) != 1 or weight.shape[1] != read.shape[0]:
            refuse(f"the weights that lead to {z!r} have the shape {list(weight.shape)}")
        made = Sum((Term(read, AllToAll(), weight, weight.shape[:1]),), weight.shape[:1])
        if self._is_bare(rest):
            made = self._joined(self._taken(rest), made)
        else:
            bias = self._array(rest, 1)
            if bias.shape != made.shape:
                refuse(f"the biases of {z!r} have the shape {list(bias.shape)}")
            made = replace(made, bias=bias)
        self.values[z] = self._marked(made)

    def _convolve(
        self, x: str, weight: str, bias: list[str], z: str, given: Mapping[str, Any]
    ) -> None:
        read, weights = self._read(x), self.arrays.get(weight)
        shape, axes = read.shape, len(read.shape) - 1
        if weights is None or axes not in (1, 2) or weights.ndim != axes + 2:
            refuse(f"{weight!r} is not a kernel for {x!r}")
        weights = self._array(weight, axes + 2)
        window = weights.shape[2:]
        stride, begin, end = slides(given, window)
        groups = given["group"]
        if (
            groups < 1
            or weights.shape[0] % groups
            or weights.shape[1] * groups != shape[0]
            or read.maps() is None
        ):
            refuse(f"{weight!r} is not a kernel for {x!r}")
        sizes = zip(shape[1:], window, stride, begin, end, strict=True)
        target = (weights.shape[0], *((n + b + e - w) // s + 1 for n, w, s, b, e in sizes))
        if min(target) < 1:
            refuse(f"the kernel {weight!r} is larger than {x!r}")
        connector = Convolution(window, stride, begin, groups)
        made = Sum((Term(read, connector, weights, target),), target)
        if bias:
            numbers = self._array(bias[0], 1)
            if len(numbers) != target[0]:
                refuse(f"the biases of {z!r} have the shape {list(numbers.shape)}")
            made = replace(made, bias=by_channel(numbers, target))
        self.values[z] = self._marked(made)

    def _pool(self, x: str, y: str, given: Mapping[str, Any], *, largest: bool) -> None:
        window = tuple(given.get("kernel_shape", ()))
        if not window or min(window) < 1:
            refuse(f"{y!r} is a pool of the windows {list(window)}")
        stride, *pads = slides(given, window)
        if any(map(any, pads)):
            refuse(f"{y!r} is a pool that reaches beyond its maps")
        pool, before = AveragePool(window, stride), self.values.get(self.base(x))
        if isinstance(before, Sum) and self._is_bare(x) and before.is_plain:
            # A weight for all, and then the largest or the mean of each window.
            (term,), shape = before.terms, self._shape(x)
            if pool.misfit(shape) or (term.read.pools and shape != term.read.maps()):
                refuse(f"{y!r} is a pool of maps of the shape {list(shape)}")
            del self.values[self.base(x)]
            read = term.read.reshaped(shape)
            if largest:
                connector: Connector = Windows(window, stride)
                term = replace(term, connector=connector, read=read, target=pool.reduced(shape))
                self.values[y] = Sum((term,), term.target, "max")
                return
            read = self._through(read, pool, y)
            self.values[y] = Sum((replace(term, read=read, target=read.shape),), read.shape)
            return
        self.values[y] = self._through(self._read(x), pool, y, largest=largest)

    def _through(
        self, read: Reading[str], pool: AveragePool, y: str, *, largest: bool = False
    ) -> Reading[str]:
        found = read.through(pool, largest=largest)
        if found is None:
            refuse(f"{y!r} is a pool that does not fit what it reads")
        return found

    def _times(self, x: str, weight: Floats, z: str) -> None:
        if weight.size != 1:
            refuse(f"{z!r} has {weight.size} factors, and not one for all")
        before = self.values.get(self.base(x))
        if isinstance(before, Sum) and self._is_bare(x) and before.is_plain:
            (term,) = self._taken(x).terms
            term = replace(term, weights=term.weights * weight)
            self.values[z] = Sum((term,), before.shape)
            return
        read = self._read(x)
        self.values[z] = self._marked(
            Sum((Term(read, OneToOne(), weight, read.shape),), read.shape)
        )

    def _joined(self, one: Sum, other: Sum) -> Sum:
        """Two sums, added up."""
        if one.shape != other.shape or (one.bias is not None and other.bias is not None):
            refuse(f"sums of the shapes {list(one.shape)} and {list(other.shape)} are added")
        bias = other.bias if one.bias is None else one.bias
        return self._marked(Sum((*one.terms, *other.terms), one.shape, "sum", bias))

    def _largest(self, sums: list[Sum]) -> Sum:
        if len({each.shape for each in sums}) > 1 or any(e.bias is not None for e in sums):
            refuse("the largest of sums of other shapes, or of biases, is taken")
        merge = "max" if all(each.merge == "max" for each in sums) else ANOTHER
        return Sum(tuple(term for each in sums for term in each.terms), sums[0].shape, merge)

    def _marked(self, made: Sum) -> Sum:
        """A sum of terms, with how they are merged."""
        if any(isinstance(each.connector, Windows) for each in made.terms):
            return replace(made, merge=ANOTHER)
        largest = any(each.read.largest for each in made.terms)
        return replace(made, merge=WINDOWS) if largest else made

    def _read(self, x: str) -> Reading[str]:
        """What projections start from; a sum that has no weights to train is sent as it is."""
        base, shape = self.base(x), self._shape(x)
        value = self.values.get(base)
        if isinstance(value, Reading):
            return value
        if base in self.sources:
            return Reading(base, shape, shape)
        if not isinstance(value, Sum) or not self._is_bare(base) or not value.is_untrained:
            refuse(f"nothing can start from {x!r}")
        self.activations[base] = "identity", base
        self.sources[base] = value.shape
        return Reading(base, shape, shape)

    def _taken(self, z: str) -> Sum:
        """A sum that another one continues, in the shape that it is shown in: it is none itself."""
        if not self._is_bare(z):
            refuse(f"{z!r} is no weighted sum that can be continued")
        shape, value = self._shape(z), self.values.pop(self.base(z))
        return replace(cast("Sum", value), shape=shape)

    def _is_bare(self, value: str) -> bool:
        """Whether it is a weighted sum without an activation."""
        base = self.base(value)
        return isinstance(self.values.get(base), Sum) and base not in self.activations

    def _shape(self, name: str) -> Shape:
        if name in self.views:
            return self.views[name][1]
        if name in self.sources:
            return self.sources[name]
        value = self.values.get(name)
        if value is None:
            refuse(f"there is no value {name!r} yet")
        return value.shape

    def _array(self, name: str, axes: int, dtype: Any = np.float32) -> NDArray[Any]:
        array = self.arrays.get(name)
        if array is None or array.ndim != axes or array.dtype != dtype:
            refuse(f"{name!r} is not a tensor of {axes} axes, or of another type")
        return array
