"""Kernels and pools in ONNX: the nodes that they are, and what is read back where one is wrong.

The oracle is ONNX's own evaluator, which gets zeros and unit vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import ModelProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from tests.backends import kernels
from tests.oracles import random_parameters

from volr.backends.expected import expected
from volr.backends.onnx import ONNX_FILE
from volr.backends.probing import ANOTHER
from volr.backends.readback import SINGLE, Asked
from volr.backends.terms import WINDOWS
from volr.errors import ModelFileError
from volr.language import to_network
from volr.models.model import ArtificialModel
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from onnx import NodeProto

    from volr.network import Network


def model_of(text: str | Network) -> ArtificialModel:
    network = to_network(text) if isinstance(text, str) else text
    values = random_parameters(network, np.random.default_rng(0), weight=0.4, bias=0.3)
    return ArtificialModel(network, values)


def written(model: ArtificialModel) -> ModelProto:
    return onnx.load_model_from_string(ONNX_FILE.write(model)[".onnx"])


def node(made: ModelProto, operator: str) -> NodeProto:
    return next(each for each in made.graph.node if each.op_type == operator)


def attribute(operator: str, name: str, value: Any) -> Callable[[ModelProto], object]:
    def change(made: ModelProto) -> None:
        of = node(made, operator)
        for each in [each for each in of.attribute if each.name == name]:
            of.attribute.remove(each)
        of.attribute.append(helper.make_attribute(name, value))

    return change


def operator(before: str, after: str) -> Callable[[ModelProto], object]:
    return lambda made: setattr(node(made, before), "op_type", after)


def numbers(name: str, array: Callable[[Any], Any]) -> Callable[[ModelProto], object]:
    def change(made: ModelProto) -> None:
        (tensor,) = (each for each in made.graph.initializer if each.name == name)
        changed = np.ascontiguousarray(array(numpy_helper.to_array(tensor)))
        tensor.CopyFrom(numpy_helper.from_array(changed, name))

    return change


def test_lenet_reads_like_one() -> None:
    text = """
    conv [1 12 12] 2 5 pad:[1 0] ⦶ maxpool _ 2 ⦶ (conv _ 2 3 pad:1 ⊕ id _) ⦶ avgpool _ 2 ⦶ dense _ 3
    """
    made = written(model_of(text))
    assert [(each.op_type, list(each.input)) for each in made.graph.node] == [
        ("Reshape", ["stimuli", "input_shape"]),
        ("Conv", ["input_maps", "input_conv_1_weight", "conv_1_bias"]),
        ("Relu", ["conv_1_sum"]),
        ("Mul", ["conv_1", "conv_1_maxpool_2_weight"]),
        ("MaxPool", ["conv_1_maxpool_2_times"]),
        ("Conv", ["maxpool_2_sum", "maxpool_2_conv_3_weight", "conv_3_bias"]),
        ("Mul", ["maxpool_2_sum", "maxpool_2_conv_3_2_weight"]),
        ("Add", ["conv_3_sum_1", "maxpool_2_conv_3_2_term"]),
        ("Relu", ["conv_3_sum"]),
        ("AveragePool", ["conv_3"]),
        ("Flatten", ["conv_3_dense_4_pool_1"]),
        ("Gemm", ["conv_3_dense_4_flat", "conv_3_dense_4_weight", "dense_4_bias"]),
    ]
    shapes = {
        each.name: [axis.dim_value or axis.dim_param for axis in each.type.tensor_type.shape.dim]
        for each in made.graph.value_info
    }
    assert shapes["conv_1"] == ["batch", 2, 10, 8]
    assert shapes["maxpool_2_sum"] == ["batch", 2, 5, 4]


CONV = "conv [2 6 9] 4 [3 4] stride:[2 3] groups:2"
POOL = "avgpool [2 5 7] [2 3] stride:[3 2] ⦶ dense _ 3"
SAME: dict[str, tuple[str, Callable[[ModelProto], object], str | None]] = {
    "another stride": (
        CONV,
        attribute("Conv", "strides", [3, 3]),
        "the stride is 3x3 instead of 2x3",
    ),
    "another padding": (
        "conv [1 6 6] 2 3 stride:3",
        attribute("Conv", "pads", [1, 1, 1, 1]),
        "the padding is 1x1 instead of 0x0",
    ),
    "another padding at one end": (
        "conv [1 6 6] 2 3 stride:3",
        attribute("Conv", "pads", [1, 0, 0, 2]),
        "the padding is 1x0 instead of 0x0",
    ),
    "a shifted window": (
        "conv [1 5 6] 2 3 pad:1",
        attribute("Conv", "pads", [0, 1, 2, 1]),
        "the windows are one pixel off, on axis 1",
    ),
    "another window": (
        POOL,
        attribute("AveragePool", "kernel_shape", [1, 3]),
        "the window of a pool is 1x3 instead of 2x3",
    ),
    "flipped rows": (
        CONV,
        numbers("input_conv_1_weight", lambda w: w[:, :, ::-1]),
        "the rows of the kernel are flipped",
    ),
    "other channels": (
        "conv [2 6 9] 4 2",
        numbers("input_conv_1_weight", lambda w: w[[0, 2, 1, 3]]),
        "the channels 1 and 2 of the target are exchanged",
    ),
    "other biases": (CONV, numbers("conv_1_bias", lambda b: b[::-1]), None),
    "means for the largest": (
        "maxpool [2 4 6] 2",
        operator("MaxPool", "AveragePool"),
        "the mean, or the sum, in place of the largest",
    ),
    "a factor": (
        "id [2 3 2]",
        numbers("input_id_1_weight", lambda w: 2 * w),
        "all are 2 times what they should be",
    ),
}


@pytest.mark.parametrize(("text", "change", "cause"), SAME.values(), ids=SAME.keys())
def test_what_is_read_back_is_what_the_graph_does(
    text: str, change: Callable[[ModelProto], object], cause: str | None
) -> None:
    model = model_of(text)
    made = written(model)
    change(made)
    found = ONNX_FILE.read_back({".onnx": made.SerializeToString()})
    evaluator = ReferenceEvaluator(made)
    size = model.network.input_size
    stimuli = np.concatenate([np.zeros((1, size)), np.eye(size)]).astype(np.float32)
    (found_logits,) = evaluator.run(["logits"], {"stimuli": stimuli})
    logits = np.asarray(found_logits)
    ((weights,), (bias,)) = found.weights.values(), found.biases.values()
    assert isinstance(weights, Asked)
    assert isinstance(bias, Asked)
    np.testing.assert_allclose(bias.value, logits[0], atol=1e-6)
    np.testing.assert_allclose(np.nan_to_num(weights.value), (logits[1:] - logits[0]).T, atol=1e-6)
    differences = compare(expected(model, SINGLE), found).differences
    assert cause in {each.cause for each in differences}


def test_other_merges_are_found() -> None:
    def merges(text: str, change: Callable[[ModelProto], object]) -> list[Any]:
        made = written(model_of(text))
        change(made)
        found = ONNX_FILE.read_back({".onnx": made.SerializeToString()})
        return list(found.merges.values())

    deep = "conv [1 6 6] 2 3 ⦶ maxpool _ 2 ⦶ conv _ 2 2"
    assert merges(deep, lambda _: None) == [Asked("max")]
    assert merges(deep, operator("MaxPool", "AveragePool")) == []
    assert merges(POOL, operator("AveragePool", "MaxPool")) == [Asked(WINDOWS)]
    made = written(model_of(kernels.ROW))
    operator("Max", "Add")(made)
    found = ONNX_FILE.read_back({".onnx": made.SerializeToString()})
    assert found.merges == {"top": Asked(ANOTHER)}


def redirect(operator: str, place: int, name: str) -> Callable[[ModelProto], object]:
    return lambda made: node(made, operator).input.__setitem__(place, name)


BROKEN: dict[str, Callable[[ModelProto], object]] = {
    "holes": attribute("Conv", "dilations", [2, 1]),
    "padding by name": attribute("Conv", "auto_pad", "SAME_UPPER"),
    "another kernel": attribute("Conv", "kernel_shape", [1, 1]),
    "no stride": attribute("Conv", "strides", [0, 1]),
    "a stride too many": attribute("Conv", "strides", [1, 1, 1]),
    "a negative padding": attribute("Conv", "pads", [-1, 0, 0, 0]),
    "groups that do not divide": attribute("Conv", "group", 3),
    "a stride that is a text": attribute("Conv", "strides", "1"),
    "groups by axis": attribute("Conv", "group", [1, 1]),
    "a window of fractions": attribute("AveragePool", "kernel_shape", [1.0, 1.0]),
    "no groups": attribute("Conv", "group", 0),
    "a pool with padding": attribute("AveragePool", "pads", [1, 0, 0, 0]),
    "a pool without a window": attribute("AveragePool", "kernel_shape", [0, 1]),
    "a pool larger than its maps": attribute("AveragePool", "kernel_shape", [9, 9]),
    "a pool that rounds up": attribute("MaxPool", "ceil_mode", 1),
    "maps of another size": numbers("input_shape", lambda _: np.array([0, 2, 7, 7])),
    "a batch of another size": numbers("input_shape", lambda _: np.array([2, 2, 7, 8])),
    "shapes that are fractions": numbers("input_shape", lambda s: s.astype(np.float32)),
    "a factor for each": numbers("conv_4_conv_5_2_weight", lambda _: np.ones(6, np.float32)),
    "a kernel of one axis": numbers("input_conv_1_weight", lambda w: w[..., 0]),
    "a bias for each unit": numbers("conv_1_bias", lambda _: np.ones(100, np.float32)),
    "a kernel that is none": redirect("Conv", 1, "conv_1_bias"),
    "sums of other shapes": redirect("Add", 1, "conv_1_sum"),
    "an input that is added": redirect("Add", 1, "stimuli"),
    "a sum that is sent on": redirect("AveragePool", 0, "conv_1_sum"),
    "what comes later": redirect("Conv", 0, "conv_5"),
    "an axis of its own": attribute("Flatten", "axis", 2),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_what_volr_would_not_write_is_refused(change: Callable[[ModelProto], object]) -> None:
    text = "conv [2 7 8] 2 3 ⦶ maxpool _ 2 ⦶ conv _ 2 2"
    network = to_network(text) if change is BROKEN["a pool that rounds up"] else kernels.SUMS
    made = written(model_of(network))
    change(made)
    with pytest.raises(ModelFileError, match="ONNX file"):
        ONNX_FILE.read_back({".onnx": made.SerializeToString()})
