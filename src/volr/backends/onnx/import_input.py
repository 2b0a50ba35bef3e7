"""The one input of a foreign graph: the shape of a stimulus, and the order of its axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.affine.forms import MOST_NEURONS
from volr.backends.onnx.import_file import NUMBERS, array_of
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnx import NodeProto, ValueInfoProto

    from volr.backends.onnx.import_file import Contents
    from volr.network.connectors import Shape


@dataclass(frozen=True)
class Input:
    """The one input of a graph: its ``name``, the shape of a stimulus, and the size of a batch.

    ``order`` are the axes of a stimulus as a network of Volr's has them, channels first.
    """

    name: str
    shape: Shape
    batch: int
    kind: int
    order: tuple[int, ...]

    @property
    def in_order(self) -> Shape:
        """The shape of a stimulus as a network of Volr's has it."""
        return tuple(self.shape[axis] for axis in self.order)

    @property
    def back(self) -> list[int]:
        """The order of axes that brings a stimulus of Volr's back into that of the file."""
        return [self.order.index(axis) for axis in range(len(self.order))]


def input_of(contents: Contents, name: str, shape: Shape | None) -> Input:
    """The input of a graph in the file ``name``.

    ``shape`` is that of a stimulus, where the file leaves it open. Raises ``ModelFileError``.
    """
    given = [each for each in contents.graph.input if each.name not in contents.arrays]
    if len(given) != 1:
        listed = ", ".join(repr(each.name) for each in given[:5])
        raise ModelFileError(
            f"{name} takes {len(given)} inputs ({listed}), and a network of Volr's takes one",
            help="export a network that takes one tensor, [batch, …]",
        )
    (value,) = given
    kind = value.type.tensor_type.elem_type
    if not value.type.HasField("tensor_type") or kind not in NUMBERS:
        raise ModelFileError(f"{name}: the input {value.name!r} is no tensor of numbers")
    batch, sizes = _sizes(value, name, shape)
    if batch < 1 or batch * math.prod(sizes) > MOST_NEURONS:
        raise ModelFileError(
            f"{name} takes {batch:,} stimuli of {math.prod(sizes):,} values at once, and Volr "
            f"reads {MOST_NEURONS:,} values at most",
            help="export the network for one stimulus, or for any number of them",
        )
    return Input(value.name, sizes, batch, kind, _order(contents, value.name, len(sizes)))


def _sizes(value: ValueInfoProto, name: str, wanted: Shape | None) -> tuple[int, Shape]:
    dims = value.type.tensor_type.shape.dim
    axes: list[int | str] = [each.dim_value or each.dim_param or "?" for each in dims]
    if not value.type.tensor_type.HasField("shape") or not axes:
        axes = ["?", *(("?",) * len(wanted or ()))]
    batch, rest = (axes[0] if isinstance(axes[0], int) else 1), axes[1:]
    fixed = all(isinstance(each, int) and each > 0 for each in rest)
    if wanted is not None:
        fits = len(wanted) == len(rest) and all(
            given == each or isinstance(given, str)
            for given, each in zip(rest, wanted, strict=True)
        )
        if not fits:
            raise ModelFileError(
                f"{name} takes {_listed(axes)}, and the shape {list(wanted)} was given for a "
                "stimulus of it"
            )
        return batch, wanted
    if not rest or not fixed:
        raise ModelFileError(
            f"{name} takes {_listed(axes)}, which leaves the size of a stimulus open",
            help="give the shape of one stimulus, without the batch: --shape 3,32,32, or "
            "shape=(3, 32, 32)",
        )
    return batch, tuple(int(each) for each in rest)


def _listed(axes: Sequence[int | str]) -> str:
    return f"[{', '.join(map(str, axes))}]"


def _order(contents: Contents, name: str, axes: int) -> tuple[int, ...]:
    """The order of axes in which what reads the input wants it: channels first, if it says so.

    Where axes are moved, what comes behind wants channels first. Where the largest or the mean is
    taken over all axes but the last, that one has the channels.
    """
    users: dict[str, list[NodeProto]] = {}
    for node in contents.graph.node:
        for each in node.input[:1] if node.op_type in _BY_AXES else node.input:
            users.setdefault(each, []).append(node)
    same = tuple(range(axes))
    last = (axes - 1, *range(axes - 1))
    found: set[tuple[int, ...]] = set()
    waiting, seen = [name], set[str]()
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        for node in users.get(each, []):
            kind = node.op_type
            if kind == "Transpose":
                perm = next((tuple(a.ints) for a in node.attribute if a.name == "perm"), ())
                found.add(tuple(axis - 1 for axis in perm[1:]) if perm[:1] == (0,) else same)
            elif kind in _OF_PLACES:
                of_last = _axes_of(node, contents) == {*range(1, axes)}
                found.add(last if of_last and axes > 1 else same)
            elif kind in _BY_PLACE:
                waiting += node.output
            elif kind in _CHANNELS_FIRST:
                found.add(same)
    order = found.pop() if len(found) == 1 else same
    return order if sorted(order) == [*same] else same


def _axes_of(node: NodeProto, contents: Contents) -> set[int]:
    """The axes of a mean or of a maximum, where the file says them."""
    for each in node.attribute:
        if each.name == "axes":
            return {*each.ints}
    given = node.input[1] if len(node.input) > 1 else ""
    found = contents.arrays.get(given)
    for each in contents.graph.node:
        if each.op_type == "Constant" and given in each.output:
            tensors = [attribute.t for attribute in each.attribute if attribute.name == "value"]
            found = array_of(tensors[0], f"the node {each.name!r}") if tensors else None
    return set() if found is None else {int(each) for each in found.ravel()}


_OF_PLACES = ("ReduceMean", "ReduceMax")
_BY_AXES = ("Pad", *_OF_PLACES)
_BY_PLACE = (
    *("Cast", "Identity", "Add", "Sub", "Mul", "Div", "Dropout", "Pad", "Neg"),
    *("Relu", "Sigmoid", "Tanh", "Clip"),
)
"""Operators after which a value has the axes that it had before."""
_CHANNELS_FIRST = (
    *("Conv", "BatchNormalization", "MaxPool", "AveragePool", "GlobalMaxPool"),
    "GlobalAveragePool",
)
