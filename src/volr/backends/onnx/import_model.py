"""An ONNX file from another program as an artificial model, compared with ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import onnx
from onnx import helper

from volr.affine.forms import SizeError
from volr.affine.reading import COMPARED, Read, check_close
from volr.affine.values import InexpressibleError
from volr.backends.onnx.import_ends import ends_of
from volr.backends.onnx.import_graph import Reading, needed_nodes
from volr.backends.onnx.import_input import input_of
from volr.backends.onnx.session import FATAL, opened
from volr.errors import ModelFileError, NetworkError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.affine.reading import Forward
    from volr.backends.onnx.import_ends import Ends
    from volr.backends.onnx.import_file import Contents
    from volr.backends.onnx.import_input import Input
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.network.connectors import Shape

    # What stimuli of a shape are multiplied by, and what is added to them.
    Mapping: TypeAlias = Callable[[Shape], tuple[Floats, Floats]]


def read_model(
    contents: Contents, name: str, shape: Shape | None, mapping: Mapping, forward: Forward
) -> Read:
    """The artificial model that computes what the graph in the file ``name`` does.

    ``shape`` is that of a stimulus, where the file leaves it open. ``forward`` gives a model's
    logits, with which those of ONNX Runtime are compared. Raises ``UnsupportedError`` with
    everything that is in the way, and ``ModelFileError`` for a graph of no network.
    """
    given, ends = input_of(contents, name, shape), ends_of(contents, name)
    scale, offset = mapping(given.in_order)
    reading = Reading(contents, name)
    value = reading.read(given, ends, scale, offset)
    try:
        model, notes = reading.builder.model(value)
    except (InexpressibleError, SizeError) as error:
        reading.problems.add_error("its result", error)
        raise reading.problems.error() from error
    except NetworkError as error:
        raise UnsupportedError(f"{name}: {error.message}", help=error.help) from error
    turned: list[str] = []
    if given.in_order != given.shape:
        ours, theirs = list(given.in_order), list(given.shape)
        turned.append(f"stimuli have channels first, {ours}; the file has {theirs}")
    compared = _compare(contents, name, given, ends, (scale, offset), model, forward)
    return Read(model, (*ends.notes, *turned, *notes, compared))


def _compare(
    contents: Contents,
    name: str,
    given: Input,
    ends: Ends,
    mapped: tuple[Floats, Floats],
    model: ArtificialModel,
    forward: Forward,
) -> str:
    """Compare the model with what ONNX Runtime makes of the file, and say how close they are.

    Raises ``ModelError`` where they are not.
    """
    scale, offset = mapped
    count = given.batch * -(-COMPARED // given.batch)
    stimuli = np.random.default_rng(0).random((count, *given.in_order))
    kind = helper.tensor_dtype_to_np_dtype(given.kind)
    taken = stimuli * scale + offset
    taken = (np.rint(taken) if kind.kind in "iu" else taken).astype(kind)
    # What the type rounds is rounded for both.
    stimuli = (taken.astype(np.float64) - offset) / scale
    taken = taken.transpose(0, *(axis + 1 for axis in given.back))
    try:
        session = opened(_alone(contents, name, ends).SerializeToString(), severity=FATAL)
        found = [
            session.run([ends.tensor], {given.name: taken[first : first + given.batch]})[0]
            for first in range(0, count, given.batch)
        ]
    except Exception as error:  # the library has many kinds of errors, of no common class
        raise ModelFileError(f"ONNX Runtime cannot run {name}: {error}") from error
    wanted = ends.of_numbers(np.concatenate(found).astype(np.float64))
    logits = forward(model, stimuli.reshape(count, -1))
    return check_close(logits, wanted, "ONNX Runtime's")


def _alone(contents: Contents, name: str, ends: Ends) -> onnx.ModelProto:
    """The part of a file's graph that gives the logits: only nodes that have been read."""
    graph = contents.graph
    nodes = needed_nodes(contents, ends.tensor, name)
    needed = {each for node in nodes for each in node.input}
    made = helper.make_graph(
        nodes,
        "logits",
        [each for each in graph.input if each.name not in contents.arrays],
        [onnx.ValueInfoProto(name=ends.tensor)],
        [each for each in graph.initializer if each.name in needed],
    )
    return helper.make_model(
        made, opset_imports=contents.model.opset_import, ir_version=contents.model.ir_version
    )
