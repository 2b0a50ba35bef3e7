"""The nodes of populations that compute: what each projection is in ONNX, and how they are joined.

A population is held as maps ``[batch, channel, …]`` where kernels, pools and identities alone lead
to it, and otherwise as ``[batch, unit]``. Between the two is a ``Reshape`` or a ``Flatten``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper, numpy_helper

from volr.backends.onnx.staircase import activated, constants_of
from volr.models.activations import Staircase
from volr.models.parameters import bias_name, weight_name
from volr.network.connectors import AllToAll, AveragePool, Convolution, OneToOne, Pooled, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onnx import NodeProto, TensorProto

    from volr.backends.onnx.staircase import Made
    from volr.models.model import ArtificialModel
    from volr.network import Network, Population, Projection
    from volr.network.connectors import Connector, Shape

OPERATORS: Mapping[str, str] = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "identity": "Identity",
}
"""What ONNX calls our activations."""


def is_held_as_maps(network: Network, population: Population) -> bool:
    """Whether its values are ``[batch, channel, …]``, and not ``[batch, unit]``."""
    incoming = network.incoming[population.name]
    dense = any(isinstance(p.connector.parts[-1], AllToAll) for p in incoming)
    return bool(incoming) and not dense and len(population.shape) > 1


def held_shape(network: Network, population: Population) -> Shape:
    """The shape of its values in the graph, without the batch."""
    return population.shape if is_held_as_maps(network, population) else (population.size,)


def in_order(network: Network, population: Population) -> list[Projection]:
    """The projections into a population, so that the first of them takes its biases."""
    kinds: list[type[Connector]] = [AllToAll, Convolution, OneToOne, Windows]
    incoming = network.incoming[population.name]
    return sorted(incoming, key=lambda each: kinds.index(type(each.connector.parts[-1])))


def sources_of(network: Network) -> frozenset[str]:
    """The populations with projections of their own."""
    return frozenset(each.source for each in network.projections)


def passes_on(sources: frozenset[str], population: Population) -> bool:
    """Whether it has a node of its activation: the largest of what arrives is sent as it is."""
    return population.name in sources and population.merge == "sum"


def extra_keys(network: Network) -> list[str]:
    """What else has a tensor: pools, single terms, and values in their other form."""
    keys: list[str] = []
    more: list[str] = []
    for population in network.populations:
        keys += [f"{population.name} {what}" for what in ("maps", "shape", "flat", "logits")]
    for each in network.projections:
        pools = pools_of(each.connector)
        keys += [f"{each.name} {what}" for what in ("term", "maps", "flat", "size", "times")]
        counts = range(1, len(pools) + 2)
        keys += [f"{each.name} pool {count}" for count in counts]
        more += [f"{each.name} pool {c} {w}" for c in counts for w in ("times", "sum", "size")]
    return keys + more


def pools_of(connector: Connector) -> tuple[AveragePool, ...]:
    """The pools that a connector reads through."""
    return connector.pools if isinstance(connector, Pooled) else ()


@dataclass
class Layers:
    """The nodes of a model's layers, with the tensors that they need beside the parameters."""

    model: ArtificialModel
    tensors: Mapping[str, str]
    sources: frozenset[str]
    nodes: list[NodeProto] = field(default_factory=list["NodeProto"])
    constants: list[TensorProto] = field(default_factory=list["TensorProto"])
    _made: set[str] = field(default_factory=set[str])

    @property
    def whole(self) -> bool:
        """Whether values are whole numbers, whose sums are taken in place of means."""
        return isinstance(self.model.activation, Staircase)

    def add(self, population: Population) -> None:
        """The nodes of one population, from its sources to its activation."""
        network, tensors, name = self.model.network, self.tensors, population.name
        shape = held_shape(network, population)
        projections = in_order(network, population)
        last = tensors[f"{name} sum"]
        largest = population.merge == "max"
        bias = tensors[f"{name} bias"] if network.biases(population) else None
        so_far: str | None = None
        parts: list[str] = []
        for count, each in enumerate(projections, 1):
            z = last if count == len(projections) else tensors[f"{name} sum {count}"]
            if isinstance(each.connector.parts[-1], AllToAll):
                x = self._read(each, flat=True)
                given = so_far or bias or ""
                weight = tensors[f"{each.name} weight"]
                self._node("Gemm", [x, weight, given], z, z, transB=1)
                so_far = z
            elif largest:
                alone = len(projections) == 1
                parts.append(self._term(each, population, shape, None, z if alone else None))
            elif so_far is None:
                so_far = self._term(each, population, shape, bias, z)
            else:
                term = self._term(each, population, shape, None, None)
                self._node("Add", [so_far, term], z, z)
                so_far = z
        if len(parts) > 1:
            self._node("Max", parts, last, last)
        if passes_on(self.sources, population):
            match self.model.activation_of(name):
                case Staircase() as staircase:
                    self.take(activated(staircase, name, tensors))
                case activation:
                    operator = OPERATORS[activation.name]
                    self._node(operator, [last], tensors[name], tensors[name])

    def take(self, made: Made) -> None:
        """Add nodes, and those of their constants that are not there yet."""
        self.nodes += made.nodes
        new = {name: each for name, each in made.constants.items() if name not in self._made}
        self._made.update(new)
        self.constants += constants_of(new)

    def _term(
        self,
        projection: Projection,
        population: Population,
        shape: Shape,
        bias: str | None,
        result: str | None,
    ) -> str:
        """What a projection brings, in the ``shape`` that its target is held in."""
        whole = result or self.tensors[f"{projection.name} term"]
        connector = projection.connector.parts[-1]
        is_flat = len(shape) == 1 and not isinstance(connector, OneToOne)
        made = self.tensors[f"{projection.name} maps"] if is_flat else whole
        weight = self.tensors[f"{projection.name} weight"]
        match connector:
            case Convolution(window, stride, pad, groups):
                x = self._read(projection)
                given = [x, weight] if bias is None else [x, weight, bias]
                self._node(
                    *("Conv", given, made, made),
                    kernel_shape=window,
                    strides=stride,
                    pads=(*pad, *pad),
                    group=groups,
                )
            case Windows(window, stride) if population.merge == "max":
                x, times = self._read(projection), self.tensors[f"{projection.name} times"]
                self._node("Mul", [x, weight], times, times)
                self._node("MaxPool", [times], made, made, kernel_shape=window, strides=stride)
            case Windows(window, stride):
                x = self._read(projection, more=(connector.pool,))
                if self.whole:
                    self._node("Mul", [x, weight], made, made)
                else:
                    size, times = (
                        self.tensors[f"{projection.name} {e}"] for e in ("size", "times")
                    )
                    count = np.array([math.prod(window)], dtype=np.float32)
                    self.constants.append(numpy_helper.from_array(count, size))
                    self._node("Mul", [x, size], times, times)
                    self._node("Mul", [times, weight], made, made)
            case _:
                self._node(
                    "Mul", [self._read(projection, flat=len(shape) == 1), weight], made, made
                )
        if made != whole:
            self._flatten(made, whole)
        return whole

    def _read(
        self, projection: Projection, *, flat: bool = False, more: tuple[AveragePool, ...] = ()
    ) -> str:
        """The source's values through its pools, as ``[batch, unit]`` if they have to be."""
        source = self.model.network[projection.source]
        pools = (*pools_of(projection.connector), *more)
        if not pools:
            return self._in_shape(source, (source.size,) if flat else source.shape)
        value = self._in_shape(source, source.shape)
        for count, pool in enumerate(pools, 1):
            result = self.tensors[f"{projection.name} pool {count}"]
            sizes = {"kernel_shape": pool.window, "strides": pool.stride}
            self._node("AveragePool", [value], result, result, **sizes)
            value = result
            if self.whole:
                value = self._sums(f"{projection.name} pool {count}", pool)
        if flat:
            value, before = self.tensors[f"{projection.name} flat"], value
            self._flatten(before, value)
        return value

    def _sums(self, key: str, pool: AveragePool) -> str:
        """The sums of windows, from their means."""
        means, times, sums, size = (
            self.tensors[each] for each in (key, f"{key} times", f"{key} sum", f"{key} size")
        )
        count = np.array([math.prod(pool.window)], dtype=np.float32)
        self.constants.append(numpy_helper.from_array(count, size))
        self._node("Mul", [means, size], times, times)
        self._node("Round", [times], sums, sums)
        return sums

    def _in_shape(self, source: Population, wanted: Shape) -> str:
        """The values of a population in this shape."""
        if wanted == held_shape(self.model.network, source):
            return self.tensors[source.name]
        result = self.tensors[f"{source.name} {'flat' if len(wanted) == 1 else 'maps'}"]
        if result in self._made:
            return result
        self._made.add(result)
        if len(wanted) == 1:
            self._flatten(self.tensors[source.name], result)
        else:
            sizes = self.tensors[f"{source.name} shape"]
            # 0 keeps the size of the batch.
            array = np.array([0, *wanted], dtype=np.int64)
            self.constants.append(numpy_helper.from_array(array, sizes))
            self._node("Reshape", [self.tensors[source.name], sizes], result, result)
        return result

    def _flatten(self, value: str, result: str) -> None:
        self._node("Flatten", [value], result, result, axis=1)

    def _node(
        self, operator: str, given: list[str], result: str, name: str, **attributes: Any
    ) -> None:
        self.nodes.append(helper.make_node(operator, given, [result], name=name, **attributes))


def parameter_tensors(network: Network, tensors: Mapping[str, str]) -> dict[str, str]:
    """The names of our parameters, by the tensors that they are."""
    ours = {tensors[f"{p.name} weight"]: weight_name(p) for p in network.projections}
    return ours | {
        tensors[f"{p.name} bias"]: bias_name(p) for p in network.layers if network.biases(p)
    }
