"""An artificial network as an ONNX graph: one node a projection, and one an activation.

    x, y, …  =  Split(stimuli)                          where there are several inputs
    z        =  Gemm(x, W, b)  =  x Wᵀ + b              the first projection into a population
    z        =  Gemm(y, W, z)  =  y Wᵀ + z              every further one
    z        =  Conv(x, W, b)                           a kernel; Conv(x, W) where another took b
    z        =  Mul(x, w)                               an identity, which has one weight
    x        =  AveragePool(x)                          what a projection goes through
    z        =  MaxPool(Mul(x, w))                      the largest; Max(…, …) of several
    z        =  Add(z, …)                               what further projections bring
    a        =  Relu(z) | Sigmoid(z) | Tanh(z) | Identity(z)    where it has projections of its own
    logits   =  Concat(z, z', …)                        where there are several outputs

``staircase`` has what else is in a network of whole numbers.

Weights are as ours are: ``[post, pre]`` of ``Gemm``, ``[out, in / groups, …]`` of ``Conv``.
``stimuli`` and ``logits`` are ``[batch, unit]``, and kernels and pools have
``[batch, channel, …]``; all in float32. Every tensor's name is an identifier of C, as the
specification of ONNX demands, whatever the populations are called; the ``doc_string`` of a
population's value is its own name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper, numpy_helper

from volr.backends.identifiers import identifiers
from volr.backends.onnx.layers import (
    Layers,
    extra_keys,
    held_shape,
    is_held_as_maps,
    parameter_tensors,
    passes_on,
    sources_of,
)
from volr.backends.onnx.staircase import check_windows, staircase_keys, whole_inputs
from volr.backends.refusals import elsewhere
from volr.errors import UnsupportedError
from volr.model_files.entries import activation_entries
from volr.models.activations import Staircase
from volr.models.parameters import weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

    from volr.models.activations import Activation
    from volr.models.model import ArtificialModel
    from volr.network import Network
    from volr.network.connectors import Shape

# Of 2022: read by every ONNX Runtime since 1.12, and by this package's checker.
OPSET = 17
IR_VERSION = 8
PROGRAM, ACTIVATION = "program", "activation"
"""The properties of a file that say what it was made of."""
STIMULI, LOGITS = "stimuli", "logits"
SIZES = "stimuli_sizes"
"""Where Split finds the sizes of the inputs."""
LARGEST = 2_000_000_000
"""Bytes of parameters in one file: a protobuf message ends at 2³¹, and names take room too."""


def onnx_bytes(model: ArtificialModel) -> bytes:
    """The model as a checked ONNX file; ``UnsupportedError`` where such a file cannot hold it."""
    made = onnx_model(model)
    onnx.checker.check_model(  # pyright: ignore[reportUnknownMemberType]
        made, full_check=True
    )
    return made.SerializeToString()


def onnx_model(model: ArtificialModel) -> ModelProto:
    """The model as an ONNX model, unchecked. Raises as ``onnx_bytes`` does."""
    network = model.network
    _check_size(network)
    tensors = tensor_names(network, model.activation)
    layers = Layers(model, tensors, sources_of(network))
    _add_inputs(layers)
    for population in network.layers:
        layers.add(population)
    graph = helper.make_graph(
        [*layers.nodes, *_outputs(network, tensors)],
        "network",
        [_value(STIMULI, (network.input_size,), _only(network.inputs))],
        [_value(LOGITS, (network.output_size,), _only(network.outputs))],
        [*_initializers(model, tensors), *layers.constants],
        value_info=[
            _value(tensors[p.name], held_shape(network, p), p.name)
            for p in network.populations
            if tensors[p.name] not in {STIMULI, LOGITS}
        ],
    )
    made = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="volr",
    )
    if network.source is not None:
        # Protobuf takes no lone surrogates, which a text made in Python may have.
        text = network.source.text.encode("utf-8", "replace").decode()
        entries = json.dumps(activation_entries(model.activation))
        helper.set_model_props(made, {PROGRAM: text, ACTIVATION: entries})
    return made


def _check_size(network: Network) -> None:
    needed = 4 * network.parameter_count
    if needed > LARGEST:
        raise UnsupportedError(
            f"onnx keeps the parameters in the file itself, which holds {LARGEST:,} bytes of them, "
            f"and those of this network take {needed:,}",
            help=elsewhere("torch"),
        )


def tensor_names(network: Network, activation: Activation) -> dict[str, str]:
    """Names by what they stand for; no population's own name has a space in it.

    A population stands for what it shows to others: stimuli, activations, or the weighted sums of
    an output that sends nothing on; ``… sum`` for its weighted sums, ``… sum 1`` for part of them.
    """
    keys = [p.name for p in network.populations]
    for population in network.layers:
        incoming = network.incoming[population.name]
        keys += [f"{p.name} weight" for p in incoming]
        keys += [f"{population.name} {what}" for what in ("bias", "sum")]
        keys += [f"{population.name} sum {count}" for count in range(1, len(incoming))]
    # Names as they always were come first.
    keys += extra_keys(network)
    is_whole = isinstance(activation, Staircase)
    keys += staircase_keys(network) if is_whole else []
    names = identifiers(keys, reserved={STIMULI, SIZES, LOGITS})
    if len(network.inputs) == 1 and not is_whole:
        names[network.inputs[0]] = STIMULI
    if len(network.outputs) == 1 and not is_held_as_maps(network, network[network.outputs[0]]):
        names[f"{network.outputs[0]} sum"] = LOGITS
    sources = sources_of(network)
    silent = [p.name for p in network.layers if not passes_on(sources, p)]
    return names | {name: names[f"{name} sum"] for name in silent}


def _add_inputs(layers: Layers) -> None:
    """The nodes that make the inputs' values of the stimuli."""
    model, tensors = layers.model, layers.tensors
    parts = [tensors[name] for name in model.network.inputs]
    whole = STIMULI
    if isinstance(model.activation, Staircase):
        check_windows(model, model.activation)
        whole = tensors["stimuli whole"] if len(parts) > 1 else parts[0]
        layers.take(whole_inputs(model.activation, STIMULI, tensors, whole))
    if len(parts) > 1:
        split = helper.make_node("Split", [whole, SIZES], parts, name=STIMULI, axis=1)
        layers.nodes.append(split)


