"""Modules of PyTorch as artificial models, operation by operation, as ``torch.export`` traces them.

``import_operations`` has what each operation of PyTorch's does to the values that it gets.
Everything that Volr has no way to say is collected, and told at once.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from volr.affine.building import Builder
from volr.affine.ends import check_along_units
from volr.affine.forms import SizeError
from volr.affine.problems import Problems
from volr.affine.reading import COMPARED, Read
from volr.affine.values import InexpressibleError, Value
from volr.backends.torch.import_operations import (
    ACTIVATED,
    ENDS,
    OPERATIONS,
    PASSING,
    way_around,
)
from volr.backends.torch.import_runs import check_numbers, compare
from volr.backends.torch.import_step import Step
from volr.checks.annotations import shown, type_of
from volr.errors import ModelError, NetworkError, UnsupportedError, VolrError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from torch.export import ExportedProgram
    from torch.fx import Node

    from volr.affine.reading import Forward
    from volr.checks.arrays import Floats
    from volr.network.connectors import Shape


def read_module(
    module: object, shape: Shape, scale: Floats, offset: Floats, forward: Forward
) -> Read:
    """The artificial model that computes what a module does in evaluation.

    ``shape`` is that of one stimulus, without the batch. The module gets x · ``scale`` + ``offset``
    of stimuli x in [0, 1], both of the shape. ``forward`` gives a model's logits, with which those
    of the module are compared. Raises ``UnsupportedError`` with everything that is in the way,
    ``ModelError`` where the module cannot be traced, and ``VolrError`` for no module.
    """
    if not isinstance(module, torch.nn.Module):
        raise VolrError(
            f"import_torch: module is {shown(module)}, {type_of(module)} and not a torch.nn.Module",
            help="volr.load_state takes the weights of a state dict into a program",
        )
    check_numbers(module)
    with _evaluating(module):
        program = _exported(module, shape)
        reading = _Reading(program)
        value = reading.read(shape, scale, offset)
        try:
            model, notes = reading.builder.model(value)
        except InexpressibleError as error:
            reading.problems.add(str(error), error.way)
            raise reading.problems.error() from error
        except NetworkError as error:
            raise UnsupportedError(f"this module: {error.message}", help=error.help) from error
        stimuli = np.random.default_rng(0).random((COMPARED, *shape))
        logits = forward(model, stimuli.reshape(COMPARED, -1))
        compared = compare(module, logits, reading.dropped, stimuli * scale + offset)
    dropped = [
        f"{name} at the end is left out: logits are what it gets" for name in reading.dropped
    ]
    return Read(model, (*dropped, *notes, compared))


@contextmanager
def _evaluating(module: torch.nn.Module) -> Generator[None]:
    """The module as it is in evaluation; afterwards each part is as it was."""
    before = {each: each.training for each in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for each, training in before.items():
            each.training = training


def _exported(module: torch.nn.Module, shape: Shape) -> ExportedProgram:
    parameter = next(module.parameters(), None)
    kind = torch.float32 if parameter is None else parameter.dtype
    device = "cpu" if parameter is None else parameter.device
    given = torch.zeros((1, *shape), dtype=kind, device=device)
    try:
        with warnings.catch_warnings(), _without_logs(), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.export.export(module, (given,))
    except Exception as error:  # a module of somebody else's may raise anything
        first = str(error).strip().splitlines()
        raise ModelError(
            f"torch.export cannot trace this module with a stimulus of the shape {list(shape)}: "
            f"{type(error).__name__}: {first[0] if first else ''}",
            help="it has to take one tensor, [batch, …], and must not decide by its values what to "
            "compute; try torch.export.export(module.eval(), (torch.zeros(1, …),)) for all of it",
        ) from error


@contextmanager
def _without_logs() -> Generator[None]:
    """PyTorch logs pages of what is raised all the same."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@dataclass
