"""A projection as nodes in a row, and the weights that such nodes have.

connector             nodes
a pool before it      AvgPool2d; over one axis, a Conv1d of each channel alone, 1/n each
all_to_all            Flatten where a map arrives; Affine with a bias, or Linear
convolution           Conv1d or Conv2d
one_to_one            none where the weight is 1, or Scale
windows               SumPool2d, and Scale unless the weight is 1; over one axis, a Conv1d of
                      each channel alone
… into a row          and Flatten
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.graph import Node
from volr.network.connectors import AllToAll, Convolution, OneToOne, Pooled, Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.checks.arrays import Floats
    from volr.network.connectors import AveragePool, Connector, Shape

KNOWN = (AllToAll, Convolution, OneToOne, Pooled, Windows)
"""The connectors that there are nodes for."""


def nodes_of(
    connector: Connector,
    weights: Floats,
    bias: Floats | None,
    ends: tuple[Shape, Shape],
    axes: tuple[Shape, Shape],
    *,
    direct: bool,
) -> list[tuple[str, Node]]:
    """The nodes of a projection, each with what it does, in a word; empty for that with weights.

    ``bias`` is the whole one of the target, by unit for ``AllToAll`` and by channel for a
    convolution. ``ends`` are the shapes of source and target, ``axes`` those in the graph.
    ``direct`` says whether an edge without a node may be an identity.
    """
    shape, found = ends[0], list[tuple[str, Node]]()
    if isinstance(connector, Pooled):
        for number, pool in enumerate(connector.pools, 1):
            found.append((f"pool {number}", _means(pool, shape)))
            shape = pool.reduced(shape)
        connector = connector.connector
    now = shape if found else axes[0]
    if isinstance(connector, AllToAll):
        found += [("flat", _flatten(now))] if len(now) > 1 else []
        values = {"weight": np.array(weights)} | ({} if bias is None else {"bias": bias})
        return [*found, ("", Node("Linear" if bias is None else "Affine", values))]
    if isinstance(connector, Convolution):
        found.append(("", _kernel(connector, weights, bias, shape)))
    elif isinstance(connector, Windows) and len(connector.window) == 1:
        found.append(("", _of_channels(connector.pool, float(weights[0]), shape)))
    else:
        if isinstance(connector, Windows):
            found.append(("pool", _pool("SumPool2d", connector.pool)))
            now = connector.reduced(shape)
        row = len(now) > 1 and len(axes[1]) == 1
        if weights[0] != 1.0 or not (found or row or direct):
            found.append(("", Node("Scale", {"scale": np.full(now, weights[0])})))
    if len(ends[1]) > 1 and len(axes[1]) == 1 and (found or len(now) > 1):
        found.append(("flat", _flatten(ends[1])))
    return found


def weights_of(connector: Connector, nodes: Sequence[Node]) -> Floats:
    """The weights that the nodes of a projection have, in the connector's shape.

    Raises ``LookupError`` where nodes are none of this connector's.
    """
    last = connector.parts[-1]
    nodes = [each for each in nodes if each.kind != "Flatten"]
    if isinstance(last, AllToAll | Convolution):
        return nodes[-1].values["weight"]
    if nodes and nodes[-1].kind == "Conv1d" and isinstance(last, Windows):
        return nodes[-1].values["weight"].ravel()[:1]
    return nodes[-1].values["scale"].ravel()[:1] if _is_scaled(nodes) else np.ones(1)


def _is_scaled(nodes: Sequence[Node]) -> bool:
    return bool(nodes) and nodes[-1].kind == "Scale"


def _means(pool: AveragePool, shape: Shape) -> Node:
    if len(pool.window) == 1:
        return _of_channels(pool, 1.0 / pool.window[0], shape)
    return _pool("AvgPool2d", pool)


def _pool(kind: str, pool: AveragePool) -> Node:
    return Node(
        kind,
        {
            "kernel_size": np.array(pool.window, dtype=np.float64),
            "stride": np.array(pool.stride, dtype=np.float64),
            "padding": np.zeros(len(pool.window)),
        },
    )


def _of_channels(pool: AveragePool, weight: float, shape: Shape) -> Node:
    """A pool over one axis as a kernel: each channel alone, and equal weights."""
    kernel = Convolution(pool.window, pool.stride, groups=shape[0])
    return _kernel(kernel, np.full((shape[0], 1, *pool.window), weight), None, shape)


def _kernel(connector: Convolution, weights: Floats, bias: Floats | None, shape: Shape) -> Node:
    """A convolution, which NIR never has without a bias. Conv1d has single numbers."""

    def by_axis(numbers: Shape) -> Floats:
        return np.array(numbers[0] if len(numbers) == 1 else numbers, dtype=np.float64)

    return Node(
        f"Conv{len(connector.window)}d",
        {
            "input_shape": by_axis(shape[1:]),
            "weight": np.array(weights),
            "stride": by_axis(connector.stride),
            "padding": by_axis(connector.pad),
            "dilation": by_axis((1,) * len(connector.window)),
            "groups": np.array(float(connector.groups)),
            "bias": np.zeros(len(weights)) if bias is None else bias,
        },
    )


def _flatten(shape: Shape) -> Node:
    """All axes of a map, counted from the last: importers may or may not count a batch first."""
    values = {"start_dim": -float(len(shape)), "end_dim": -1.0}
    whole = {key: np.array(each) for key, each in values.items()}
    return Node("Flatten", {**whole, "input_type": np.array(shape, dtype=np.float64)})
