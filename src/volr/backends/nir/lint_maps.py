"""The usual mistakes with maps: in kernels, pools and what comes after them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from volr.backends.nir.dialects.nir_versions import is_even, shapes
from volr.backends.nir.dialects.window_shapes import POOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.dialect import Answer
    from volr.backends.nir.graph import Graph, Node
    from volr.network.connectors import Shape


def about_maps(graph: Graph) -> Iterator[Answer]:
    """What everybody will make of the maps in a graph."""
    even = {name: node for name, node in graph.nodes.items() if is_even(node)}
    edges = tuple(edge for edge in graph.edges if set(edge) <= set(even))
    graph = replace(graph, nodes=even, edges=edges)
    takes, gives = shapes(graph)
    for name, node in even.items():
        if node.kind in POOLS and node.values["padding"].any():
            yield name, "warning", "it has a padding: NIR does not say whether a mean counts it"
    for before, name in edges:
        given = gives[before]
        if given is not None and len(given) > 1:
            yield from _about(name, graph.nodes[name], given, takes[name])


def _about(name: str, node: Node, given: Shape, taken: Shape | None) -> Iterator[Answer]:
    """What is wrong with a node that gets maps of the shape ``given``."""
    if node.kind in {"Affine", "Linear"} and node.values["weight"].ndim == 2:
        columns = node.values["weight"].shape[1]
        if columns == math.prod(given) and given[-1] != columns and set(given[:-1]) != {1}:
            message = f"it gets the map {list(given)}, and no Flatten stands before it: importers "
            yield name, "error", message + "multiply the last axis alone, and fail"
    if node.kind in {"Conv1d", "Conv2d"} and taken is not None and len(taken) == len(given):
        if taken[0] != given[0]:
            message = f"its weight takes {taken[0]} channels and gets {given[0]}: importers fail"
            yield name, "error", message
        if taken[1:] != given[1:]:
            message = f"its input_shape is {list(taken[1:])}, and it gets maps of {list(given[1:])}"
            yield name, "warning", f"{message}: importers do not look at it"
    if node.kind in POOLS and node.values["kernel_size"].size in {1, len(given) - 1}:
        window = [int(each) for each in node.values["kernel_size"].ravel()]
        sizes = window * (len(given) - 1) if len(window) == 1 else window
        padded = [n + 2 * math.floor(node.values["padding"].max()) for n in given[1:]]
        if any(each > n for each, n in zip(sizes, padded, strict=True)):
            message = f"its window is {window}, and it gets maps of {list(given[1:])}"
            yield name, "error", f"{message}: importers fail"
