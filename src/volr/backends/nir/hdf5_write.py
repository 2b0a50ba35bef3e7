"""From a graph to the bytes of a NIR file, in nir's own layout.

The library nir is not used: it writes a ``v_reset`` for every neuron. nir 1.0.4 and older, which
some importers need, cannot read that, and newer versions take a missing one for 0. So it is written
only where it is not 0, and then the older versions refuse it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.nir.graph import SUBGRAPH

if TYPE_CHECKING:
    import h5py

    from volr.backends.nir.graph import Graph, Node

VERSION = "1.0.4"
"""Of nir, the oldest that reads these files; it is written into them, and nobody reads it."""

WHOLE = frozenset(
    {"shape", "start_dim", "end_dim", "input_type", "input_shape"}
    | {"stride", "padding", "dilation", "groups", "kernel_size"}
)
"""The parameters that are whole numbers."""


def write_graph(graph: Graph, dtype: type[np.floating[Any]] = np.float64) -> bytes:
    """The graph as the bytes of a NIR file, its numbers of ``dtype``.

    Equal graphs have equal files.
    """
    import h5py

    text = h5py.string_dtype()
    body = io.BytesIO()
    with h5py.File(body, "w") as file:
        file.create_dataset("version", data=VERSION, dtype=text)
        root = file.create_group("node")
        root.create_dataset("type", data=SUBGRAPH, dtype=text)
        _write_metadata(root, graph)
        nodes = root.create_group("nodes")
        for name, node in graph.nodes.items():
            group = nodes.create_group(name)
            group.create_dataset("type", data=node.kind, dtype=text)
            for key, values in node.values.items():
                if key == "v_reset" and not values.any():
                    continue
                whole = values.astype(np.int64 if key in WHOLE else dtype)
                # A single number cannot be packed.
                packing = "gzip" if values.ndim else None
                group.create_dataset(key, data=whole, compression=packing)
            _write_metadata(group, node)
        ends = np.array(graph.edges, dtype=object).reshape(-1, 2)
        root.create_dataset("edges", data=ends, dtype=text)
    return body.getvalue()


def _write_metadata(group: h5py.Group, of: Graph | Node) -> None:
    import h5py

    if of.metadata:
        metadata = group.create_group("metadata")
        for key, value in of.metadata.items():
            metadata.create_dataset(key, data=value, dtype=h5py.string_dtype())
