"""How a foreign graph ends: what only makes probabilities or labels of its logits is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.affine import linear
from volr.affine.ends import check_along_units
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onnx import NodeProto

    from volr.affine.terms import Room
    from volr.affine.values import Value
    from volr.backends.onnx.import_file import Contents
    from volr.checks.arrays import Floats

# Operators that make probabilities and labels, and which of their inputs come from logits.
_ENDS: Mapping[str, int] = {
    "Softmax": 0,
    "LogSoftmax": 0,
    "Sigmoid": 0,
    "ArgMax": 0,
    "ZipMap": 0,
    "ArrayFeatureExtractor": 1,
}
# Along which axis they work, if they do not say it.
_AXES: Mapping[str, int] = {"Softmax": -1, "LogSoftmax": -1, "ArgMax": 0}
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
# What may stand between and behind them.
_PASSING = ("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Dropout")


@dataclass(frozen=True)
class Ends:
    """The ``tensor`` that the logits are, and the operators behind it that are ``dropped``.

    Of a ``pair``, the tensor is the one number z whose sigmoid is a probability, and the logits
    are -z/2 and z/2: their softmax is 1 - σ(z) and σ(z). What is left out first works along the
    ``axes``.
    """

    tensor: str
    dropped: tuple[str, ...]
    pair: bool = False
    axes: tuple[int, ...] = ()

    def of(self, value: Value, room: Room) -> Value:
        """The logits, of what the tensor is.

        Raises ``InexpressibleError`` where what is left out works along other ``axes``.
        """
        for each in self.axes:
            check_along_units(value.shape, each)
        if not self.pair:
            return value
        return linear.weighted(value, np.array([[-0.5], [0.5]]), None, room)

    def of_numbers(self, numbers: Floats) -> Floats:
        """The same for numbers ``[batch, …]``."""
        numbers = numbers.reshape(len(numbers), -1)
        return np.hstack([-numbers / 2, numbers / 2]) if self.pair else numbers

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left out, in sentences."""
        if not self.dropped:
            return ()
        kinds = ", ".join(dict.fromkeys(self.dropped))
        note = f"{kinds} at the end: left out, logits are what comes before"
        return (f"{note}, as -z/2 and z/2",) if self.pair else (note,)


def ends_of(contents: Contents, name: str) -> Ends:
    """How the graph of the file ``name`` ends. Raises ``ModelFileError`` for several results."""
    graph = contents.graph
    made = {each: node for node in graph.node for each in node.output}
    found = [_end(each.name, made, contents) for each in graph.output]
    tensors = {each.tensor for each in found}
    if len(tensors) != 1:
        listed = ", ".join(repr(each.name) for each in graph.output[:5])
        raise ModelFileError(
            f"{name} gives {len(tensors)} results ({listed}), and a network of Volr's gives one",
            help="export a network that returns one of them",
        )
    dropped = tuple(each for end in found for each in end.dropped)
    axes = tuple(each for end in found for each in end.axes)
    return Ends(found[0].tensor, dropped, found[0].pair, axes)


def _end(tensor: str, made: Mapping[str, NodeProto], contents: Contents) -> Ends:
    """Follow nodes backwards as long as one more of them ends a network."""
    end, passed = Ends(tensor, ()), tensor
    seen = set[str]()
    while passed in made and passed not in seen:
        seen.add(passed)
        node = made[passed]
        kind = node.op_type
        known = node.domain in _DOMAINS
        if kind in _ENDS and known and len(node.input) > _ENDS[kind]:
            passed = node.input[_ENDS[kind]]
            end = Ends(passed, (kind, *end.dropped), axes=_axes_of(node))
        elif kind in _PASSING and known and node.input:
            passed = node.input[0]
        else:
            single = _of_pair(node, made, contents)
            return end if single is None else Ends(single, ("Sigmoid", *end.dropped), pair=True)
    return end


def _axes_of(node: NodeProto) -> tuple[int, ...]:
    """The axis along which a node works, if along one."""
    if node.op_type not in _AXES:
        return ()
    given = [each.i for each in node.attribute if each.name == "axis"]
    return (given[0] if given else _AXES[node.op_type],)


def _of_pair(node: NodeProto, made: Mapping[str, NodeProto], contents: Contents) -> str | None:
    """The z of [1 - σ(z), σ(z)], which two classes of scikit-learn's end with."""
    if node.op_type != "Concat" or len(node.input) != 2:
        return None
    rest, sigmoid = (made.get(each) for each in node.input)
    if rest is None or sigmoid is None or (rest.op_type, sigmoid.op_type) != ("Sub", "Sigmoid"):
        return None
    one = contents.arrays.get(rest.input[0])
    is_rest = one is not None and (one == 1).all() and rest.input[1] == sigmoid.output[0]
    return sigmoid.input[0] if is_rest else None
