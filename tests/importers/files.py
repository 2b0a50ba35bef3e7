"""Small NIR files, written by hand, of what importers read differently; and their bytes."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import h5py
import numpy as np

from volr.backends.nir.graph import Graph, Node

if TYPE_CHECKING:
    from volr.models.arrays import Floats

INPUTS, NEURONS = 3, 4
_rng = np.random.default_rng(0)
WEIGHT: Floats = _rng.normal(0.6, 0.5, (NEURONS, INPUTS))
BIAS: Floats = _rng.normal(0.1, 0.1, NEURONS)
LATER: Floats = _rng.normal(0.6, 0.5, (2, NEURONS))
FRAMES: Floats = (np.random.default_rng(1).random((30, 2, INPUTS)) < 0.5).astype(np.float64)
DT = 1e-3


def end(kind: str, size: int) -> Node:
    return Node(kind, {"shape": np.array([size])})


def affine(weight: Floats = WEIGHT, bias: Floats | None = None) -> Node:
    return Node(
        "Affine", {"weight": weight, "bias": np.zeros(len(weight)) if bias is None else bias}
    )


def cells(kind: str, size: int = NEURONS, **values: float | list[float]) -> Node:
    """Neurons; a number stands for all of them."""
    return Node(kind, {key: np.ones(size) * np.asarray(each) for key, each in values.items()})


def lif(size: int = NEURONS, **values: float | list[float]) -> Node:
    usual: dict[str, float | list[float]] = {"tau": 0.002, "r": 1.0, "v_leak": 0.0}
    return cells("LIF", size, **(usual | {"v_threshold": 0.5} | values))


def cuba(**values: float | list[float]) -> Node:
    usual: dict[str, float | list[float]] = {"tau_syn": 0.002, "tau_mem": 0.003, "r": 1.0}
    return cells(
        "CubaLIF", NEURONS, **(usual | {"v_leak": 0.0, "w_in": 1.0, "v_threshold": 0.5} | values)
    )


def row(*nodes: Node, inputs: int = INPUTS, outputs: int = NEURONS) -> Graph:
    named = {"input": end("Input", inputs), **{f"n{i}": node for i, node in enumerate(nodes)}}
    named["output"] = end("Output", outputs)
    return Graph(named, tuple(itertools.pairwise(named)))


def graph(edges: str, outputs: int = NEURONS, **nodes: Node) -> Graph:
    """A graph of edges such as ``input>a a>output``; Inputs and Outputs are made as needed."""
    pairs = [each.split(">") for each in edges.split()]
    for name in {each for pair in pairs for each in pair} - set(nodes):
        nodes[name] = end("Input", INPUTS) if name.startswith("input") else end("Output", outputs)
    return Graph(nodes, tuple((a, b) for a, b in pairs))


def _flatten(start: float) -> Node:
    values = {"start_dim": np.array(start), "end_dim": np.array(-1.0)}
    return Node("Flatten", {**values, "input_type": np.array([INPUTS])})


_back = np.zeros((NEURONS, NEURONS))
_back[1:, 0] = 1.0
BRANCHES = "input>a a>x input>b b>y x>c c>z y>d d>z z>output"

FILES: dict[str, Graph] = {
    "lif": row(affine(), lif()),
    "lif, linear": row(Node("Linear", {"weight": WEIGHT}), lif()),
    "lif, r 2": row(affine(), lif(r=2.0)),
    "lif, r 3": row(affine(), lif(r=3.0)),
    "lif, v_leak": row(affine(), lif(v_leak=0.1)),
    "lif, v_reset": row(affine(), lif(v_reset=-0.3)),
    "lif, v_leak and v_reset": row(affine(), lif(v_reset=0.1, v_leak=0.1)),
    "lif, several tau": row(affine(), lif(tau=[0.002, 0.003, 0.004, 0.005])),
    "lif, several thresholds": row(affine(), lif(v_threshold=[0.2, 0.3, 0.4, 0.5])),
    "lif, short tau": row(affine(), lif(tau=5e-5)),
    "lif, tau in steps": row(affine(), lif(tau=2.0)),
    "if, r 1": row(affine(), cells("IF", r=1.0, v_threshold=1.0)),
    "if, r 1/dt": row(affine(), cells("IF", r=1000.0, v_threshold=1.0)),
    "cuba": row(affine(), cuba()),
    "cuba, r for 1e-3": row(affine(), cuba(r=3.0, w_in=2.0)),
    "cuba, r for 1e-4": row(affine(), cuba(r=30.0, w_in=20.0)),
    "cuba, v_leak": row(affine(), cuba(v_leak=0.1)),
    "li": row(affine(), cells("LI", tau=0.002, r=1.0, v_leak=0.0)),
    "i": row(affine(), cells("I", r=1.0)),
    "threshold": row(affine(), cells("Threshold", threshold=0.5)),
    "flatten": row(_flatten(0.0), affine(), lif()),
    "two layers": row(affine(), lif(), affine(LATER), lif(2), outputs=2),
    "sum": graph("input>a input>b a>x b>x x>output", a=affine(), b=affine(-WEIGHT), x=lif()),
    "branches": graph(
        BRANCHES, 2, a=affine(), b=affine(-WEIGHT), x=lif(), y=lif(), c=affine(LATER),
        d=affine(-LATER), z=lif(2),
    ),
    "two outputs": graph("input>a a>x x>output a>y y>output2", a=affine(), x=lif(), y=lif(r=2.0)),
    "two inputs": graph("input>a input2>b a>x b>x x>output", a=affine(), b=affine(), x=lif()),
    "loop": graph("input>a a>x x>w w>x x>output", a=affine(), x=lif(), w=affine(_back)),
}  # fmt: skip


def file_of(graph: Graph) -> bytes:
    """The bytes of a NIR file that has what the graph has, and nothing else."""
    whole = {"shape", "start_dim", "end_dim", "input_type"}
    body = io.BytesIO()
    with h5py.File(body, "w") as file:
        file.create_dataset("version", data="1.0")
        root = file.create_group("node")
        root.create_dataset("type", data="NIRGraph")
        nodes = root.create_group("nodes")
        for name, node in graph.nodes.items():
            group = nodes.create_group(name)
            group.create_dataset("type", data=node.kind)
            for key, values in node.values.items():
                dtype = np.int64 if key in whole else np.float32
                group.create_dataset(key, data=values.astype(dtype))
        root.create_dataset("edges", data=np.array(graph.edges, dtype=np.bytes_))
    return body.getvalue()
