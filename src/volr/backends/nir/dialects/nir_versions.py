"""Which files the library nir itself cannot read, in the two versions that importers read with.

    nir 1.0.4   sinabs asks for it. It knows no v_reset and no CubaLI
    nir 1.0.8   what everybody else has. Since 1.0.6, nir asks that what a node gives has the shape
                that the next one takes, and so refuses a batch axis in Input and Output;
                ``nir.read(file, type_check=False)`` does not ask

Both hand all that a file has of a node to the node's class, by name. A name that the class does not
know raises an exception, and so does one that is missing. This was read in their source and
measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from volr.backends.nir.dialects.window_shapes import (
    POOLS,
    because,
    given_by_pool,
    taken_and_given_by_kernel,
)
from volr.backends.nir.primitives import DEFAULTS, OPTIONAL, PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.backends.nir.graph import Graph, Node

    _Shape: TypeAlias = tuple[int, ...]

_FIELDS: Mapping[str, tuple[str, ...]] = {k: each.parameters for k, each in PRIMITIVES.items()}
"""What nir's nodes have, by kind."""
_ALIKE = ("tau", "tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset")


@dataclass(frozen=True)
class Reader:
    """A version of nir: its ``name``, what it ``lacks``, kinds and names, and whether it ``checks``
    shapes.
    """

    name: str
    lacks: frozenset[str]
    checks: bool

    def problems(self, graph: Graph) -> list[tuple[str, str]]:
        """Why it cannot read a file, as nodes and words; empty where it can."""
        found = [
            (name, why)
            for name, node in graph.nodes.items()
            for why in (self._of_kind(node) or _of_shapes(node))
        ]
        if self.checks and not found and not graph.subgraphs:
            found = list(_mismatches(graph))
        return found

    def _of_kind(self, node: Node) -> list[str]:
        if node.kind not in _FIELDS or node.kind in self.lacks:
            return [f"it has no {node.kind}"]
        has = node.stored or frozenset(node.values)
        known = set(_FIELDS[node.kind]) - self.lacks
        wrong = [f"its {node.kind} has no {name}" for name in sorted(has - known)]
        due = known - set(OPTIONAL) - has
        return wrong + [f"its {node.kind} needs {name}" for name in sorted(due)]


OLDER = Reader("nir 1.0.4", frozenset({"v_reset", "CubaLI"}), checks=False)
NEWER = Reader("nir 1.0.8", frozenset(), checks=True)


def is_even(node: Node) -> bool:
    """Whether a node's parameters are of one shape, and there are any: else nobody reads it."""
    return not _of_shapes(node) and all(each.size for each in node.values.values())


def _of_shapes(node: Node) -> list[str]:
    """The shapes that no version of nir accepts."""
    values = node.values
    if node.kind in {"Affine", "Linear"} and values["weight"].ndim < 2:
        return [f"a weight has at least 2 axes, and this one has {values['weight'].ndim}"]
    if node.kind in {"Conv1d", "Conv2d"} and values["weight"].ndim < 3:
        return [f"a kernel has at least 3 axes, and this one has {values['weight'].ndim}"]
    due = set(_FIELDS.get(node.kind, ())) & (set(DEFAULTS) - set(OPTIONAL) - {"input_shape"})
    if lacking := sorted(due - set(values)):
        return [f"its {node.kind} needs {lacking[0]}"]
    if empty := [name for name, each in values.items() if not each.size]:
        return [f"its {empty[0]} is empty"]
    if many := [key for key in ("start_dim", "end_dim") if key in values and values[key].ndim]:
        return [f"its {many[0]} is no single number"]
    shapes = {name: values[name].shape for name in _ALIKE if name in values}
    if "w_in" in values and values["w_in"].size not in {1, values["v_leak"].size}:
        shapes["w_in"] = values["w_in"].shape
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        return [f"its parameters have different shapes: {listed}"]
    return []


def shapes(
    graph: Graph, *, as_nir: bool = False
) -> tuple[Mapping[str, _Shape | None], Mapping[str, _Shape | None]]:
    """What each node takes and what it gives, without the batch, as far as that is known.

    ``as_nir`` is what nir makes of it: see ``window_shapes``.
    """
    said = {name: _taken_and_given(node, as_nir=as_nir) for name, node in graph.nodes.items()}
    takes = {name: taken for name, (taken, _) in said.items()}
    gives = {name: given for name, (_, given) in said.items()}
    # What a node does not say of itself is what the one before it gives.
    todo = list(graph.of_kind("Input"))
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for other in graph.after[name]:
            node, given = graph.nodes[other], gives[name]
            if takes[other] is None and given is not None:
                if node.kind == "Flatten":
                    takes[other], gives[other] = given, _flattened(node, given)
                elif node.kind in POOLS:
                    takes[other], gives[other] = given, given_by_pool(node, given)
            todo.append(other)
    return takes, gives


def _mismatches(graph: Graph) -> Iterator[tuple[str, str]]:
    """Edges whose two ends differ in shape."""
    takes, gives = shapes(graph, as_nir=True)
    for before, after in graph.edges:
        given, taken = gives[before], takes[after]
        if given is not None and taken is not None and given != taken:
            why = because(graph.nodes[after], given) or because(graph.nodes[before], taken)
            sizes = f"it takes the shape {list(taken)} and gets {list(given)}"
            yield after, f"{sizes} from {before!r}{why}{_batch(given, taken)}"


def _batch(given: _Shape, taken: _Shape) -> str:
    longer, shorter = sorted((given, taken), key=len, reverse=True)
    if shorter and len(longer) > len(shorter) and longer[len(longer) - len(shorter) :] == shorter:
        return ", and nir has no batch axis; nir.read(file, type_check=False) reads it"
    return "; nir.read(file, type_check=False) reads it"


def _taken_and_given(node: Node, *, as_nir: bool) -> tuple[_Shape | None, _Shape | None]:
    """The shapes that a node takes and gives, without the batch; None where it does not say."""
    values = node.values
    match node.kind:
        case "Input" | "Output":
            shape = tuple(int(each) for each in values["shape"].ravel())
            return shape, shape
        case "Affine" | "Linear":
            *outer, rows, columns = values["weight"].shape
            return (*outer, columns), (*outer, rows)
        case "Flatten":
            if "input_type" not in values:
                return None, None
            taken = tuple(int(each) for each in values["input_type"].ravel())
            return taken, _flattened(node, taken)
        case "Conv1d" | "Conv2d":
            return taken_and_given_by_kernel(node, as_nir=as_nir)
        case "SumPool2d" | "AvgPool2d":
            return None, None
        case _:
            sizes = {each.shape for name, each in values.items() if name != "w_in"}
            size = sizes.pop() if len(sizes) == 1 else None
            return size, size


def _flattened(node: Node, taken: _Shape) -> _Shape:
    """As nir has it, which makes one axis more than it should where there is nothing to flatten."""
    if "start_dim" not in node.values:  # an end of a graph within the graph
        return taken
    start, end = int(node.values["start_dim"]), int(node.values["end_dim"])
    stop = len(taken) if end == -1 else end + 1
    rest = taken[stop:] if end not in {-1, len(taken) - 1} else ()
    return (*(taken[:start] if start else ()), math.prod(taken[start:stop]), *rest)
