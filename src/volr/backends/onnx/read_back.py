"""The network that an ONNX graph computes, parsed from its nodes and initializers.

A file may come from anywhere, so everything that ``graph`` does not write is refused, and so is a
damaged file. A population has the name in the ``doc_string`` of its value, or the name of the value
where a tool has dropped that.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper

from volr.backends.onnx.attributes import refuse
from volr.backends.onnx.graph import OPSET
from volr.backends.onnx.nodes import Found
from volr.backends.probing import activation_of, taken_as
from volr.backends.readback import ArtificialReadback, Asked, all_asked, precision_of
from volr.backends.terms import added_up
from volr.errors import ModelFileError, NetworkError
from volr.network import Network, Population, Projection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto


_TYPES = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64)


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
        refuse("it has no nodes")
    if versions.get("") != OPSET:
        refuse(f"its operators are of version {versions.get('')}, not {OPSET}")
    if model.functions or model.training_info or model.graph.sparse_initializer:
        refuse("it has functions, training or sparse tensors")
    if len(model.graph.input) != 1 or len(model.graph.output) != 1:
        refuse("it has not one input and one output")


def _arrays(graph: GraphProto) -> dict[str, NDArray[Any]]:
    """The initializers: float32, float64 for inputs, and int64 for shapes.

    Data outside the file are refused.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for tensor in graph.initializer:
        name, dims = tensor.name, list(tensor.dims)
        if name in arrays:
            refuse(f"two tensors are called {name!r}")
        if tensor.data_type not in _TYPES or tensor.external_data or tensor.data_location:
            refuse(f"the tensor {name!r} is of another type, or lies outside the file")
        if len(dims) > 4 or min(dims, default=1) < 1:
            refuse(f"the tensor {name!r} has the shape {dims}")
        try:
            array = numpy_helper.to_array(tensor)
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"the tensor {name!r} of this ONNX file is damaged") from error
        if not np.isfinite(array).all():
            refuse(f"the tensor {name!r} has values that are not finite numbers")
        arrays[name] = array
    return arrays


def _start(graph: GraphProto, arrays: Mapping[str, NDArray[Any]]) -> Found:
    (value,) = graph.input
    kind = value.type.tensor_type
    dims = kind.shape.dim
    if kind.elem_type != TensorProto.FLOAT or len(dims) != 2 or dims[1].dim_value < 1:
        refuse("its input is not [batch, unit] in float32")
    return Found(arrays, {value.name, *arrays}, {value.name: (dims[1].dim_value,)}, [value.name])


def _readback(graph: GraphProto, found: Found) -> ArtificialReadback:
    (output,) = graph.output
    logits = [found.base(each) for each in found.logits.pop(output.name, [output.name])]
    sums = found.sums
    if found.logits or not {*found.inputs, *sums}.issuperset(logits):
        refuse("its output is not weighted sums and inputs side by side")
    names = _names(graph, found)
    sizes = [(names[x], math.prod(found.sources[x])) for x in found.inputs]
    sizes += [(names[z], math.prod(each.shape)) for z, each in sums.items()]
    if any(term.read.source not in names for each in sums.values() for term in each.terms):
        refuse("a value goes on in two ways")
    if any(each.dtype != np.float32 for each in found.chains.values()):
        refuse("values are sent on in double precision")
    terms = [
        ((names[term.read.source], names[z]), term)
        for z, each in sums.items()
        for term in each.terms
    ]
    inputs = tuple(names[x] for x in found.inputs)
    outputs = tuple(names[z] for z in logits)
    try:
        Network(
            populations=tuple(Population(name, (size,)) for name, size in sizes),
            projections=tuple(Projection(*ends) for ends in dict(terms)),
            inputs=inputs,
            outputs=outputs,
        )
    except NetworkError as error:
        raise ModelFileError(f"this ONNX file is no network of ours: {error.message}") from error
    return ArtificialReadback(
        populations=all_asked(dict(sizes)),
        inputs=Asked(inputs),
        outputs=Asked(outputs),
        weights=all_asked(added_up((ends, term.block()) for ends, term in terms)),
        biases=all_asked(
            {
                names[z]: np.zeros(math.prod(each.shape))
                if each.bias is None
                else each.bias.astype(np.float64)
                for z, each in sums.items()
            }
        ),
        activations=all_asked(
            _taken(found, names)
            | {
                names[z]: activation_of(found.chains[a]) if a in found.chains else operator
                for z, (operator, a) in found.activations.items()
            }
        ),
        merges=all_asked({names[z]: each.merge for z, each in sums.items() if each.merge != "sum"}),
        precision=precision_of(
            array.dtype for array in found.arrays.values() if array.dtype != np.int64
        ),
    )


def _taken(found: Found, names: Mapping[str, str]) -> dict[str, str]:
    """The formula of each input that does not send its stimulus as it is."""
    chained = [x for x in found.inputs if x in found.chains]
    return taken_as((names[x] for x in chained), found.chains[chained[0]]) if chained else {}


def _names(graph: GraphProto, found: Found) -> dict[str, str]:
    """The name of the population that each value belongs to; an activation's holds for its sum."""
    values = (*graph.input, *graph.value_info, *graph.output)
    labels = {each.name: each.doc_string for each in values}
    names = {value: labels.get(value) or value for value in (*found.sources, *found.sums)}
    # What is not UTF-8 comes out of protobuf as bytes.
    if set(map(type, names.values())) != {str}:
        refuse("a population has a name that is not UTF-8")
    return names | {z: names[a] for z, (_, a) in found.activations.items()}