class _Reading:
    """What has been read of a program. ``dropped`` are the operations at its end that are not.

    ``found`` are values, tensors that do not depend on the stimulus, or None for what could not be
    read.
    """

    program: ExportedProgram
    builder: Builder = field(default_factory=Builder)
    dropped: list[str] = field(default_factory=list[str])
    problems: Problems = field(default_factory=lambda: Problems("this module"))
    found: dict[str, Any] = field(default_factory=dict[str, Any])

    def read(self, shape: Shape, scale: Floats, offset: Floats) -> Value:
        """The value that the program gives."""
        program, nodes = self.program, [*self.program.graph.nodes]
        held = {**program.state_dict, **program.constants}
        inputs: list[str] = []
        for spec in program.graph_signature.input_specs:
            name = getattr(spec.arg, "name", "")
            if spec.kind.name == "USER_INPUT":
                inputs.append(name)
            else:
                self.found[name] = held.get(f"{spec.target}")
        if len(inputs) != 1:
            raise UnsupportedError(
                f"this module takes {len(inputs)} inputs, and a network of Volr's takes one",
                help="import its parts one by one, or put its inputs side by side into one tensor",
            )
        self.found[inputs[0]] = self.builder.input(shape, scale, offset)
        (last,) = (each for each in nodes if each.op == "output")
        results = [each for each in last.args[0] if each is not None]
        if len(results) != 1:
            raise UnsupportedError(
                f"this module gives {len(results)} results, and a network of Volr's gives one",
                help="wrap it in a module that returns one of them",
            )
        end = self._without_ends(results[0])
        for node in nodes[: nodes.index(end) + 1]:
            # Nobody reads the second result of a maximum, say.
            if node.op == "call_function" and node.users:
                self.found[node.name] = self._result(node)
        value = self.found.get(end.name)
        if not self.problems.found and not isinstance(value, Value):
            self.problems.add("its result does not depend on its input")
        if self.problems.found or not isinstance(value, Value):
            raise self.problems.error()
        return value

    def _without_ends(self, node: Node) -> Node:
        """The node whose value the logits are: what only normalises them is left out."""
        while node.op == "call_function":
            kind = _name(node)
            if kind in ENDS:
                self.dropped.append(ENDS[kind])
            elif kind not in PASSING:
                break
            before = node.args[0]
            if not isinstance(before, torch.fx.Node):
                break
            if kind in ENDS and "dim" in (given := _arguments(node, {})):
                self._check_along_units(node, _shape(before), int(given["dim"]))
            node = before
        return node

    def _check_along_units(self, node: Node, shape: Shape | None, axis: int) -> None:
        try:
            check_along_units(shape or (), axis)
        except InexpressibleError as error:
            self.problems.add_error(_where(node), error)

    def _result(self, node: Node) -> Any:
        kind, before = _name(node), [self.found.get(e.name) for e in node.all_input_nodes]
        unknown = any(each is None for each in before)
        if not unknown and not any(isinstance(each, Value) for each in before):
            with torch.no_grad():
                call = cast("Callable[..., Any]", node.target)
                return call(*_filled(node.args, self.found), **_filled(node.kwargs, self.found))
        where = _where(node)
        if kind not in OPERATIONS:
            self.problems.add(f"{where}: Volr has no {kind}", way_around(kind))
            return None
        step = Step(self.builder, _arguments(node, self.found), _shape(node), where)
        try:
            if not unknown:
                return OPERATIONS[kind](step)
            # An activation behind something unknown may be wrong, too.
            if kind in ACTIVATED:
                self.builder.use(ACTIVATED[kind])
        except (InexpressibleError, SizeError) as error:
            self.problems.add_error(where, error)
        return None


def _name(node: Node) -> str:
    """The name of an operation: ``conv2d``."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return getattr(node.target, "__name__", str(node.target))
    return str(schema.name).rpartition("::")[2]


def _arguments(node: Node, found: dict[str, Any]) -> dict[str, Any]:
    """The arguments by their names, with what was found for nodes."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return {str(place): each for place, each in enumerate(_filled(node.args, found))}
    given = {each.name: each.default_value for each in schema.arguments if each.has_default_value()}
    names = [each.name for each in schema.arguments]
    given |= dict(zip(names, _filled(node.args, found), strict=False))
    return given | _filled(node.kwargs, found)


def _filled(given: Any, found: dict[str, Any]) -> Any:
    if isinstance(given, torch.fx.Node):
        return found.get(given.name)
    if isinstance(given, (list, tuple)):
        return [_filled(each, found) for each in cast("Sequence[Any]", given)]
    if isinstance(given, Mapping):
        named = cast("Mapping[str, Any]", given)
        return {name: _filled(each, found) for name, each in named.items()}
    return given


def _shape(node: Node) -> Shape | None:
    """The shape of a node's result without its batch; None where it has none."""
    value = node.meta.get("val")
    if isinstance(value, (list, tuple)) and value:
        # The largest, and where they are.
        value = cast("Sequence[Any]", value)[0]
    if not isinstance(value, torch.Tensor):
        return None
    shape = tuple(int(each) for each in value.shape)
    return shape[1:] if shape and shape[0] == 1 else None


def _where(node: Node) -> str:
    """The path of the module that an operation is in, and the operation."""
    stack: dict[str, tuple[str, Any]] = node.meta.get("nn_module_stack") or {}
    paths = [path for path, _ in stack.values() if path]
    kind = _name(node)
    return f"{paths[-1]} ({kind})" if paths else kind