def _outputs(network: Network, tensors: Mapping[str, str]) -> list[NodeProto]:
    inputs, nodes, parts = set(network.inputs), list["NodeProto"](), list[str]()
    for name in network.outputs:
        part = tensors[name if name in inputs else f"{name} sum"]
        if is_held_as_maps(network, network[name]):
            flat = LOGITS if len(network.outputs) == 1 else tensors[f"{name} logits"]
            nodes.append(helper.make_node("Flatten", [part], [flat], name=flat, axis=1))
            part = flat
        parts.append(part)
    if parts == [LOGITS]:
        return nodes
    return [*nodes, helper.make_node("Concat", parts, [LOGITS], name=LOGITS, axis=1)]


def _initializers(model: ArtificialModel, tensors: Mapping[str, str]) -> list[TensorProto]:
    network = model.network
    ours = parameter_tensors(network, tensors)
    made = [numpy_helper.from_array(_single(model, name), tensor) for tensor, name in ours.items()]
    if len(network.inputs) > 1:
        sizes = np.array([network[name].size for name in network.inputs], dtype=np.int64)
        made.append(numpy_helper.from_array(sizes, SIZES))
    return made


def _single(model: ArtificialModel, name: str) -> NDArray[np.float32]:
    value = model.parameters[name]
    if isinstance(model.activation, Staircase):
        # Means are taken as sums.
        shared = {weight_name(p): p.connector.divisor for p in model.network.projections}
        value = value / shared.get(name, 1)
    largest = float(np.abs(value).max())
    if largest > float(np.finfo(np.float32).max):
        raise UnsupportedError(
            f"onnx holds float32, and {name} has values of up to {largest:g}",
            help=elsewhere("reference"),
        )
    return value.astype(np.float32)


def _value(tensor: str, shape: Shape, population: str) -> ValueInfoProto:
    return helper.make_tensor_value_info(
        tensor, onnx.TensorProto.FLOAT, ["batch", *shape], doc_string=population
    )


def _only(names: tuple[str, ...]) -> str:
    """The name where there is one; empty where there are several."""
    return names[0] if len(names) == 1 else ""
