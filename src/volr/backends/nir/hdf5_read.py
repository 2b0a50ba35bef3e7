"""From the bytes of a NIR file to a ``Graph``. Nothing in a file is trusted.

h5py reads the structure, and the numbers once their size is known and there is room for them. Links
to other files, and data kept in other files, are refused unread. Text is taken directly from the
bytes (``hdf5_bytes``), because the HDF5 library may never return when it reads text of a damaged
file.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from volr.backends.nir.graph import SUBGRAPH, Graph, Node
from volr.backends.nir.hdf5_bytes import DAMAGES, REFERENCE, Texts, check_packed
from volr.backends.nir.linear_nodes import PADDINGS
from volr.backends.nir.primitives import DEFAULTS, PRIMITIVES
from volr.errors import ModelError, ModelFileError
from volr.system.incoming import format_of, is_model
from volr.system.memory import check_room

if TYPE_CHECKING:
    import h5py

    from volr.backends.nir.graph import Edge
    from volr.checks.arrays import Floats

MOST_NODES = 10_000
"""A file of more nodes in a graph, or more edges than ten times as many, is refused."""
DEEPEST = 50
"""Graphs within graphs, at most."""


_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# A number is held as it is in the file, as float64, and once more while it is made from that.
_COPIES = 3


def read_graph(data: bytes, name: str = "the file") -> Graph:
    """The graph in a NIR file. ``name`` is what messages call it.

    Raises ``ModelFileError`` for anything but a sound NIR file: what is damaged, cut short, of
    another format or too large, has loops among its groups, leads to other files, or lacks a
    parameter that its primitive needs. Primitives that Volr does not know are kept, without values.
    """
    import h5py

    if not data.startswith(_SIGNATURE):
        raise _foreign(data, name)
    try:
        with h5py.File.in_memory(data) as file:
            return _Reader(data, Texts(data, 20 * MOST_NODES), name).read(file)
    except DAMAGES as error:
        raise ModelFileError(f"{name} is damaged: {_first_line(error)}") from error
    except ModelError as error:  # no room
        raise ModelFileError(f"{name}: {error.message}", help=error.help) from error


@dataclass
class _Reader:
    """The state of one reading: nodes and edges so far, what has been read, and its size."""

    data: bytes
    texts: Texts
    name: str
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    edges: list[Edge] = field(default_factory=list["Edge"])
    subgraphs: list[str] = field(default_factory=list[str])
    seen: set[int] = field(default_factory=set[int])
    types: set[np.dtype[Any]] = field(default_factory=set[np.dtype[Any]])
    bytes_needed: int = 0

    def read(self, file: h5py.File) -> Graph:
        root = self._group(file, "node", "the file")
        kind = self._text(root, "type", "the graph")
        if kind != SUBGRAPH:
            self._refuse(f"it holds a single {kind!r} and no graph")
        metadata = self._metadata(root)
        # Depth first; the names of the ends of a graph say where edges of the one around it go.
        todo = [("", root, 0)]
        ends: dict[str, tuple[list[str], list[str]]] = {}
        inner: list[tuple[str, list[Edge]]] = []
        while todo:
            prefix, graph, depth = todo.pop()
            if depth > DEEPEST:
                self._refuse(f"its graphs are nested more than {DEEPEST} deep")
            ends[prefix] = ([], [])
            inner.append((prefix, self._edges(graph, prefix or "the graph")))
            nodes = self._group(graph, "nodes", prefix or "the graph")
            for key in self._keys(nodes):
                full = f"{prefix}.{key}" if prefix else key
                group = self._group(nodes, key, full)
                kind = self._text(group, "type", full)
                if kind == SUBGRAPH:
                    self.subgraphs.append(full)
                    todo.append((full, group, depth + 1))
                    continue
                if full in self.nodes:
                    self._refuse(f"two nodes are called {full!r}")
                self.nodes[full] = self._node(group, kind, full)
                if kind == "Input":
                    ends[prefix][0].append(full)
                elif kind == "Output":
                    ends[prefix][1].append(full)
        self._join(inner, ends)
        types = frozenset(self.types)
        return Graph(self.nodes, tuple(self.edges), metadata, tuple(self.subgraphs), types)

    def _join(
        self, inner: list[tuple[str, list[Edge]]], ends: dict[str, tuple[list[str], list[str]]]
    ) -> None:
        """All edges under their full names; those of a subgraph go to and from its ends."""
        for prefix, edges in inner:
            for pair in edges:
                full = [f"{prefix}.{each}" if prefix else each for each in pair]
                for side, each in enumerate(full):
                    if each in self.nodes:
                        continue
                    if each not in ends or not each:
                        self._refuse(f"an edge names {each!r}, and there is no such node")
                    way = ends[each][1 - side]
                    if len(way) != 1:
                        which = "outputs" if side == 0 else "inputs"
                        self._refuse(
                            f"an edge leads to or from the graph {each!r}, which has {len(way)} "
                            f"{which}: one is needed"
                        )
                    full[side] = way[0]
                self.edges.append((full[0], full[1]))
        if len(set(self.edges)) != len(self.edges):
            twice = Counter(self.edges).most_common(1)[0][0]
            self._refuse(f"the edge from {twice[0]!r} to {twice[1]!r} occurs twice")
        for each in self.subgraphs:
            for name in (*ends[each][0], *ends[each][1]):
                # Within the whole it is neither: it hands on what it gets.
                self.nodes[name] = Node("Flatten", {}, self.nodes[name].metadata)

    def _node(self, group: h5py.Group, kind: str, full: str) -> Node:
        metadata = self._metadata(group)
        stored = frozenset(self._keys(group)) - {"type", "metadata"}
        if kind not in PRIMITIVES:
            return Node(kind, {}, metadata, stored)
        values: dict[str, Floats] = {}
        words: dict[str, str] = {}
        for key in PRIMITIVES[kind].parameters:
            if key == "padding" and key in group and self._is_text(group, key, full):
                word = self._text(group, key, f"the node {full!r}")
                if word not in PADDINGS:
                    self._refuse(f"{key!r} of the node {full!r} is {word[:40]!r}, not numbers")
                values[key], words[key] = PADDINGS[word](values), word
            elif key in group:
                values[key] = self._numbers(group, key, full)
            elif key not in DEFAULTS:
                self._refuse(f"the node {full!r}, {kind}, lacks its {key!r}")
            elif (default := DEFAULTS[key]) is not None:
                shape = values["r"].shape if "r" in values else ()
                values[key] = np.full(shape, default)
        return Node(kind, values, metadata, stored, words)

    def _is_text(self, group: h5py.Group, key: str, full: str) -> bool:
        import h5py

        item = self._item(group, key, full)
        return isinstance(item, h5py.Dataset) and item.shape == () and item.dtype.kind in "OS"

    def _numbers(self, group: h5py.Group, key: str, full: str) -> Floats:
        what = f"{key!r} of the node {full!r}"
        dataset = self._dataset(group, key, f"the node {full!r}")
        if dataset.dtype.kind not in "fiub" or dataset.shape is None:
            self._refuse(f"{what} is of the type {dataset.dtype}, not numbers")
        self.bytes_needed += _COPIES * 8 * math.prod(dataset.shape)
        check_room({what: self.bytes_needed}, f"to read {self.name}")
        check_packed(self.data, dataset)
        if dataset.dtype.kind == "f":
            self.types.add(dataset.dtype)
        values = np.asarray(dataset[()], dtype=np.float64)
        if not np.isfinite(values).all():
            self._refuse(f"{what} has values that are not finite numbers")
        return values

    def _edges(self, graph: h5py.Group, what: str) -> list[Edge]:
        dataset = self._dataset(graph, "edges", what)
        shape = dataset.shape
        if shape is not None and 0 in shape:
            return []
        if shape is None or len(shape) != 2 or shape[1] != 2:
            self._refuse(f"'edges' of {what} has the shape {shape}, not pairs")
        if shape[0] > 10 * MOST_NODES:
            self._refuse(f"it has more than {10 * MOST_NODES:,} edges")
        ends = self._texts(dataset, f"'edges' of {what}")
        return list(zip(ends[::2], ends[1::2], strict=True))

    def _metadata(self, group: h5py.Group) -> dict[str, str]:
        """The metadata of a node that are texts or single numbers, as texts."""
        found: dict[str, str] = {}
        if "metadata" not in group:
            return found
        inner = self._group(group, "metadata", "the metadata")
        for key in self._keys(inner):
            if not isinstance(self._item(inner, key, "the metadata"), type(inner)):
                dataset = self._dataset(inner, key, "the metadata")
                if dataset.shape == () and dataset.dtype.kind in "OS":
                    found[key] = self._texts(dataset, f"the metadata {key!r}")[0]
                elif dataset.shape == () and dataset.dtype.kind in "fiub":
                    found[key] = repr(dataset[()].item())
        return found

    def _text(self, group: h5py.Group, key: str, what: str) -> str:
        dataset = self._dataset(group, key, what)
        if dataset.shape != ():
            self._refuse(f"{key!r} of {what} is not one text")
        return self._texts(dataset, f"{key!r} of {what}")[0]

    def _texts(self, dataset: h5py.Dataset, what: str) -> list[str]:
        """Texts of fixed or of any length, in a row."""
        import h5py

        count = math.prod(dataset.shape or ())
        if dataset.dtype.kind == "S":
            check_packed(self.data, dataset)
            self.bytes_needed += _COPIES * count * dataset.dtype.itemsize
            check_room({what: self.bytes_needed}, f"to read {self.name}")
            return [bytes(each).decode() for each in np.asarray(dataset[()]).ravel()]
        if h5py.check_string_dtype(dataset.dtype) is None:
            self._refuse(f"{what} is of the type {dataset.dtype}, not text")
        offset = dataset.id.get_offset()
        if offset is None or dataset.id.get_storage_size() != REFERENCE.size * count:
            self._refuse(f"{what} is text that is laid out in a way that Volr does not read")
        return self.texts.at(offset, count)

    def _keys(self, group: h5py.Group) -> list[str]:
        if len(group) > MOST_NODES:
            self._refuse(f"it has a group of more than {MOST_NODES:,} members")
        return list(group)

    def _group(self, parent: h5py.Group, key: str, what: str) -> h5py.Group:
        import h5py

        item = self._item(parent, key, what)
        if not isinstance(item, h5py.Group):
            self._refuse(f"{key!r} of {what} is not a group")
        self._note(item, key, what)
        return item

    def _note(self, item: h5py.Group | h5py.Dataset, key: str, what: str) -> None:
        """Refuse an object that was read before: the groups form a loop, or share an array."""
        import h5py

        address = int(h5py.h5o.get_info(item.id).addr)
        if address in self.seen:
            self._refuse(f"{key!r} of {what} occurs twice")
        self.seen.add(address)
        if len(self.seen) > 20 * MOST_NODES:
            self._refuse(f"it has more than {20 * MOST_NODES:,} groups and arrays")

    def _dataset(self, parent: h5py.Group, key: str, what: str) -> h5py.Dataset:
        import h5py

        item = self._item(parent, key, what)
        if not isinstance(item, h5py.Dataset):
            self._refuse(f"{key!r} of {what} is not an array")
        if item.external is not None or item.is_virtual:
            self._refuse(f"{key!r} of {what} is kept in another file")
        self._note(item, key, what)
        return item

    def _item(self, parent: h5py.Group, key: str, what: str) -> Any:
        import h5py

        if key not in parent:
            again = "a file whose writing was interrupted is like that: write it again"
            self._refuse(f"{what} lacks its {key!r}", again)
        if not isinstance(parent.get(key, getlink=True), h5py.HardLink):
            self._refuse(f"{key!r} of {what} is a link to somewhere else")
        return parent[key]

    def _refuse(self, why: str, help: str | None = None) -> NoReturn:
        raise ModelFileError(f"{self.name} is no NIR file that Volr reads: {why}", help=help)


def _foreign(data: bytes, name: str) -> ModelFileError:
    found = format_of(data, name)
    if found is None:
        return ModelFileError(
            f"{name} is no NIR file: it is not HDF5",
            help="NIR files are written by nir.write, and by `volr compile MODEL --to nir`",
        )
    help = "`volr compile` writes NIR of it with --to nir" if is_model(data) else found.help
    return ModelFileError(f"{name} is no NIR file: it is {found.name}", help=help)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
