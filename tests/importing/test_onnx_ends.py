"""How ONNX files end: what makes probabilities of logits is left out only where it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from volr.errors import UnsupportedError
from volr.importing import import_onnx

onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper

KERNEL = np.random.default_rng(0).random((2, 1, 3, 3)).astype(np.float32)


def ending(side: int, *nodes: Any, kind: int = TensorProto.FLOAT) -> bytes:
    """A file with a convolution of an image with this side, and what comes behind its "c"."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Conv", ["f", "k"], ["c"]),
            *nodes,
        ],
        "ends",
        [helper.make_tensor_value_info("x", kind, ["n", 1, side, side])],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        [numpy_helper.from_array(KERNEL, "k")],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("mine", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "ArgMax"])
def test_an_end_along_the_channels(kind: str) -> None:
    # The maps have one place each, so channels are all that there is.
    found = import_onnx(ending(3, helper.make_node(kind, ["c"], ["y"], axis=1)))
    assert f"{kind} at the end: left out" in found.notes[0]
    with pytest.raises(UnsupportedError, match=r"its end .* one of several axes: \[2, 3, 3\]"):
        import_onnx(ending(5, helper.make_node(kind, ["c"], ["y"], axis=1)))


def test_an_end_along_the_stimuli() -> None:
    # Without an axis, ArgMax takes the first.
    with pytest.raises(UnsupportedError, match=r"its end \(ArgMax\): .* the first axis"):
        import_onnx(ending(3, helper.make_node("ArgMax", ["c"], ["y"])))


def test_an_end_of_somebody_elses() -> None:
    with pytest.raises(UnsupportedError, match="Volr has no Softmax"):
        import_onnx(ending(3, helper.make_node("Softmax", ["c"], ["y"], domain="mine", axis=1)))


def test_whole_numbers_are_compared_as_such() -> None:
    data = ending(3, helper.make_node("Flatten", ["c"], ["y"]), kind=TensorProto.UINT8)
    found = import_onnx(data)
    # If all that is compared were zeros, there would be no difference at all.
    assert "differ from ONNX Runtime's by 0 at most" not in found.notes[0]
    (weights,) = (e for name, e in found.model.parameters.items() if name.endswith("weight"))
    assert np.array_equal(weights.ravel(), KERNEL.ravel())
