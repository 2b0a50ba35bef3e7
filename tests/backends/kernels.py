"""Networks with every connector, for the scenarios that all back ends go through.

Windows are not square, strides and paddings differ by axis, channels are in groups, pools stand
before kernels, dense layers, identities and other pools, some windows overlap or do not reach all,
and several projections lead into one population, or between the same two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language import to_network
from volr.network import Network, Population, Projection
from volr.network.connectors import AllToAll, AveragePool, Convolution, OneToOne, Pooled, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

SUMS = to_network(
    """
conv [2 7 8] 4 [3 2] stride:[1 2] pad:[0 1] groups:2
⦶ (avgpool _ [2 1] stride:1 ⦶ avgpool _ [2 3] ⦶ conv _ 6 [2 1] pad:[1 0]
   ⊖ conv _ 2 [5 2] stride:[2 4] pad:[2 0])
⦶ conv _ 6 [1 3] stride:[3 1] pad:[1 2]
⦶ (conv _ 6 3 pad:1 ⊕ id _ ⊕ conv _ 6 [3 5] pad:[1 2] groups:3)
⦶ (dense _ 3 ⊕ (avgpool _ 2 stride:[1 2] ⦶ dense _ 3))
"""
)
"""Two axes, and no population that takes the largest."""

LARGEST = to_network(
    """
conv [2 7 9] 4 [3 2] stride:[1 2] pad:[0 1] ⦶ maxpool _ [2 3] stride:[2 1]
⦶ (conv _ 4 3 pad:1 groups:2 ⊕ id _) ⦶ avgpool _ [1 2] stride:1 ⦶ maxpool _ [2 1] stride:1
⦶ (id _ ⊖ conv _ 2 1)
"""
)
"""The largest, of a sum and of means; outputs that are maps, one of which sends something on."""

ROW = Network(
    populations=(
        Population("x", (2, 9)),
        Population("y", (3,)),
        Population("def", (4, 4)),
        Population("more", (4, 4)),
        Population("top", (4, 2), merge="max"),
        Population("sums", (4, 2)),
        Population("row", (8,)),
        Population("out", (2, 3)),
    ),
    projections=(
        Projection("y", "def"),
        Projection("x", "def", Convolution((3,), (2,))),
        Projection("def", "top", Windows((3,), (1,))),
        Projection("x", "more", Convolution((3,), (2,), groups=2)),
        Projection("more", "top", Windows((2,), (2,))),
        Projection("top", "row"),
        Projection("top", "sums", OneToOne()),
        Projection("def", "sums", Windows((2,), (2,))),
        Projection("sums", "out", Convolution((2,), (1,), (1,), groups=2)),
        Projection("row", "out", AllToAll()),
        Projection("def", "out", Pooled((AveragePool((2,), (1,)),), Convolution((1,)))),
        Projection("sums", "row", Pooled((AveragePool((2,)),), AllToAll())),
    ),
    inputs=("y", "x"),
    outputs=("out", "sums", "y"),
)
"""One axis; two inputs; dense layers beside kernels; windows whose sum counts, and the largest of
several."""

LEARNING = to_network(
    """
conv [2 4 5] 4 [2 3] stride:[1 2] pad:[0 1] groups:2 ⦶ maxpool _ [2 1] stride:1
⦶ (conv _ 4 [1 3] pad:[0 1] ⊕ id _) ⦶ avgpool _ [1 2] stride:1 ⦶ dense _ 3
"""
)
"""Small, and each Futhark program of it that learns is the same."""

SIGNS = Network(
    populations=(Population("input", (1, 6)), Population("map", (2, 4)), Population("out", (3,))),
    projections=(
        Projection("input", "map", Pooled((AveragePool((2,), (1,)),), Convolution((2,)))),
        Projection("input", "map", Convolution((3,)), number=2),
        Projection("map", "out"),
    ),
    inputs=("input",),
    outputs=("out",),
)
"""Windows that overlap, and two projections between the same two populations: with weights of both
signs, some neurons excite and inhibit the same one."""

NETWORKS: Mapping[str, Network] = {"sums": SUMS, "largest": LARGEST, "row": ROW}
