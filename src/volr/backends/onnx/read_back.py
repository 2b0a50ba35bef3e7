"""The network that an ONNX graph computes, parsed from its nodes and initializers.

A file may come from anywhere, so everything that ``graph`` does not write is refused, and so is a
damaged file. A population has the name in the ``doc_string`` of its value, or the name of the value
where a tool has dropped that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from volr.backends.onnx.graph import OPERATORS, OPSET, SIZES
from volr.backends.readback import ArtificialReadback, Asked, all_asked, precision_of
from volr.errors import ModelFileError, NetworkError
from volr.network import Network, Population, Projection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto, NodeProto

    from volr.checks.arrays import Floats

ACTIVATIONS: Mapping[str, str] = {theirs: ours for ours, theirs in OPERATORS.items()}
# What an operator's attributes are where a node has none, and what all that we read must be.
_DEFAULT_ATTRIBUTES: Mapping[str, Mapping[str, object]] = {
    "Split": {"axis": 0},
    "Gemm": {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
    "Concat": {},
    **{operator: {} for operator in ACTIVATIONS},
}
_ATTRIBUTES: Mapping[str, Mapping[str, object]] = {
    **_DEFAULT_ATTRIBUTES,
    "Split": {"axis": 1},
    "Gemm": {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1},
    "Concat": {"axis": 1},
}


def contents(data: bytes) -> ArtificialReadback:
    """What the bytes of a file say; ``ModelFileError`` unless they are what ``graph`` writes."""
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelFileError("this is not an ONNX file: it cannot be parsed") from error
    _check_model(model)
    found = _start(model.graph, _arrays(model.graph))
    for node in model.graph.node:
        found.take(node)
    return _readback(model.graph, found)


def _check_model(model: ModelProto) -> None:
    versions = {each.domain: each.version for each in model.opset_import}
    if not model.graph.node:
        _refuse("it has no nodes")
    if versions.get("") != OPSET:
        _refuse(f"its operators are of version {versions.get('')}, not {OPSET}")
    if model.functions or model.training_info or model.graph.sparse_initializer:
        _refuse("it has functions, training or sparse tensors")
    if len(model.graph.input) != 1 or len(model.graph.output) != 1:
        _refuse("it has not one input and one output")


def _arrays(graph: GraphProto) -> dict[str, NDArray[Any]]:
    """The initializers: float32, and int64 for sizes. Data outside the file are refused."""
    arrays: dict[str, NDArray[Any]] = {}
    for tensor in graph.initializer:
        name, dims = tensor.name, list(tensor.dims)
        wanted = TensorProto.INT64 if name == SIZES else TensorProto.FLOAT
        if name in arrays:
            _refuse(f"two tensors are called {name!r}")
        if tensor.data_type != wanted or tensor.external_data or tensor.data_location:
            _refuse(f"the tensor {name!r} is of another type, or lies outside the file")
        if len(dims) not in {1, 2} or min(dims) < 1:
            _refuse(f"the tensor {name!r} has the shape {dims}")
        try:
            array = numpy_helper.to_array(tensor)
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"the tensor {name!r} of this ONNX file is damaged") from error
        if not np.isfinite(array).all():
            _refuse(f"the tensor {name!r} has values that are not finite numbers")
        arrays[name] = array
    return arrays


@dataclass(frozen=True)
class _Sum:
    """A weighted sum: its bias, and the source's value and the weights of every term."""

    bias: Floats
    terms: tuple[tuple[str, Floats], ...] = ()


