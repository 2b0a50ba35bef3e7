"""ONNX files of other programs as models: the same logits, and what is in the way."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.backends import document
from volr.backends.foreign_files import SettingInFileError
from volr.backends.reference import forward
from volr.errors import DataError, ModelFileError, NetworkError, UnsupportedError
from volr.importing import ImportedModel, import_onnx, import_torch
from volr.language import to_network
from volr.models.activations import ReLU, Sigmoid, Staircase, Tanh
from volr.models.model import ArtificialModel

torch: Any = pytest.importorskip("torch")
onnx: Any = pytest.importorskip("onnx")
runtime: Any = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper
from tests.backends.onnx_exports import Quiet, by_dynamo, by_keras, by_skl2onnx, by_torchscript
from tests.backends.torch_modules import module_of, users
from tests.oracles import random_parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

    from volr.checks.arrays import Floats

    Export = Callable[..., Path]

pytestmark = pytest.mark.filterwarnings(
    "ignore:Using padding='same'", "ignore:__array__ implementation:DeprecationWarning"
)

EXPORTERS = {"torchscript": by_torchscript, "dynamo": by_dynamo}


def program(found: ImportedModel[ArtificialModel]) -> str:
    """The program in one line."""
    source = found.model.network.source
    assert source is not None
    return " ".join(source.text.split())


def ours(found: ImportedModel[ArtificialModel], stimuli: Floats) -> Floats:
    assert isinstance(found.model, ArtificialModel)
    return forward(found.model, stimuli.reshape(len(stimuli), -1))


def logits(module: nn.Module, stimuli: Floats) -> Floats:
    with torch.no_grad():
        given = torch.as_tensor(stimuli, dtype=torch.float32)
        return module.eval()(given).double().numpy().reshape(len(stimuli), -1)


def stimuli_of(shape: tuple[int, ...]) -> Floats:
    return np.random.default_rng(5).random((30, *shape))


def assert_same_models(
    a: ImportedModel[ArtificialModel], b: ImportedModel[ArtificialModel]
) -> None:
    """The same network, and the same numbers as far as float32 has them."""
    assert isinstance(a.model, ArtificialModel)
    assert isinstance(b.model, ArtificialModel)
    assert a.model.network == b.model.network
    assert a.model.activation == b.model.activation
    assert {*a.model.parameters} == {*b.model.parameters}
    for name, each in a.model.parameters.items():
        assert np.array_equal(each.astype(np.float32), b.model.parameters[name]), name


def written(model: Any) -> bytes:
    """The ONNX file that Volr writes of a model."""
    return document("onnx").write(model)[".onnx"]


def said_by_a_program(file: Path) -> ImportedModel[ArtificialModel] | None:
    """The import of a file, or None if its graph is none of layers in a row and side by side."""
    try:
        return import_onnx(file)
    except NetworkError as error:
        if "the language has no program" not in error.message:
            raise
        return None


@pytest.mark.parametrize("part", range(6))
def test_random_modules_give_the_same_logits_through_both_importers(
    part: int, tmp_path: Path
) -> None:
    said = 0
    for seed in range(100 + 6 * part, 106 + 6 * part):
        try:
            module, shape = module_of(Random(seed))
        except RuntimeError:
            # Maps that became smaller than a window.
            continue
        file = by_torchscript(module, shape, tmp_path / f"{seed}.onnx")
        found = said_by_a_program(file)
        if found is None:
            continue
        said += 1
        stimuli = stimuli_of(shape)
        np.testing.assert_allclose(ours(found, stimuli), logits(module, stimuli), atol=1e-5)
        assert to_network(program(found)) == found.model.network
        assert import_torch(module, shape).model.network == found.model.network
        assert_same_models(found, import_onnx(written(found.model)))
    assert said > 1


@pytest.mark.parametrize(
    ("exporter", "opset"),
    # The first and the last that each of them writes.
    [("torchscript", 13), ("torchscript", 20), ("dynamo", 18), ("dynamo", 23)],
)
def test_a_network_as_people_have_it(exporter: str, opset: int, tmp_path: Path) -> None:
    module = users()
    file = EXPORTERS[exporter](module, (1, 8, 12), tmp_path / "net.onnx", opset_version=opset)
    found = import_onnx(file)
    assert program(found) == (
        "conv [1 8 12] 4 3 pad:1 ⦶ maxpool [4 8 12] 2 "
        "⦶ id [4 4 6] ⊕ (conv [4 4 6] 4 3 pad:1 ⦶ conv [4 4 6] 4 3 pad:1) "
        "⦶ avgpool [4 4 6] 2 ⦶ dense [4 2 3] 3"
    )
    assert found.notes[0] == "Softmax at the end: left out, logits are what comes before"
    assert "logits differ from ONNX Runtime's by" in found.notes[1]
    stimuli = stimuli_of((1, 8, 12))
    np.testing.assert_allclose(ours(found, stimuli), logits(module[:-1], stimuli), atol=1e-5)


def keras_model(shape: tuple[int, ...], *, activation: str = "relu") -> Any:
    keras: Any = pytest.importorskip("keras")
    layers = keras.layers
    keras.utils.set_random_seed(0)
    given = keras.Input(shape)
    x = layers.Conv2D(4, 3, padding="same", activation=activation)(given)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(2)(x)
    y = layers.Activation(activation)(layers.Conv2D(4, 3, padding="same")(x))
    x = layers.Dropout(0.2)(layers.add([x, y]))
    x = layers.Flatten()(x)
    return keras.Model(given, layers.Dense(3, activation="softmax")(x))


@pytest.mark.parametrize("channels", [1, 3])
def test_keras_with_channels_last(channels: int, tmp_path: Path) -> None:
    model = keras_model((8, 6, channels))
    # Numbers of a training: a normalisation that changes nothing would prove nothing.
    rng = np.random.default_rng(4)
    norm = model.layers[2]
    norm.set_weights([rng.uniform(0.5, 1.5, each.shape) for each in norm.weights])
    found = import_onnx(by_keras(model, tmp_path / "net.onnx"))
    assert f"conv [{channels} 8 6] 4 3 pad:1 ⦶ maxpool" in program(found)
    stimuli = stimuli_of((8, 6, channels)).astype(np.float32)
    wanted = np.log(np.asarray(model.predict(stimuli, verbose=0), np.float64))
    got = ours(found, stimuli.astype(np.float64).transpose(0, 3, 1, 2))
    got -= np.log(np.exp(got).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    turned = f"stimuli have channels first, [{channels}, 8, 6]; the file has [8, 6, {channels}]"
    assert turned in found.notes


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["relu", "logistic", "tanh"])
def test_scikit_learn(kind: str, classes: int, tmp_path: Path) -> None:
    neural = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    x = rng.random((80, 5)).astype(np.float32)
    y = np.array(["few", "more", "most"])[(x.sum(axis=1) * classes / 5).astype(int) % classes]
    fitted = neural.MLPClassifier((7, 4), activation=kind, max_iter=30)
    with Quiet():
        fitted.fit(x, y)
    found = import_onnx(by_skl2onnx(fitted, 5, tmp_path / "net.onnx"))
    assert program(found) == f"dense 5 7 ⦶ dense 7 4 ⦶ dense 4 {classes}"
    z = ours(found, x.astype(np.float64))
    share = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(share, fitted.predict_proba(x), atol=1e-5)
    assert found.notes[0].startswith(
        ("Softmax, " if classes == 3 else "Sigmoid, ") + "ArgMax, ArrayFeatureExtractor, ZipMap"
    )


def test_a_regressor_of_scikit_learn(tmp_path: Path) -> None:
    neural = pytest.importorskip("sklearn.neural_network")
    x = np.random.default_rng(0).random((40, 3)).astype(np.float32)
    fitted = neural.MLPRegressor(hidden_layer_sizes=(6,), activation="tanh", max_iter=20)
    with Quiet():
        fitted.fit(x, x @ [1.0, -2.0, 0.5])
    found = import_onnx(by_skl2onnx(fitted, 3, tmp_path / "net.onnx"))
    np.testing.assert_allclose(ours(found, x.astype(float))[:, 0], fitted.predict(x), atol=1e-5)


def small(**more: Any) -> Any:
    """A file of one layer, with other parts of its own."""
    parts: dict[str, Any] = {
        "nodes": [helper.make_node("Gemm", ["x", "w", "b"], ["y"], "layer", transB=1)],
        "inputs": [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        "outputs": [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        "tensors": [
            numpy_helper.from_array(np.array([[1, 2, 3], [4, 5, 6.5]], np.float32), "w"),
            numpy_helper.from_array(np.array([0.5, -1], np.float32), "b"),
        ],
        "opset": 20,
        **more,
    }
    graph = helper.make_graph(
        parts["nodes"], "small", parts["inputs"], parts["outputs"], parts["tensors"]
    )
    opsets = [helper.make_opsetid("", parts["opset"])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def read(model: Any, **settings: Any) -> ImportedModel[ArtificialModel]:
    return import_onnx(model.SerializeToString(), **settings)


def value(name: str, kind: int, axes: list[Any]) -> Any:
    return helper.make_tensor_value_info(name, kind, axes)


def test_the_shape_that_a_file_leaves_open() -> None:
    open_ = small(inputs=[value("x", TensorProto.FLOAT, ["n", "size"])])
    with pytest.raises(ModelFileError, match=r"takes \[n, size\], which leaves .* open"):
        read(open_)
    assert program(read(open_, shape=(3,))) == "dense 3 2"
    assert program(read(small(inputs=[value("x", TensorProto.FLOAT, [4, 3])]))) == "dense 3 2"
    with pytest.raises(ModelFileError, match=r"the shape \[4\] was given"):
        read(small(), shape=(4,))
    with pytest.raises(DataError, match="not whole numbers"):
        read(small(), shape=(0,))


def test_pixels_that_are_normalised() -> None:
    bytes_ = small(
        nodes=[
            helper.make_node("Cast", ["x"], ["c"], to=1),
            helper.make_node("Gemm", ["c", "w", "b"], ["y"], transB=1),
        ],
        inputs=[value("x", TensorProto.UINT8, ["n", 3])],
    )
    found = read(bytes_, inputs=(0, 255))
    pixels = np.array([[0, 255, 51.0]])
    weight = np.array([[1, 2, 3], [4, 5, 6.5]])
    np.testing.assert_allclose(ours(found, pixels / 255), pixels @ weight.T + [0.5, -1], atol=1e-4)
    found = read(small(), inputs=(0, 255), mean=[1, 2, 3], deviation=2)
    wanted = (pixels - [1, 2, 3]) / 2 @ weight.T + [0.5, -1]
    np.testing.assert_allclose(ours(found, pixels / 255), wanted, atol=1e-4)


def test_files_of_ours_come_back_bit_for_bit() -> None:
    for text in (
        "conv [2 5 7] 3 [2 3] stride:2 ⦶ maxpool [3 2 3] [2 1] ⦶ dense [3 1 3] 4",
        "(dense 3 4 ⊖ dense 3 4) ⦶ dense 8 2",
        "conv [1 6 5] 2 2 ⦶ avgpool [2 5 4] [5 2] ⦶ id [2 1 2] ⊕ conv [2 1 2] 2 1",
    ):
        network = to_network(text)
        parameters = random_parameters(network, np.random.default_rng(1), weight=1.0, bias=0.5)
        for activation in (ReLU(), Tanh(), Sigmoid()):
            model = ArtificialModel(network, parameters, activation)
            file = written(model)
            found = import_onnx(file)
            assert found.notes == ()
            assert_same_models(ImportedModel(model, ()), found)
            assert written(found.model) == file


def test_whole_numbers_come_back() -> None:
    network = to_network("conv [1 6 5] 2 2 ⦶ avgpool [2 5 4] [5 2] ⦶ dense [2 1 2] 3")
    parameters = {
        name: 10 * np.rint(each * 9)
        for name, each in random_parameters(
            network, np.random.default_rng(1), weight=1.0, bias=0.5
        ).items()
    }
    model = ArtificialModel(network, parameters, Staircase(8, 5))
    found = import_onnx(written(model))
    assert_same_models(ImportedModel(model, ()), found)


def test_a_file_of_ours_says_all_itself_unless_it_was_changed() -> None:
    network = to_network("dense 3 4 ⦶ dense 4 2")
    model = ArtificialModel(
        network, random_parameters(network, np.random.default_rng(1), weight=1.0, bias=0.5)
    )
    with pytest.raises(SettingInFileError, match="says all of its model itself"):
        import_onnx(written(model), mean=3)
    changed = onnx.load_model_from_string(written(model))
    weight = changed.graph.initializer[0]
    weight.CopyFrom(numpy_helper.from_array(np.full((4, 3), 0.25, np.float32), weight.name))
    found = import_onnx(changed.SerializeToString())
    assert found.notes == ()
    assert (found.model.parameters["input->dense_1.weight"] == 0.25).all()
    (relu,) = (each for each in changed.graph.node if each.op_type == "Relu")
    relu.op_type = "Tanh"
    found = import_onnx(changed.SerializeToString())
    assert "which its graph is not: it was changed" in found.notes[0]
    assert isinstance(found.model, ArtificialModel)
    assert found.model.activation == Tanh()


def node(kind: str, inputs: list[str], name: str = "odd", **attributes: Any) -> list[Any]:
    """A node of this kind before the layer."""
    made = helper.make_node(kind, inputs, ["z"], name, **attributes)
    return [made, helper.make_node("Gemm", ["z", "w", "b"], ["y"], "layer", transB=1)]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (node("Gelu", ["x"]), r"odd \(Gelu\): Volr has no Gelu\n.*train it with relu"),
        (node("LayerNormalization", ["x", "b"]), "use BatchNorm"),
        (node("Softmax", ["x"]), "at the end alone"),
        (node("Mul", ["x", "x"]), "it multiplies two values"),
        (node("Transpose", ["x"], perm=[1, 0]), "moves the first axis"),
        (node("ReduceMean", ["x", "axes"], keepdims=1), "that of the stimuli"),
        (node("Cast", ["x"], to=7), "makes whole numbers"),
        (node("Clip", ["x", "zero", "six"]), r"clips values to \[0\.0, 6\.0\]"),
        (node("Div", ["x", "zero"]), "divides by 0"),
        (node("Max", ["x", "six"]), "the largest of several"),
        (node("Reshape", ["x", "nine"]), r"it makes \[9\] of \[batch, 3\]"),
        (node("Flatten", ["x"], axis=0), "mixes stimuli"),
        (node("Expand", ["x", "nine"]), "Volr has no Expand"),
        (node("If", ["x"]), "must not decide"),
        (node("Gemm", ["x", "x"]), "depends on the stimulus"),
        (node("Pad", ["x", "pads"]), "it pads channels"),
        (node("Squeeze", ["x"]), "name the axes"),
        (node("MatMul", ["x", "w"]), "its weight has the shape"),
        (
            node("BatchNormalization", ["x", "b", "b", "b", "b"]),
            r"normalises \[2\] channels, and gets 3",
        ),
        (node("Dropout", ["x", "", "one"]), "it drops values"),
    ],
)
def test_what_is_refused(nodes: list[Any], said: str) -> None:
    more = {
        "axes": np.array([0]),
        "nine": np.array([9]),
        "pads": np.array([0, 1, 0, 1]),
        "zero": np.float32(0),
        "six": np.float32(6),
        "one": np.array(True),  # noqa: FBT003
    }
    base = small()
    tensors = [*base.graph.initializer]
    tensors += [numpy_helper.from_array(np.asarray(each), name) for name, each in more.items()]
    with pytest.raises(UnsupportedError, match=f"(?s){said}"):
        read(small(nodes=nodes, tensors=tensors))


def test_all_that_is_in_the_way_is_told_at_once() -> None:
    nodes = [
        helper.make_node("Gelu", ["x"], ["a"], "first"),
        helper.make_node("Relu", ["a"], ["c"], "relu"),
        helper.make_node("Tanh", ["x"], ["t"], "tanh"),
        helper.make_node("Erf", ["c"], ["d"], "second"),
        helper.make_node("Add", ["d", "t"], ["e"], "sum"),
        helper.make_node("Gemm", ["e", "w", "b"], ["y"], "layer", transB=1),
    ]
    with pytest.raises(UnsupportedError) as caught:
        read(small(nodes=nodes))
    for said in ("first (Gelu)", "tanh (Tanh): it has the activation tanh", "second (Erf)"):
        assert said in str(caught.value)
    assert "layer" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"opset": 12}, "has operators of version 12, and Volr reads 13"),
        ({"opset": 99}, "has operators of version 99, and the onnx package knows"),
        ({"inputs": []}, "takes 0 inputs"),
        ({"inputs": [value(n, 1, ["n", 3]) for n in "xz"]}, r"takes 2 inputs \('x', 'z'\)"),
        ({"inputs": [value("x", TensorProto.STRING, ["n", 3])]}, "is no tensor of numbers"),
        ({"outputs": [value(n, 1, ["n", 3]) for n in "xy"]}, "gives 2 results"),
        ({"nodes": [helper.make_node("Gemm", ["x", "w", "q"], ["y"])]}, "text or nowhere"),
        (
            {
                "nodes": [
                    helper.make_node("Gemm", ["r", "w", "b"], ["y"], "layer", transB=1),
                    helper.make_node("Relu", ["x"], ["r"]),
                ]
            },
            "in no order: 'layer' reads 'r'",
        ),
        ({"nodes": [helper.make_node("Relu", ["y"], ["y"])]}, "in no order"),
    ],
)
def test_graphs_of_no_network(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelFileError, match=said):
        read(small(**change))


def test_a_result_that_is_always_the_same() -> None:
    with pytest.raises(UnsupportedError, match="does not depend on its input"):
        read(small(nodes=[helper.make_node("Identity", ["w"], ["y"])]))
