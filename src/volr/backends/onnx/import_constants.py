"""Nodes whose inputs are the same for every stimulus: exporters compute shapes with them.

ONNX's own reference implementation computes them. What it would make is counted before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from volr.affine.values import InexpressibleError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from onnx import NodeProto

    from volr.affine.terms import Room

    Arrays = Sequence[NDArray[Any]]

_MOST = 1 << 27
_MOST_TOGETHER = 1 << 29
"""More numbers are not made, by one node and by all of them."""


def _as_many(node: NodeProto, given: Arrays) -> int:
    del node
    return sum(each.size for each in given)


def _spread(node: NodeProto, given: Arrays) -> int:
    del node
    return math.prod(np.broadcast_shapes(*(each.shape for each in given)))


def _gathered(node: NodeProto, given: Arrays) -> int:
    axis = next((each.i for each in node.attribute if each.name == "axis"), 0)
    data, indices = given
    return indices.size * data.size // max(data.shape[axis], 1)


def _of_shape(node: NodeProto, given: Arrays) -> int:
    del node
    return math.prod(int(each) for each in given[0])


def _expanded(node: NodeProto, given: Arrays) -> int:
    del node
    return math.prod(np.broadcast_shapes(given[0].shape, tuple(int(each) for each in given[1])))


def _tiled(node: NodeProto, given: Arrays) -> int:
    del node
    return given[0].size * math.prod(int(each) for each in given[1])


def _counted(node: NodeProto, given: Arrays) -> int:
    del node
    start, limit, step = (each.item() for each in given)
    return math.ceil(abs(limit - start) / abs(step)) if step else _MOST + 1


_MADE: Mapping[str, Callable[[NodeProto, Arrays], int]] = {
    **dict.fromkeys(
        (
            *("Identity", "Cast", "CastLike", "Reshape", "Flatten", "Squeeze", "Unsqueeze"),
            *("Transpose", "Concat", "Slice", "Split", "Shape", "Size", "Not", "Neg", "Abs"),
            *("Sqrt", "Reciprocal", "Floor", "Ceil", "Exp", "Log", "Relu", "ReduceProd"),
            *("ReduceSum", "ReduceMin", "ReduceMax", "ReduceMean"),
        ),
        _as_many,
    ),
    **dict.fromkeys(
        (
            *("Add", "Sub", "Mul", "Div", "Pow", "Mod", "Max", "Min", "Where", "Equal", "Less"),
            *("LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor"),
        ),
        _spread,
    ),
    "Gather": _gathered,
    "ConstantOfShape": _of_shape,
    "Expand": _expanded,
    "Tile": _tiled,
    "Range": _counted,
}
"""How many numbers each operator makes, at most."""


def can_be_folded(node: NodeProto) -> bool:
    """Whether ``folded`` computes such a node."""
    return node.domain in {"", "ai.onnx"} and node.op_type in _MADE


def folded(
    node: NodeProto, given: Sequence[NDArray[Any] | None], version: int, room: Room
) -> list[Any]:
    """What a node gives; ``InexpressibleError`` where that is not computed.

    ``version`` is that of ONNX's operators. All nodes together have no more than the ``room``.
    """
    kind = node.op_type
    if not can_be_folded(node):
        raise InexpressibleError(f"it computes numbers with {kind}, which Volr does not do")
    arrays = [each for each in given if each is not None]
    feeds = {n: a for n, a in zip(node.input, given, strict=True) if n and a is not None}
    untyped = [onnx.ValueInfoProto(name=each) for each in (*feeds, *node.output)]
    graph = helper.make_graph([node], "node", untyped[: len(feeds)], untyped[len(feeds) :])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    try:
        with np.errstate(all="ignore"):
            made = _MADE[kind](node, arrays)
            few = made <= _MOST and room.computed + made <= _MOST_TOGETHER
            room.computed += made if few else 0
            evaluator: Any = ReferenceEvaluator(model)
            found: list[Any] = evaluator.run(None, feeds) if few else []
    except Exception as error:  # the library may raise anything for what a file may hold
        raise InexpressibleError(f"its result cannot be computed: {error}") from error
    if not few:
        if made > _MOST:
            raise InexpressibleError(f"it makes {made:,} numbers, more than {_MOST:,}")
        raise InexpressibleError(
            f"it and the nodes before it make more than {_MOST_TOGETHER:,} numbers"
        )
    return found
