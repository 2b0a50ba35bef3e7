"""What each operator of ONNX does to values: one function for each, by the operator's name.

https://onnx.ai/onnx/operators/ has them. Shapes are without the batch, which is the first axis of
every tensor.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import arithmetic, layers, linear, maps, problems
from volr.affine.values import InexpressibleError, Value
from volr.backends.onnx.import_pools import averaged, largest, of_all_places, reduced
from volr.backends.onnx.import_shapes import (
    flattened,
    padded,
    permuted,
    reshaped,
    side_by_side,
    squeezed,
    unsqueezed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.affine.arithmetic import Operand
    from volr.affine.terms import Room
    from volr.backends.onnx.import_step import Step


def _same(step: Step) -> Value:
    return step.value()


def _dropout(step: Step) -> Value:
    training = step.optional(2)
    if training is not None and training.any():
        raise InexpressibleError(
            "it drops values (training_mode)", "export the network in evaluation: module.eval()"
        )
    return step.value()


def _cast(step: Step) -> Value:
    # FLOAT, FLOAT16, DOUBLE, BFLOAT16
    if step.attributes.get("to") not in {1, 10, 11, 16}:
        raise InexpressibleError("it makes whole numbers of values", "leave them as they are")
    return step.value()


def _gemm(step: Step) -> Value:
    if step.attributes.get("transA"):
        raise InexpressibleError("it multiplies by a transposed value", problems.BATCH_AXIS)
    weight, bias = step.numbers(1), step.optional(2)
    weight = weight if step.attributes.get("transB") else weight.T
    if bias is not None:
        bias = np.broadcast_to(bias, (1, len(weight)))[0] * step.attributes.get("beta", 1.0)
    weight = weight * step.attributes.get("alpha", 1.0)
    return linear.weighted(step.value(), weight, bias, step.room)


def _product(step: Step) -> Value:
    return linear.weighted(step.value(), step.numbers(1).T, None, step.room)


def _convolution(step: Step) -> Value:
    value, weight = step.value(), step.numbers(1)
    axes = weight.ndim - 2
    if len(value.shape) != axes + 1 or axes < 1:
        raise InexpressibleError(
            f"its kernel {list(weight.shape)} gets values of the shape {list(value.shape)}"
        )
    stride, dilation = step.whole("strides", axes, 1), step.whole("dilations", axes, 1)
    pads = step.pads(value.shape[1:], weight.shape[2:], stride, dilation)
    return maps.convolved(
        value,
        weight,
        step.optional(2),
        step.room,
        stride=stride,
        pads=pads,
        dilation=dilation,
        groups=int(step.attributes.get("group", 1)),
    )


def _normalised(step: Step) -> Value:
    if step.attributes.get("training_mode"):
        raise InexpressibleError(
            "it normalises by the batch that it gets (training_mode)",
            "export the network in evaluation: module.eval()",
        )
    weight, bias, mean, variance = (step.numbers(place) for place in range(1, 5))
    epsilon = float(step.attributes.get("epsilon", 1e-5))
    return layers.normalised(step.value(), mean, variance, weight, bias, epsilon, step.room)


def _activated(step: Step, kind: str) -> Value:
    return step.builder.activated(step.value(), kind, step.name)


def _clipped(step: Step) -> Value:
    least, most = step.optional(1), step.optional(2)
    if any(each is not None and each.size != 1 for each in (least, most)):
        raise InexpressibleError("it clips values to limits that are not one number each")
    if least is None or least.any() or (most is not None and most.min() < _MOST):
        limits = [None if each is None else each.item() for each in (least, most)]
        raise InexpressibleError(f"it clips values to {limits}", problems.ACTIVATION)
    return _activated(step, "relu")


_MOST = 3.0e38
"""The largest float32, or a little less, is no limit."""


def _largest_of(step: Step) -> Value:
    """A maximum of a value and 0 is a ReLU."""
    zeros = [each for each in step.given if not isinstance(each, Value)]
    value = [each for each in step.given if isinstance(each, Value)]
    if len(value) != 1 or any(each is None or each.any() for each in zeros):
        raise InexpressibleError(
            "it takes the largest of several values", "take it of the windows of one map"
        )
    return step.builder.activated(value[0], "relu", step.name)


def _arithmetic(combine: Callable[[Operand, Operand, Room], Value]) -> Callable[[Step], Value]:
    def combined(step: Step) -> Value:
        return combine(step.operand(0), step.operand(1), step.room)

    return combined


def _added_up(step: Step) -> Value:
    operands = [step.operand(place) for place in range(len(step.given))]
    if len(operands) == 1:
        return step.value()
    numbers = [each for each in operands if not isinstance(each, Value)]
    found = [each for each in operands if isinstance(each, Value)]
    first: Operand = found[0]
    return reduce(lambda a, b: arithmetic.added(a, b, step.room), [*found[1:], *numbers], first)


def _negated(step: Step) -> Value:
    return arithmetic.negated(step.value(), step.room)


ACTIVATED: Mapping[str, str] = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
}
"""The activations that operators are, by ONNX's names."""

OPERATIONS: Mapping[str, Callable[[Step], Value]] = {
    "Gemm": _gemm,
    "MatMul": _product,
    "Conv": _convolution,
    "BatchNormalization": _normalised,
    **{name: partial(_activated, kind=kind) for name, kind in ACTIVATED.items()},
    "Clip": _clipped,
    "Max": _largest_of,
    "MaxPool": largest,
    "AveragePool": averaged,
    "GlobalMaxPool": of_all_places("max"),
    "GlobalAveragePool": of_all_places("mean"),
    "ReduceMean": reduced("mean"),
    "ReduceMax": reduced("max"),
    "Flatten": flattened,
    "Reshape": reshaped,
    "Squeeze": squeezed,
    "Unsqueeze": unsqueezed,
    "Transpose": permuted,
    "Concat": side_by_side,
    "Pad": padded,
    "Add": _arithmetic(arithmetic.added),
    "Sub": _arithmetic(arithmetic.subtracted),
    "Mul": _arithmetic(arithmetic.multiplied),
    "Div": _arithmetic(arithmetic.divided),
    "Sum": _added_up,
    "Neg": _negated,
    "Identity": _same,
    "Dropout": _dropout,
    "Cast": _cast,
}
"""The operators by ONNX's names."""

_WAYS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("Gelu", "Elu", "Selu", "Celu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Swish"),
            *("HardSwish", "HardSigmoid", "Softplus", "Softsign", "Mish", "Erf", "Exp"),
        ),
        problems.ACTIVATION,
    ),
    **dict.fromkeys(
        (
            *("LayerNormalization", "GroupNormalization", "InstanceNormalization"),
            *("RMSNormalization", "MeanVarianceNormalization", "LRN", "LpNormalization"),
        ),
        problems.NORMALISATION,
    ),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "Scan", "Loop"), problems.RECURRENCE),
    **dict.fromkeys(("ConvTranspose", "Resize", "Upsample"), problems.ENLARGING),
    **dict.fromkeys(("Softmax", "LogSoftmax"), problems.SOFTMAX),
    "Attention": problems.ATTENTION,
    **dict.fromkeys(
        ("QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger"),
        "export the network before it is quantised; `volr quantise` makes whole numbers of it",
    ),
    "If": "a network must not decide by its values what to compute",
}


def way_around(kind: str) -> str:
    """What to do instead of an operator that Volr does not have; empty where that is not known."""
    return _WAYS.get(kind, "")