@dataclass
class _Found:
    """What the nodes have said so far; values are called by the names of their tensors.

    ``sizes``        of the values that projections may start from: inputs and activations
    ``inputs``       those of them that are inputs
    ``sums``         weighted sums, without those that another one has continued
    ``activations``  by sum: the name of ours, and the value
    ``logits``       what Concat has put side by side, by its value
    """

    arrays: Mapping[str, NDArray[Any]]
    given: set[str]
    sizes: dict[str, int]
    inputs: list[str]
    sums: dict[str, _Sum] = field(default_factory=dict[str, _Sum])
    activations: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    logits: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def take(self, node: NodeProto) -> None:
        """Add what one node says; ``ModelFileError`` where it does not fit those before it."""
        operator, taken, given = node.op_type, list(node.input), list(node.output)
        if node.domain or operator not in _ATTRIBUTES:
            _refuse(f"it has an operator {operator!r}")
        attributes = {**_DEFAULT_ATTRIBUTES[operator], **_attributes(node)}
        if attributes != _ATTRIBUTES[operator]:
            _refuse(f"the attributes of {node.name!r}, a {operator}, are {attributes}")
        if self.given.intersection(given) or len(set(given)) != len(given):
            _refuse(f"a value of {node.name!r}, a {operator}, is there already")
        self.given.update(given)
        match operator, taken, given:
            case "Split", [whole, sizes], parts if self.inputs == [whole] and not self.sums:
                self._split(whole, self._array(sizes, 1), parts)
            case "Gemm", [x, weight, rest], [z] if x in self.sizes:
                self._add(x, self._array(weight, 2), rest, z)
            case "Concat", parts, [whole]:
                self.logits[whole] = parts
            case _, [z], [a] if operator in ACTIVATIONS and self._is_bare(z):
                self.activations[z] = ACTIVATIONS[operator], a
                self.sizes[a] = self.sums[z].bias.size
            case _:
                _refuse(f"the node {node.name!r}, a {operator}, does not fit those before it")

    def _split(self, whole: str, sizes: NDArray[Any], parts: list[str]) -> None:
        if len(sizes) != len(parts) or sizes.min() < 1 or sizes.sum() != self.sizes.pop(whole):
            _refuse(f"its input is split into {sizes.tolist()}")
        self.sizes.update(zip(parts, sizes.tolist(), strict=True))
        self.inputs[:] = parts

    def _add(self, x: str, weight: Floats, rest: str, z: str) -> None:
        # A sum that is continued is no longer one of its own.
        before = self.sums.pop(rest) if self._is_bare(rest) else _Sum(self._array(rest, 1))
        if weight.shape != (len(before.bias), self.sizes[x]):
            _refuse(f"the weights that lead to {z!r} have the shape {list(weight.shape)}")
        self.sums[z] = _Sum(before.bias, (*before.terms, (x, weight)))

    def _is_bare(self, value: str) -> bool:
        """Whether it is a weighted sum without an activation."""
        return value in self.sums and value not in self.activations

    def _array(self, name: str, axes: int) -> NDArray[Any]:
        array = self.arrays.get(name)
        if array is None or array.ndim != axes:
            _refuse(f"{name!r} is not a tensor of {axes} axes")
        return array


def _start(graph: GraphProto, arrays: Mapping[str, NDArray[Any]]) -> _Found:
    (value,) = graph.input
    kind = value.type.tensor_type
    dims = kind.shape.dim
    if kind.elem_type != TensorProto.FLOAT or len(dims) != 2 or dims[1].dim_value < 1:
        _refuse("its input is not [batch, unit] in float32")
    return _Found(arrays, {value.name, *arrays}, {value.name: dims[1].dim_value}, [value.name])


def _readback(graph: GraphProto, found: _Found) -> ArtificialReadback:
    (output,) = graph.output
    logits = found.logits.pop(output.name, [output.name])
    if found.logits or not {*found.inputs, *found.sums}.issuperset(logits):
        _refuse("its output is not weighted sums and inputs side by side")
    names = _names(graph, found)
    sizes = [(names[x], found.sizes[x]) for x in found.inputs]
    sizes += [(names[z], len(each.bias)) for z, each in found.sums.items()]
    weights = [
        ((names[x], names[z]), weight.astype(np.float64))
        for z, each in found.sums.items()
        for x, weight in each.terms
    ]
    inputs = tuple(names[x] for x in found.inputs)
    outputs = tuple(names[z] for z in logits)
    try:
        Network(
            populations=tuple(Population(name, (size,)) for name, size in sizes),
            projections=tuple(Projection(*ends) for ends, _ in weights),
            inputs=inputs,
            outputs=outputs,
        )
    except NetworkError as error:
        raise ModelFileError(f"this ONNX file is no network of ours: {error.message}") from error
    return ArtificialReadback(
        populations=all_asked(dict(sizes)),
        inputs=Asked(inputs),
        outputs=Asked(outputs),
        weights=all_asked(dict(weights)),
        biases=all_asked(
            {names[z]: each.bias.astype(np.float64) for z, each in found.sums.items()}
        ),
        activations=all_asked(
            {names[z]: operator for z, (operator, _) in found.activations.items()}
        ),
        precision=precision_of(
            array.dtype for name, array in found.arrays.items() if name != SIZES
        ),
    )


def _names(graph: GraphProto, found: _Found) -> dict[str, str]:
    """The name of the population that each value belongs to; an activation's holds for its sum."""
    values = (*graph.input, *graph.value_info, *graph.output)
    labels = {each.name: each.doc_string for each in values}
    names = {value: labels.get(value) or value for value in (*found.sizes, *found.sums)}
    # What is not UTF-8 comes out of protobuf as bytes.
    if set(map(type, names.values())) != {str}:
        _refuse("a population has a name that is not UTF-8")
    return names | {z: names[a] for z, (_, a) in found.activations.items()}


def _attributes(node: NodeProto) -> dict[str, object]:
    try:
        return {each.name: helper.get_attribute_value(each) for each in node.attribute}
    except ValueError as error:
        raise ModelFileError(f"an attribute of {node.name!r} in this file is damaged") from error


def _refuse(what: str) -> NoReturn:
    raise ModelFileError(
        f"this ONNX file is not one that Volr writes: {what}",
        help="only files that `volr compile --to onnx` has written are read back",
    )
