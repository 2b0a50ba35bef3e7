"""What each operation of PyTorch's does to values: one function for each, by the operation's name.

Shapes are without the batch, which is the first axis of every tensor in a program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.affine import layers, linear, maps, problems, values
from volr.affine.values import InexpressibleError, Value
from volr.backends.torch.import_arithmetic import (
    added,
    divided,
    multiplied,
    negated,
    subtracted,
    subtracted_from,
)
from volr.backends.torch.import_pools import adaptive, averaged, largest, mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.affine.values import Pads
    from volr.backends.torch.import_step import Step


def _same(step: Step) -> Value:
    return step.first


def _dropped(step: Step) -> Value:
    if step.given.get("train"):
        raise InexpressibleError(
            "it drops values in evaluation, too",
            "use nn.Dropout, or functional.dropout with training=self.training",
        )
    return step.first


def _reshaped(step: Step) -> Value:
    return values.reshaped(step.first, step.wanted)


def _permuted(step: Step) -> Value:
    value = step.value("self")
    dims = [int(each) % (len(value.shape) + 1) for each in step.given["dims"]]
    if dims[0] != 0:
        return _reshaped(step)
    return values.permuted(value, [each - 1 for each in dims[1:]])


def _transposed(step: Step) -> Value:
    value = step.value("self")
    axes = [*range(len(value.shape))]
    a, b = step.axis("dim0"), step.axis("dim1")
    axes[a], axes[b] = axes[b], axes[a]
    return values.permuted(value, axes)


def _side_by_side(step: Step) -> Value:
    parts = step.given["tensors"]
    if not all(isinstance(each, Value) for each in parts):
        raise InexpressibleError("it puts numbers that are always the same beside values")
    return values.side_by_side(parts, step.axis("dim"))


def _linear(step: Step) -> Value:
    return linear.weighted(
        step.value("input"), step.numbers("weight"), step.optional("bias"), step.builder.room
    )


def _product(step: Step) -> Value:
    name = "mat1" if "mat1" in step.given else "self"
    other = "mat2" if "mat2" in step.given else "other"
    bias = step.optional("self") if name == "mat1" else None
    weight = step.numbers(other) * float(step.given.get("alpha", 1.0))
    if bias is not None:
        bias = np.broadcast_to(bias, (weight.shape[-1],)) * float(step.given.get("beta", 1.0))
    return linear.weighted(step.value(name), weight.T, bias, step.builder.room)


def _convolution(step: Step) -> Value:
    weight = step.numbers("weight")
    axes = weight.ndim - 2
    if step.given.get("transposed"):
        raise InexpressibleError("Volr has no transposed convolution", problems.ENLARGING)
    dilation, stride = step.sizes("dilation", axes), step.sizes("stride", axes)
    padding = step.given["padding"]
    pads: Pads
    if padding == "valid":
        pads = ((0, 0),) * axes
    elif padding == "same":
        # PyTorch pads more behind where the two differ.
        wide = [d * (n - 1) for d, n in zip(dilation, weight.shape[2:], strict=True)]
        pads = tuple((each // 2, each - each // 2) for each in wide)
    else:
        pads = tuple((each, each) for each in step.sizes("padding", axes))
    return maps.convolved(
        step.value("input"),
        weight,
        step.optional("bias"),
        step.builder.room,
        stride=stride,
        pads=pads,
        dilation=dilation,
        groups=int(step.given["groups"]),
    )


def _normalised(step: Step) -> Value:
    if step.given.get("training"):
        raise InexpressibleError(
            "it normalises by the batch that it gets", "train with track_running_stats=True"
        )
    value = step.value("input")
    mean, variance = step.optional("running_mean"), step.optional("running_var")
    if mean is None or variance is None:
        raise InexpressibleError(
            "it normalises by the batch that it gets", "train with track_running_stats=True"
        )
    weight, bias = step.optional("weight"), step.optional("bias")
    epsilon = float(step.given["eps"])
    return layers.normalised(value, mean, variance, weight, bias, epsilon, step.builder.room)


def _activation(kind: str) -> Callable[[Step], Value]:
    def activated(step: Step) -> Value:
        least, most = step.given.get("min", 0.0), step.given.get("max")
        if most is not None or least is None or float(least) != 0.0:
            raise InexpressibleError(f"it clips values to [{least}, {most}]", problems.ACTIVATION)
        return step.builder.activated(step.first, kind, step.name)

    return activated


def _padded(step: Step) -> Value:
    value, pad = step.value("self"), [int(each) for each in step.given["pad"]]
    if step.given.get("mode", "constant") != "constant" or float(step.given.get("value") or 0.0):
        raise InexpressibleError("it pads with other numbers than 0", "pad with zeros")
    # From the last axis on, before and after.
    pairs = [*zip(pad[::2], pad[1::2], strict=True)][::-1]
    axes = len(value.shape) - 1
    if len(pairs) > axes or min(pad, default=0) < 0:
        raise InexpressibleError("it pads channels, or cuts values off", "pad the places of maps")
    pads = (*((0, 0),) * (axes - len(pairs)), *pairs)
    return maps.padded(value, pads, step.builder.room)


def _taken(step: Step) -> Value:
    """The first of several results: the others are not read."""
    if step.given["1"] != 0:
        raise InexpressibleError("it reads where the largest values are, which no neuron tells")
    return step.first


ACTIVATED: Mapping[str, str] = {
    **{f"{kind}{end}": kind for kind in ("relu", "sigmoid", "tanh") for end in ("", "_")},
    **dict.fromkeys(("clamp", "clamp_", "clamp_min"), "relu"),
}
"""The activations that operations are, by PyTorch's names."""
OPERATIONS: Mapping[str, Callable[[Step], Value]] = {
    "linear": _linear,
    "addmm": _product,
    "mm": _product,
    "matmul": _product,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv3d": _convolution,
    "convolution": _convolution,
    "batch_norm": _normalised,
    **{name: _activation(kind) for name, kind in ACTIVATED.items()},
    "max_pool1d": largest(1),
    "max_pool2d": largest(2),
    "avg_pool1d": averaged(1),
    "avg_pool2d": averaged(2),
    "adaptive_avg_pool1d": adaptive(1, "mean"),
    "adaptive_avg_pool2d": adaptive(2, "mean"),
    "adaptive_max_pool1d": adaptive(1, "max"),
    "adaptive_max_pool2d": adaptive(2, "max"),
    "mean": mean,
    "flatten": _reshaped,
    "view": _reshaped,
    "reshape": _reshaped,
    "_unsafe_view": _reshaped,
    "squeeze": _reshaped,
    "unsqueeze": _reshaped,
    "unflatten": _reshaped,
    "permute": _permuted,
    "transpose": _transposed,
    "cat": _side_by_side,
    "concat": _side_by_side,
    "add": added,
    "add_": added,
    "sub": subtracted,
    "sub_": subtracted,
    "rsub": subtracted_from,
    "mul": multiplied,
    "mul_": multiplied,
    "div": divided,
    "div_": divided,
    "neg": negated,
    "pad": _padded,
    "constant_pad_nd": _padded,
    "getitem": _taken,
    **dict.fromkeys(
        (
            *("dropout", "dropout_", "feature_dropout", "alpha_dropout"),
            "feature_alpha_dropout",
        ),
        _dropped,
    ),
    **dict.fromkeys(
        (
            "contiguous",
            "clone",
            "alias",
            "detach",
            "detach_",
            "to",
            "_to_copy",
            "lift_fresh_copy",
        ),
        _same,
    ),
}
"""The operations by PyTorch's names."""

