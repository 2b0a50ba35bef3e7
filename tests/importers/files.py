"""Small NIR files, written by hand, of what importers read differently; and their bytes."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import h5py
import numpy as np

from volr.backends.nir.graph import Graph, Node

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

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


def graph(edges: str, outputs: int = NEURONS, /, **nodes: Node) -> Graph:
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

_LIF = {"tau": 0.002, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.5}


def ends(*shape: int, to: tuple[int, ...] | None = None) -> dict[str, Node]:
    """An Input of a shape, and an Output of that or another one."""
    return {
        "input": Node("Input", {"shape": np.array(shape)}),
        "output": Node("Output", {"shape": np.array(shape if to is None else to)}),
    }


def one(kind: str, *shape: int, **values: float) -> Node:
    """A node whose parameters have this shape: none for scalars."""
    return Node(kind, {key: np.full(shape, each) for key, each in values.items()})


def _less(node: Node, *names: str, **more: Floats) -> Node:
    kept = {key: each for key, each in node.values.items() if key not in names}
    return Node(node.kind, {**kept, **more})


_two = np.array([2, 2])
_POOL = {"kernel_size": _two, "stride": _two, "padding": np.zeros(2)}
_CONV = Node(
    "Conv2d",
    {
        "input_shape": np.array([4, 4]),
        "weight": np.random.default_rng(2).normal(size=(3, 2, 3, 3)),
        "bias": np.zeros(3),
        "groups": np.array(1),
        **dict.fromkeys(("stride", "padding", "dilation"), np.array([1, 1])),
    },
)
_CONV1 = Node(
    "Conv1d",
    {
        "input_shape": np.array(4),
        "weight": np.random.default_rng(2).normal(size=(3, 2, 3)),
        "bias": np.zeros(3),
        **dict.fromkeys(("stride", "padding", "dilation", "groups"), np.array(1)),
    },
)


def _convolved(node: Node, *axes: int) -> Graph:
    """A convolution of two channels of these axes to three, and neurons."""
    return graph(
        "input>c c>x x>output",
        **ends(2, *axes, to=(3, *axes)),
        c=node,
        x=one("LIF", 3, *axes, **_LIF),
    )


def _pooled(kind: str) -> Graph:
    """A convolution of planes, of which every second point is kept, and neurons."""
    return graph(
        "input>c c>p p>x x>output",
        **ends(2, 4, 4, to=(3, 2, 2)),
        c=_CONV,
        p=Node(kind, _POOL),
        x=one("LIF", 3, 2, 2, **_LIF),
    )


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


# Of kinds, shapes and names that nir or an importer may not take, each with its frames' shape.
ODD_FILES: dict[str, tuple[Graph, tuple[int, ...]]] = {
    "scalars, lif": (row(affine(), one("LIF", **_LIF)), (3,)),
    "scalars, if": (row(affine(), one("IF", r=1.0, v_threshold=1.0)), (3,)),
    "scalars, li": (row(affine(), one("LI", tau=0.002, r=1.0, v_leak=0.0)), (3,)),
    "one for all": (row(affine(), lif(1)), (3,)),
    "scalar tau": (row(affine(), _less(lif(), "tau", tau=np.array(0.002))), (3,)),
    "other tau": (row(affine(), _less(lif(), "tau", tau=np.full(3, 0.002))), (3,)),
    "tau 0": (row(affine(), lif(tau=0.0)), (3,)),
    "scalar w_in": (row(affine(), _less(cuba(r=30.0), "w_in", w_in=np.array(20.0))), (3,)),
    "other w_in": (row(affine(), _less(cuba(), "w_in", w_in=np.full(3, 1.0))), (3,)),
    "no w_in": (row(affine(), _less(cuba(), "w_in")), (3,)),
    "v_reset 0": (row(affine(), lif(v_reset=0.0)), (3,)),
    "v_reset 0, if": (row(affine(), cells("IF", r=1.0, v_threshold=1.0, v_reset=0.0)), (3,)),
    "scalar v_reset": (row(affine(), _less(lif(), v_reset=np.array(0.0))), (3,)),
    "batch axis": (
        graph("input>a a>x x>output", **ends(1, 3, to=(1, 4)), a=affine(), x=lif()),
        (3,),
    ),
    "batch axis, out": (
        graph("input>a a>x x>output", **ends(3, to=(1, 4)), a=affine(), x=lif()),
        (3,),
    ),
    "wrong size": (row(affine(), lif(), inputs=5), (5,)),
    "no ends": (Graph({"a": affine(), "x": lif()}, (("a", "x"),)), (3,)),
    "more names": (row(affine(), lif(beta=3.0)), (3,)),
    "bias of a linear": (row(Node("Linear", affine().values), lif()), (3,)),
    "1-d weight": (row(affine(np.array([1.0, 2.0, 3.0])), lif(1), outputs=1), (3,)),
    "3-d weight": (row(affine(WEIGHT[None], np.zeros(4)), lif()), (3,)),
    "2-d bias": (row(affine(WEIGHT, np.zeros((1, 4))), lif()), (3,)),
    "scale": (row(Node("Scale", {"scale": np.array([1.0, 2.0, 3.0])}), affine(), lif()), (3,)),
    "scalar scale": (row(Node("Scale", {"scale": np.array(2.0)}), affine(), lif()), (3,)),
    "cubali": (row(affine(), _less(Node("CubaLI", cuba().values), "v_threshold")), (3,)),
    "unknown": (row(affine(), one("Fancy", 4, x=1.0), lif()), (3,)),
    "conv2d": (_convolved(_CONV, 4, 4), (2, 4, 4)),
    "sum pool": (_pooled("SumPool2d"), (2, 4, 4)),
    "average pool": (_pooled("AvgPool2d"), (2, 4, 4)),
    "conv2d, no stride": (_convolved(_less(_CONV, "stride"), 4, 4), (2, 4, 4)),
    "conv1d": (_convolved(_CONV1, 4), (2, 4)),
    "plane of lif": (graph("input>x x>output", **ends(2, 2), x=one("LIF", 2, 2, **_LIF)), (2, 2)),
    "nothing to flatten": (row(_less(_flatten(1.0)), affine(), lif()), (3,)),
    "two linears": (
        row(
            Node("Linear", {"weight": WEIGHT}),
            lif(),
            Node("Linear", {"weight": LATER}),
            lif(2),
            outputs=2,
        ),
        (3,),
    ),
    "recurrent cuba": (
        graph(
            "input>a a>x x>w w>x x>output",
            a=affine(),
            x=cuba(),
            w=Node("Linear", {"weight": _back}),
        ),
        (3,),
    ),
    "two layers, recurrent": (
        graph(
            "input>a a>x x>b b>y y>w w>x y>output",
            2,
            a=affine(),
            x=lif(),
            b=affine(LATER),
            y=lif(2),
            w=affine(LATER.T.copy()),
        ),
        (3,),
    ),
    "loop to itself": (graph("input>a a>x x>x x>output", a=affine(), x=lif()), (3,)),
    "loop of two": (
        graph(
            "input>a a>x x>v v>w w>x x>output",
            a=affine(),
            x=lif(),
            v=affine(_back),
            w=affine(_back),
        ),
        (3,),
    ),
}


def file_of(graph: Graph) -> bytes:
    """The bytes of a NIR file that has what the graph has, and nothing else."""
    whole = {"shape", "start_dim", "end_dim", "input_type", "groups", "input_shape"}
    whole |= {"stride", "padding", "dilation", "kernel_size"}
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
