"""The attributes of an ONNX graph's nodes: which ones Volr writes, and what a window's are.

Whatever else a node has is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from onnx import helper

from volr.backends.onnx.layers import OPERATORS
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onnx import NodeProto

    from volr.network.connectors import Shape

ACTIVATIONS: Mapping[str, str] = {theirs: ours for ours, theirs in OPERATORS.items()}
_POOL = {"auto_pad": b"NOTSET", "ceil_mode": 0}
# What an operator's attributes are where a node has none. Those of ``_FREE`` may be anything, and
# all others have to be these, or those of ``_FIXED``.
_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "Split": {"axis": 0},
    "Gemm": {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
    "Concat": {},
    "Conv": {"auto_pad": b"NOTSET", "group": 1},
    "AveragePool": {**_POOL, "count_include_pad": 0},
    "MaxPool": {**_POOL, "storage_order": 0},
    "Reshape": {"allowzero": 0},
    "Flatten": {"axis": 1},
    **{operator: {} for operator in ("Mul", "Add", "Max", *ACTIVATIONS)},
    **{operator: {} for operator in ("Cast", "Div", "Floor", "Clip", "Round")},
}
_FIXED: Mapping[str, Mapping[str, object]] = {
    "Split": {"axis": 1},
    "Gemm": {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1},
    "Concat": {"axis": 1},
}
_FREE: Mapping[str, tuple[str, ...]] = {
    "Conv": ("kernel_shape", "strides", "pads", "dilations", "group"),
    "AveragePool": ("kernel_shape", "strides", "pads"),
    "MaxPool": ("kernel_shape", "strides", "pads", "dilations"),
    "Cast": ("to",),
}
_SINGLE = ("group", "to")


def slides(given: Mapping[str, Any], window: Shape) -> tuple[Shape, Shape, Shape]:
    """Strides, and the pads before and after the values of each axis."""
    axes = len(window)
    ones, zeros = [1] * axes, [0] * 2 * axes
    stride = tuple(given.get("strides", ones))
    pads = tuple(given.get("pads", zeros))
    dilations = list(given.get("dilations", ones))
    kernel = tuple(given.get("kernel_shape", window))
    if (
        (len(stride), len(pads), dilations, kernel) != (axes, 2 * axes, ones, tuple(window))
        or min(stride) < 1
        or min(pads) < 0
    ):
        refuse(f"a window slides with the attributes {dict(given)}")
    return stride, pads[:axes], pads[axes:]


def attributes_of(node: NodeProto) -> dict[str, Any]:
    """The attributes of a node; ``ModelFileError`` for one that Volr does not write."""
    operator = node.op_type
    if node.domain or operator not in _DEFAULTS:
        refuse(f"it has an operator {operator!r}")
    try:
        own = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    except ValueError as error:
        raise ModelFileError(f"an attribute of {node.name!r} in this file is damaged") from error
    for name in _FREE.get(operator, ()):
        given: Any = [own[name]] if name in _SINGLE and name in own else own.get(name, [])
        numbers = cast("list[Any]", given) if isinstance(given, list) else [given]
        if not all(isinstance(each, int) for each in numbers) or not isinstance(given, list):
            refuse(f"{name} of {node.name!r}, a {operator}, is no whole number")
    found = {**_DEFAULTS[operator], **own}
    fixed = {**_DEFAULTS[operator], **_FIXED.get(operator, {})}
    free = _FREE.get(operator, ())
    kept = {name: value for name, value in found.items() if name not in free}
    if kept != {name: value for name, value in fixed.items() if name not in free}:
        refuse(f"the attributes of {node.name!r}, a {operator}, are {found}")
    return found


def refuse(what: str) -> NoReturn:
    """Raise ``ModelFileError``: the file is not one of ours."""
    raise ModelFileError(
        f"this ONNX file is not one that Volr writes: {what}",
        help="only files that `volr compile --to onnx` has written are read back",
    )