ENDS: Mapping[str, str] = {
    "softmax": "softmax",
    "_softmax": "softmax",
    "log_softmax": "log_softmax",
    "sigmoid": "sigmoid",
}
"""What only makes probabilities of logits, and is left out at the end of a module."""
PASSING = {"dropout", "contiguous", "clone", "alias", "detach", "flatten", "view", "reshape"}
"""What may stand behind that."""

_WAYS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("gelu", "silu", "elu", "selu", "celu", "leaky_relu", "prelu", "hardtanh", "relu6"),
            *("hardswish", "hardsigmoid", "softplus", "mish", "log_sigmoid", "rrelu", "erf"),
        ),
        problems.ACTIVATION,
    ),
    **dict.fromkeys(
        ("layer_norm", "group_norm", "instance_norm", "rms_norm", "local_response_norm"),
        problems.NORMALISATION,
    ),
    **dict.fromkeys(
        ("select", "slice", "narrow", "split", "chunk", "unbind", "index"),
        "read all values: a layer whose other weights are 0 takes a part of them",
    ),
    "maximum": "relu is the largest of a value and 0",
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), problems.RECURRENCE),
    **dict.fromkeys(
        ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "upsample_nearest2d"),
        problems.ENLARGING,
    ),
    **dict.fromkeys(("softmax", "log_softmax"), problems.SOFTMAX),
    "scaled_dot_product_attention": problems.ATTENTION,
    "embedding": problems.EMBEDDING,
}


def way_around(kind: str) -> str:
    """What to do instead of an operation that Volr does not have; empty where that is not known."""
    return _WAYS.get(kind, "")
