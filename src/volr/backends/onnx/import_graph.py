"""Graphs of ONNX from other programs as artificial models, node by node.

``import_operations`` has what each operator does to the values that it gets. Everything that Volr
has no way to say is collected, and told at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx.checker
from onnx import helper

from volr.affine import values
from volr.affine.building import Builder
from volr.affine.forms import SizeError
from volr.affine.problems import Problems
from volr.affine.values import InexpressibleError, Value
from volr.backends.onnx.import_constants import can_be_folded, folded
from volr.backends.onnx.import_file import array_of
from volr.backends.onnx.import_operations import ACTIVATED, OPERATIONS, way_around
from volr.backends.onnx.import_step import Step
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from onnx import NodeProto

    from volr.backends.onnx.import_ends import Ends
    from volr.backends.onnx.import_file import Contents
    from volr.backends.onnx.import_input import Input
    from volr.checks.arrays import Floats

    Found = Value | NDArray[Any] | None


def needed_nodes(contents: Contents, tensor: str, name: str) -> list[NodeProto]:
    """The nodes that lead to a tensor. Raises ``ModelFileError`` where one comes too late."""
    nodes = contents.graph.node
    made = {each: number for number, node in enumerate(nodes) for each in node.output}
    needed, waiting = set[int](), [tensor]
    while waiting:
        number = made.get(waiting.pop())
        if number is None or number in needed:
            continue
        needed.add(number)
        for each in nodes[number].input:
            if made.get(each, -1) >= number:
                raise ModelFileError(
                    f"{name}: its nodes are in no order: {nodes[number].name!r} reads {each!r}, "
                    "which comes later"
                )
        waiting += nodes[number].input
    return [nodes[number] for number in sorted(needed)]


@dataclass
class Reading:
    """What has been read of a graph in the file ``name``.

    ``found`` are values, numbers that do not depend on the stimulus, or None for what could not be
    read. ``version`` is that of the operators, and ``context`` what they are checked with.
    """

    contents: Contents
    name: str
    builder: Builder = field(default_factory=Builder)
    problems: Problems = field(default_factory=lambda: Problems("this file"))
    found: dict[str, Found] = field(default_factory=dict[str, "Found"])
    context: Any = field(init=False)
    version: int = field(init=False)

    def __post_init__(self) -> None:
        self.version = self.contents.version
        self.context = onnx.checker.C.CheckerContext()
        self.context.ir_version = self.contents.model.ir_version
        self.context.opset_imports = {"": self.version}

    def read(self, given: Input, ends: Ends, scale: Floats, offset: Floats) -> Value:
        """The logits, where the graph gets x · scale + offset of stimuli x, channels first."""
        self.found |= self.contents.arrays
        value = self.builder.input(given.in_order, scale, offset)
        # The graph gets them in its own order.
        self.found[given.name] = values.permuted(value, given.back)
        for node in needed_nodes(self.contents, ends.tensor, self.name):
            self._take(node, given.batch)
        value = self.found.get(ends.tensor)
        if not self.problems.found and not isinstance(value, Value):
            self.problems.add("its result does not depend on its input")
        if self.problems.found or not isinstance(value, Value):
            raise self.problems.error()
        try:
            return ends.of(value, self.builder.room)
        except InexpressibleError as error:
            self.problems.add_error(f"its end ({ends.dropped[0]})", error)
            raise self.problems.error() from error

    def _take(self, node: NodeProto, batch: int) -> None:
        where = f"{node.name or node.output[0]} ({node.op_type})"
        try:
            given = [self._given(each) for each in node.input]
        except KeyError as error:
            raise ModelFileError(
                f"{self.name}: the node {where} reads {error.args[0]!r}, which is text or nowhere"
            ) from error
        unknown = any(n and each is None for n, each in zip(node.input, given, strict=True))
        try:
            results = self._results(node, given, batch, where, unknown=unknown)
        except (InexpressibleError, SizeError) as error:
            self.problems.add_error(where, error)
            results = list[Value]()
        for place, name in enumerate(node.output):
            self.found[name] = results[place] if place < len(results) else None

    def _given(self, name: str) -> Found:
        return self.found[name] if name else None

    def _results(
        self, node: NodeProto, given: Sequence[Found], batch: int, where: str, *, unknown: bool
    ) -> Sequence[Found]:
        kind = node.op_type
        depends = any(isinstance(each, Value) for each in given)
        if kind == "Constant":
            return [self._constant(node)]
        if not unknown and not depends:
            constants = [each for each in given if not isinstance(each, Value)]
            return folded(node, constants, self.version, self.builder.room)
        if kind in {"Shape", "Size"} and isinstance(given[0], Value):
            return [_shape(node, (batch, *given[0].shape))]
        if unknown and not depends and can_be_folded(node) and kind not in OPERATIONS:
            # What it computes with is not known, and that is told already.
            return []
        if node.domain not in {"", "ai.onnx"} or kind not in OPERATIONS:
            self.problems.add(f"{where}: Volr has no {kind}", way_around(kind))
            return []
        if unknown:
            # An activation behind something unknown may be wrong, too.
            if kind in ACTIVATED:
                self.builder.use(ACTIVATED[kind])
            return []
        try:
            onnx.checker.check_node(node, self.context)
        except onnx.checker.ValidationError as error:
            first = str(error).splitlines()[0]
            raise InexpressibleError(f"it is not as ONNX has it: {first}") from error
        step = Step(self.builder, _plain(node), given, _attributes(node), batch)
        try:
            return [OPERATIONS[kind](step)]
        # A file may hold any numbers in any shape.
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise SizeError(f"its numbers do not fit: {error}") from error

    def _constant(self, node: NodeProto) -> NDArray[Any]:
        (attribute,) = node.attribute
        if attribute.name == "value":
            return array_of(attribute.t, self.name)
        kinds = {"value_float": float, "value_floats": float, "value_int": int, "value_ints": int}
        if attribute.name not in kinds:
            raise InexpressibleError(f"it holds {attribute.name}, and not numbers")
        return np.asarray(helper.get_attribute_value(attribute), kinds[attribute.name])


def _shape(node: NodeProto, shape: tuple[int, ...]) -> NDArray[Any]:
    """What a Shape or a Size gives for a value of this shape, the batch being a part of it."""
    if node.op_type == "Size":
        return np.asarray(math.prod(shape), np.int64)
    own = {each.name: each.i for each in node.attribute}
    return np.asarray(shape[own.get("start", 0) : own.get("end")], np.int64)


def _attributes(node: NodeProto) -> dict[str, Any]:
    try:
        return {each.name: helper.get_attribute_value(each) for each in node.attribute}
    except ValueError as error:
        raise InexpressibleError("one of its attributes is damaged") from error


def _plain(node: NodeProto) -> str:
    """The name of a population that is made here, by the path in the node's name."""
    path = [part for part in (node.name or node.output[0]).split("/") if part]
    return path[-2 if len(path) > 1 else -1].replace(".", "_")
