"""ONNX files and ONNX Runtime against the reference, by evaluators other than Volr's own."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from tests.backends import kernels
from tests.engine.examples import ODD, SKIP
from tests.oracles import chain, fork, random_parameters
from tests.strategies import Program, programs

from volr.backends.expected import expected
from volr.backends.onnx import ONNX, ONNX_FILE, graph, session
from volr.backends.readback import SINGLE
from volr.backends.reference import forward
from volr.errors import ModelFileError, UnsupportedError
from volr.language import to_network
from volr.models.activations import ACTIVATIONS, Activation, Identity, ReLU, Tanh
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Floats

# Outputs with projections of their own, inputs that are outputs, and one that is all there is.
NETWORKS = {
    "chain": chain(5, 7, 3),
    "fork": fork(4, 3, 6, 5),
    "skip": SKIP,
    "odd": ODD,
    "early": replace(SKIP, outputs=("first", "last")),
    "bare": Network((Population("x", (3,)),), (), ("x",), ("x",)),
    **kernels.NETWORKS,
}
HOSTILE = (
    '";import_os;os.abort()',
    "def",
    "λ'",
    "stimuli",
    "logits",
    "a_sum",
    "a",
    "stimuli_sizes",
)


def model_of(network: Network, activation: Activation = ReLU(), seed: int = 0) -> ArtificialModel:
    rng = np.random.default_rng(seed)
    return ArtificialModel(
        network, random_parameters(network, rng, weight=0.7, bias=0.4), activation
    )


def written(model: ArtificialModel) -> ModelProto:
    return onnx.load_model_from_string(ONNX_FILE.write(model)[".onnx"])


def assert_close(found: Floats, wanted: Floats) -> None:
    assert found.shape == wanted.shape
    scale = float(np.abs(wanted).max(initial=1.0))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * scale)


def hostile() -> Network:
    """Everything in order of its name: two inputs, a chain, and outputs side by side."""
    names = HOSTILE
    ends = [(0, 2), (1, 2), (2, 3), (1, 4), (3, 5), (4, 5), (5, 6), (5, 7), (0, 7)]
    return Network(
        tuple(Population(name, (2 + index,)) for index, name in enumerate(names)),
        tuple(Projection(names[a], names[b]) for a, b in ends),
        names[:2],
        (names[6], names[7]),
    )


@given(programs(), st.sampled_from(ACTIVATIONS), st.integers(0, 2**32))
def test_any_program_is_what_the_reference_says(
    program: Program, activation: Activation, seed: int
) -> None:
    model = model_of(to_network(program.source), activation, seed)
    stimuli = np.random.default_rng(seed).normal(size=(3, program.inputs))
    assert_close(ONNX.build(model)(stimuli), forward(model, stimuli))
    assert not compare(expected(model, SINGLE), ONNX.read_back(model)).differences
    assert not compare(
        expected(model, SINGLE), ONNX_FILE.read_back(ONNX_FILE.write(model))
    ).differences


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_the_file_means_the_same_to_the_evaluator_of_onnx(
    network: Network, activation: Activation
) -> None:
    model = model_of(network, activation)
    for batch in (4, 1):
        stimuli = np.random.default_rng(1).normal(size=(batch, network.input_size))
        evaluator = ReferenceEvaluator(written(model))
        (logits,) = evaluator.run(["logits"], {"stimuli": stimuli.astype(np.float32)})
        assert_close(np.asarray(logits), forward(model, stimuli))
        assert_close(ONNX.build(model)(stimuli), forward(model, stimuli))
    assert not compare(expected(model, SINGLE), ONNX.read_back(model)).differences
    assert not compare(
        expected(model, SINGLE), ONNX_FILE.read_back(ONNX_FILE.write(model))
    ).differences


def test_a_graph_has_one_node_a_projection_and_one_an_activation() -> None:
    text = "dense 2 4 ⦶ (dense 4 1 ⊖ dense 4 2) ⦶ dense 3 2"
    model = model_of(to_network(text), Tanh())
    made = written(model)
    assert [(each.op_type, list(each.input), list(each.output)) for each in made.graph.node] == [
        ("Gemm", ["stimuli", "input_dense_1_weight", "dense_1_bias"], ["dense_1_sum"]),
        ("Tanh", ["dense_1_sum"], ["dense_1"]),
        ("Gemm", ["dense_1", "dense_1_dense_2_weight", "dense_2_bias"], ["dense_2_sum"]),
        ("Tanh", ["dense_2_sum"], ["dense_2"]),
        ("Gemm", ["dense_1", "dense_1_dense_3_weight", "dense_3_bias"], ["dense_3_sum"]),
        ("Tanh", ["dense_3_sum"], ["dense_3"]),
        ("Gemm", ["dense_2", "dense_2_dense_4_weight", "dense_4_bias"], ["dense_4_sum_1"]),
        ("Gemm", ["dense_3", "dense_3_dense_4_weight", "dense_4_sum_1"], ["logits"]),
    ]
    for value, size in ((made.graph.input[0], 2), (made.graph.output[0], 2)):
        batch, unit = value.type.tensor_type.shape.dim
        assert (batch.dim_param, unit.dim_value) == ("batch", size)
    assert {each.key: each.value for each in made.metadata_props} == {
        "program": text,
        "activation": '{"activation": "tanh"}',
    }
    assert (made.ir_version, made.opset_import[0].version) == (8, 17)


def test_names_are_identifiers_of_c_and_come_back_as_they_were() -> None:
    model = model_of(hostile(), Tanh())
    made = written(model)
    tensors = [name for node in made.graph.node for name in (*node.input, *node.output)]
    for name in (*tensors, *(node.name for node in made.graph.node)):
        assert re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name)
    held = [*(name for node in made.graph.node for name in node.output), "stimuli"]
    held += [tensor.name for tensor in made.graph.initializer]
    assert len(held) == len(set(held))
    for found in (ONNX.read_back(model), ONNX_FILE.read_back({".onnx": made.SerializeToString()})):
        assert tuple(sorted(found.populations)) == tuple(sorted(HOSTILE))
        assert not compare(expected(model, SINGLE), found).differences
    stimuli = np.random.default_rng(2).normal(size=(3, model.network.input_size))
    assert_close(ONNX.build(model)(stimuli), forward(model, stimuli))


def test_a_large_network_goes_on_all_cores_to_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of(chain(60, 80, 7))
    stimuli = np.random.default_rng(3).normal(size=(100, 60))
    one = ONNX.build(model)(stimuli)
    monkeypatch.setattr(session, "LARGE", 0)
    assert_close(ONNX.build(model)(stimuli), one)


def numbers(made: ModelProto, name: str, change: Callable[[Floats], Floats]) -> None:
    (tensor,) = (each for each in made.graph.initializer if each.name == name)
    changed = np.ascontiguousarray(change(numpy_helper.to_array(tensor)))
    tensor.CopyFrom(numpy_helper.from_array(changed.astype(np.float32), name))


def exchange(made: ModelProto, first: int, second: int) -> None:
    a, b = made.graph.node[first].input, made.graph.node[second].input
    a[1], b[1] = b[1], a[1]


CHANGED: dict[str, tuple[Callable[[ModelProto], object], str]] = {
    "transposed": (
        lambda made: numbers(made, "dense_1_dense_2_weight", np.transpose),
        "transposed",
    ),
    "signs": (lambda made: numbers(made, "input_dense_1_weight", np.negative), "signs are flipped"),
    "bias": (lambda made: numbers(made, "dense_2_bias", lambda b: b + 1e-5), "biases differ"),
    "activation": (
        lambda made: setattr(made.graph.node[1], "op_type", "Relu"),
        "the activation relu, expected tanh",
    ),
    "weights": (lambda made: exchange(made, 0, 2), "these are the weights of dense_1->dense_2"),
}


@pytest.mark.parametrize(("change", "message"), CHANGED.values(), ids=CHANGED.keys())
def test_what_is_read_back_is_what_the_nodes_say(
    change: Callable[[ModelProto], object], message: str
) -> None:
    model = model_of(chain(4, 4, 4), Tanh())
    made = written(model)
    change(made)
    found = compare(
        expected(model, SINGLE), ONNX_FILE.read_back({".onnx": made.SerializeToString()})
    ).differences
    assert message in " ".join(map(str, found))


def redirect(name: str) -> Callable[[ModelProto], None]:
    return lambda made: made.graph.node[2].input.__setitem__(0, name)


def elsewhere(made: ModelProto) -> None:
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def huge(made: ModelProto) -> None:
    made.graph.initializer[0].dims[:] = [2**62, 2**62]


def nameless(made: ModelProto) -> None:
    for value in made.graph.value_info:
        value.doc_string = "two words"


BROKEN: dict[str, Callable[[ModelProto], object]] = {
    "no nodes": lambda made: made.graph.ClearField("node"),
    "another version": lambda made: setattr(made.opset_import[0], "version", 12),
    "an unknown operator": lambda made: setattr(made.graph.node[1], "op_type", "Softmax"),
    "another domain": lambda made: setattr(made.graph.node[1], "domain", "elsewhere"),
    "an attribute": lambda made: setattr(made.graph.node[0].attribute[0], "i", 0),
    "no attribute": lambda made: made.graph.node[0].ClearField("attribute"),
    "an unknown one": lambda made: made.graph.node[1].attribute.add(name="alpha", f=1.0, type=1),
    "a damaged one": lambda made: made.graph.node[1].attribute.add(name="alpha", type=0),
    "a cycle": redirect("logits"),
    "a value of nothing": redirect("nowhere"),
    "a sum that is sent on": redirect("dense_1_sum"),
    "two of one name": lambda made: made.graph.node[1].output.__setitem__(0, "dense_1_sum"),
    "two activations": lambda made: made.graph.node.insert(
        2, helper.make_node("Relu", ["dense_1_sum"], ["again"])
    ),
    "two tensors of one name": lambda made: made.graph.initializer.append(
        made.graph.initializer[0]
    ),
    "two inputs": lambda made: made.graph.input.append(made.graph.input[0]),
    "an input of three axes": lambda made: made.graph.input[0].type.tensor_type.shape.dim.add(),
    "another output": lambda made: setattr(made.graph.output[0], "name", "dense_1"),
    "a huge tensor": huge,
    "a short tensor": lambda made: setattr(made.graph.initializer[0], "raw_data", b"1234"),
    "integers": lambda made: setattr(made.graph.initializer[0], "data_type", TensorProto.INT32),
    "a file elsewhere": elsewhere,
    "not a number": lambda made: numbers(made, "dense_2_bias", lambda b: b * np.nan),
    "a matrix as a bias": lambda made: numbers(made, "dense_2_bias", lambda b: b[:, None]),
    "a transposed block": lambda made: numbers(made, "input_dense_1_weight", np.transpose),
    "a function": lambda made: made.functions.add(name="Gemm"),
    "no name for a population": nameless,
    "a loose end": lambda made: made.graph.node.append(
        helper.make_node("Gemm", ["dense_1", "input_dense_1_weight", "dense_1_bias"], ["z"])
    ),
    "more outputs": lambda made: made.graph.node.append(
        helper.make_node("Concat", ["logits"], ["more"], axis=1)
    ),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_what_volr_would_not_write_is_refused(change: Callable[[ModelProto], object]) -> None:
    made = written(model_of(chain(5, 6, 4)))
    change(made)
    with pytest.raises(ModelFileError, match="ONNX file"):
        ONNX_FILE.read_back({".onnx": made.SerializeToString()})


@pytest.mark.parametrize("sizes", [[4, 6], [15], [15, 0], [-1, 16], [5, 5, 5]])
def test_inputs_that_do_not_add_up_are_refused(sizes: list[int]) -> None:
    made = written(model_of(SKIP))
    (tensor,) = (each for each in made.graph.initializer if each.name == graph.SIZES)
    tensor.CopyFrom(numpy_helper.from_array(np.array(sizes, dtype=np.int64), graph.SIZES))
    with pytest.raises(ModelFileError, match="split"):
        ONNX_FILE.read_back({".onnx": made.SerializeToString()})


@settings(max_examples=300)
@given(st.data())
def test_damaged_bytes_are_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(ONNX_FILE.write(model_of(fork(3, 2, 4, 2)))[".onnx"])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        gone = data.draw(st.sampled_from([0, 1, 1, 9]))
        body[place : place + gone] = data.draw(st.binary(max_size=3))
    with suppress(ModelFileError):
        ONNX_FILE.read_back({".onnx": bytes(body)})


@pytest.mark.parametrize("files", [{}, {".onnx": b""}, {".onnx": b"\xff" * 99}, {".txt": b"x"}])
def test_what_is_no_onnx_file_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ModelFileError, match="ONNX file"):
        ONNX_FILE.read_back(files)


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    network = chain(3, 2)
    model = model_of(network, Identity())
    spiking = SpikingModel(network=network, parameters=model.parameters)
    with pytest.raises(UnsupportedError, match="no spiking neurons"):
        ONNX_FILE.write(spiking)
    values = dict(model.parameters) | {"dense_1.bias": np.array([1e39, 0.0])}
    with pytest.raises(UnsupportedError, match=r"float32, and dense_1\.bias has values .* 1e\+39"):
        ONNX_FILE.write(replace(model, parameters=values))
    monkeypatch.setattr(graph, "LARGEST", 31)
    with pytest.raises(UnsupportedError, match=r"31 bytes of them, and those of this .* take 32"):
        ONNX.build(model)
