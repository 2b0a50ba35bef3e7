"""How nirtorch, which several importers use, reads the structure of a graph, in two ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.dialect import Answer
    from volr.backends.nir.graph import Graph

TRACED = frozenset(
    {"Input", "Output", "Affine", "Linear", "Conv1d", "Conv2d", "Flatten"}
    | {"AvgPool2d", "SumPool2d", "IF", "LIF", "CubaLIF"}
)
"""The node types that ``nir_to_torch`` and both of its users have."""


def executed(graph: Graph, known: frozenset[str]) -> Iterator[Answer]:
    """For norse and sinabs: nirtorch's GraphExecutor, which goes through a graph depth first.

    A node that is not ``known`` to the importer is none, nor are its edges.
    """
    unknown = [name for name, node in graph.nodes.items() if node.kind not in known]
    # The importer keeps only the last of them, and then looks for the others by name.
    wanted = {name for edge in graph.edges for name in edge}
    failing = [name for name in unknown[:-1] if name in wanted]
    for name in unknown:
        kind = graph.nodes[name].kind
        if failing:
            yield name, "error", f"has no {kind}, and fails where it lacks more than one node"
        else:
            yield name, "warning", f"leaves out {kind}, silently, and cuts the graph in two there"
    inputs = graph.of_kind("Input")
    if len(inputs) > 1:
        yield inputs[1], "warning", "has only one input, and takes any one of those in the file"
    outputs = graph.of_kind("Output")
    if len(outputs) > 1:
        yield outputs[1], "warning", "has only one output, and returns the last one that it reaches"
    if not inputs or not outputs:
        return
    path = _depth_first(graph, inputs[0])
    if path[-1] not in outputs:
        late = "reaches it after the output, depth first, and returns its value instead"
        yield path[-1], "warning", late
    place = {name: number for number, name in enumerate(path)}
    for name in path:
        for each in graph.before[name]:
            # An edge back that closes a loop is a step late for everybody.
            if place.get(each, -1) > place[name] and each not in _depth_first(graph, name):
                late = f"gets what {each!r} gave a step before, because it reaches that later"
                yield name, "warning", late


def traced(graph: Graph, known: frozenset[str]) -> Iterator[Answer]:
    """For snnTorch and SpikingJelly: nirtorch's ``nir_to_torch``, which puts nodes into order."""
    for name, node in graph.nodes.items():
        if node.kind not in known:
            yield name, "error", f"has no {node.kind}"
    inputs, outputs = graph.of_kind("Input"), graph.of_kind("Output")
    if len(inputs) > 1:
        yield inputs[1], "error", "fails on more than one input"
    if len(outputs) > 1:
        yield outputs[1], "error", "does not terminate with more than one output"


def _depth_first(graph: Graph, start: str) -> list[str]:
    """The nodes that can be reached from ``start``, in nirtorch's order."""
    path: dict[str, None] = {}
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in path:
            path[name] = None
            todo += reversed(graph.after[name])
    return list(path)
