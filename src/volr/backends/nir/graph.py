"""A NIR graph as plain data: nodes with arrays, and edges. No h5py and no nir in here.

    Graph  nodes by name, edges, metadata
    Node   a primitive of NIR's by its name, with its parameters by theirs

Numbers are float64 arrays, whatever their type in a file. A graph within a graph is dissolved: its
nodes are called ``outer.inner``, and its inputs and outputs pass on their input.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from volr.checks.arrays import Floats

    Values: TypeAlias = Mapping[str, Floats]
    """The parameters of a node, by NIR's names."""

Edge: TypeAlias = tuple[str, str]
"""From a node to a node."""

SUBGRAPH = "NIRGraph"
"""The kind of a graph within a graph, and of the whole."""
DIALECT = "volr.dialect"
"""Where the metadata of a graph say for which importer alone it was written."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node. ``kind`` is NIR's name of the primitive; ``values`` are its parameters, float64.

    ``weight`` is ``[post, pre]``; a neuron's parameters are one number for each neuron. A primitive
    that Volr does not know has no values. ``metadata`` is the text that the file has there;
    ``stored`` are the names of everything that the file has of the node, even if Volr ignores it;
    ``words`` are the parameters that the file has as words, whose values are what they stand for.
    """

    kind: str
    values: Values = field(default_factory=dict["str", "Floats"])
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    stored: frozenset[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph. ``subgraphs`` are the names of those that were dissolved into it, ``types`` those of
    the numbers in the file that it was read from."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    subgraphs: tuple[str, ...] = ()
    types: frozenset[np.dtype[Any]] = frozenset()

    @cached_property
    def before(self) -> Mapping[str, tuple[str, ...]]:
        """The nodes with an edge into each node, in the order of the edges."""
        return self._neighbours(1, 0)

    @cached_property
    def after(self) -> Mapping[str, tuple[str, ...]]:
        """The nodes that each node has an edge to, in the order of the edges."""
        return self._neighbours(0, 1)

    def _neighbours(self, here: int, there: int) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {name: [] for name in self.nodes}
        for edge in self.edges:
            found[edge[here]].append(edge[there])
        return {name: tuple(each) for name, each in found.items()}

    def of_kind(self, *kinds: str) -> tuple[str, ...]:
        """The names of the nodes of these kinds, in order."""
        return tuple(name for name, node in self.nodes.items() if node.kind in kinds)

    def in_order(self) -> tuple[list[str], list[str]]:
        """The nodes, each after all nodes that lead to it, and the nodes on or behind a loop."""
        missing = {name: len(each) for name, each in self.before.items()}
        found = [name for name, count in missing.items() if count == 0]
        for name in found:  # grows while it is gone through
            for each in self.after[name]:
                missing[each] -= 1
                if missing[each] == 0:
                    found.append(each)
        return found, [name for name, count in missing.items() if count > 0]
