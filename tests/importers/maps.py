"""Files of maps: kernels, pools and what comes after them; and what importers compute of them.

One small network, in the ways that importers take it: two channels, maps and strides that are not
square. What each library gives is computed here by loops over windows, in float64.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from tests.importers.files import DT, affine, ends, graph, one
from tests.importers.updates import membranes

from volr.backends.nir.graph import Node

if TYPE_CHECKING:
    from volr.backends.nir.graph import Graph
    from volr.checks.arrays import Floats

_LIF = {"tau": 0.002, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.5}
_IF = {"r": 1.0, "v_threshold": 1.0}
_RANDOM = np.random.default_rng(2)
KERNEL = np.abs(_RANDOM.normal(size=(2, 2, 3, 3)))
BIAS = 0.1 * _RANDOM.normal(size=2)
OUT = _RANDOM.normal(0.2, 1.0, size=(3, 12))
STRIDE, PAD, POOL = (2, 1), (1, 1), (2, 2)
SHAPE = (2, 7, 6)
MAPS = (2, 4, 6)
FRAMES = (np.random.default_rng(1).random((6, 2, *SHAPE)) < 0.5).astype(np.float64)
"""``[time, batch, channel, y, x]``: what the files in ``UPDATES`` are given."""


def _numbers(*values: int) -> Floats:
    return np.array(values, dtype=np.float64)


def kernel(weight: Floats = KERNEL, groups: int = 1, **changes: Floats) -> Node:
    """A Conv2d of maps of 7 × 6."""
    values = {
        "input_shape": _numbers(*SHAPE[1:]),
        "weight": weight,
        "stride": _numbers(*STRIDE),
        "padding": _numbers(*PAD),
        "dilation": _numbers(1, 1),
        "groups": np.array(groups),
        "bias": BIAS,
    }
    return Node("Conv2d", {**values, **changes})


def pool(kind: str, *window: int, padding: int = 0) -> Node:
    """A pool of windows side by side."""
    pad = _numbers(padding, padding)
    return Node(
        kind, {"kernel_size": _numbers(*window), "stride": _numbers(*window), "padding": pad}
    )


def flatten(start: int, *shape: int) -> Node:
    """A Flatten from an axis on, counted from the last where it is below 0."""
    values = {"start_dim": np.array(float(start)), "end_dim": np.array(-1.0)}
    return Node("Flatten", {**values, "input_type": _numbers(*shape)})


def net(
    pooling: Node,
    start: int = -3,
    conv: Node | None = None,
    *,
    shape: tuple[int, ...] = SHAPE,
    maps: tuple[int, ...] = MAPS,
    pooled: tuple[int, ...] = (2, 2, 3),
    kind: str = "LIF",
    **changes: float,
) -> Graph:
    """Conv2d, neurons, a pool, Flatten, Affine, neurons."""
    values = {**(_LIF if kind == "LIF" else _IF), **changes}
    size = int(np.prod(pooled))
    out = OUT if size == OUT.shape[1] else np.ones((3, size))
    return graph(
        "input>c c>x x>p p>f f>a a>y y>output",
        **ends(*shape, to=(3,)),
        c=kernel() if conv is None else conv,
        x=one(kind, *maps, **values),
        p=pooling,
        f=flatten(start, *pooled),
        a=affine(out, np.zeros(3)),
        y=one(kind, 3, **values),
    )


MEANS, SUMS = pool("AvgPool2d", *POOL), pool("SumPool2d", *POOL)
_WIDE = KERNEL[..., :2]
FILES: dict[str, tuple[Graph, tuple[int, ...]]] = {
    "maps, sums": (net(SUMS), SHAPE),
    "maps, means": (net(MEANS), SHAPE),
    "maps, r 20": (net(MEANS, r=20.0), SHAPE),
    "maps, if": (net(SUMS, kind="IF"), SHAPE),
    "maps, flat from 0": (net(SUMS, 0), SHAPE),
    "maps, flat from 1": (net(SUMS, 1), SHAPE),
    "maps, window 3 x 2": (net(MEANS, conv=kernel(_WIDE), maps=(2, 4, 7)), SHAPE),
    "maps, groups of one": (net(SUMS, conv=kernel(KERNEL[:, :1], 2), kind="IF"), SHAPE),
    "maps, groups of two": (
        net(SUMS, conv=kernel(KERNEL, 2), shape=(4, 7, 6), kind="IF"),
        (4, 7, 6),
    ),
    "maps, pool 1 x 3": (net(pool("AvgPool2d", 1, 3), pooled=(2, 4, 2)), SHAPE),
    "maps, means padded": (net(pool("AvgPool2d", 2, 2, padding=1), pooled=(2, 3, 4)), SHAPE),
    "maps, sums padded": (
        net(pool("SumPool2d", 2, 2, padding=1), pooled=(2, 3, 4), kind="IF"),
        SHAPE,
    ),
    "maps, other input_shape": (
        net(SUMS, conv=kernel(input_shape=_numbers(6, 6)), kind="IF"),
        SHAPE,
    ),
    "maps, other channels": (net(SUMS, conv=kernel(KERNEL[:, :1]), kind="IF"), SHAPE),
    "maps, no flatten": (
        graph(
            "input>c c>x x>a a>y y>output",
            **ends(*SHAPE, to=(3,)),
            c=kernel(),
            x=one("IF", *MAPS, **_IF),
            a=affine(np.ones((3, 48)), np.zeros(3)),
            y=one("IF", 3, **_IF),
        ),
        SHAPE,
    ),
}


def convolved(frames: Floats, weight: Floats = KERNEL) -> Floats:
    """The maps of a kernel, ``[time, batch, channel, y, x]``, window by window."""
    padded = np.pad(frames, [(0, 0)] * 3 + [(each, each) for each in PAD])
    sizes = [
        (n - w) // s + 1 for n, w, s in zip(padded.shape[3:], weight.shape[2:], STRIDE, strict=True)
    ]
    found = np.zeros((*frames.shape[:2], len(weight), *sizes))
    for y, x in itertools.product(*map(range, sizes)):
        rows = slice(STRIDE[0] * y, STRIDE[0] * y + weight.shape[2])
        columns = slice(STRIDE[1] * x, STRIDE[1] * x + weight.shape[3])
        seen = padded[..., rows, columns]
        found[..., y, x] = np.einsum("tbiyx,oiyx->tbo", seen, weight) + BIAS
    return found


def pooled(maps: Floats, *, mean: bool) -> Floats:
    """The sums or means of windows side by side, in a row for each stimulus."""
    time, batch, channels, rows, columns = maps.shape
    parts = maps.reshape(time, batch, channels, rows // POOL[0], POOL[0], columns // POOL[1], -1)
    total = parts.sum(axis=(4, 6)) / (POOL[0] * POOL[1] if mean else 1)
    return total.reshape(time, batch, -1)


def network(gain: float, keep: float, threshold: float, *, mean: bool) -> Floats:
    """The outputs of the whole network: what arrives counts ``gain`` times."""
    first = membranes(gain * convolved(FRAMES), keep, threshold)
    x = gain * (pooled(first, mean=mean) @ OUT.T)
    return membranes(x, keep, threshold)


def integrated(x: Floats) -> Floats:
    """sinabs's IF: thresholds of 1 are subtracted, below −1 nothing goes."""
    v = np.zeros(x.shape[1:])
    given: list[Floats] = []
    for each in x:
        v = np.maximum(v + each, -1.0)
        given.append(np.floor(np.maximum(v, 0.0)))
        v = v - given[-1]
    return np.stack(given)


C = DT / 0.002
UPDATES: dict[tuple[str, str], Floats] = {
    ("norse", "maps, sums"): network(C, 1 - C, 0.5, mean=False),
    ("snntorch", "maps, r 20"): network(1.0, 0.95, 0.5, mean=True),
    ("spikingjelly", "maps, means"): network(C, 1 - C, 0.5, mean=True),
    ("spikingjelly", "maps, sums"): network(C, 1 - C, 0.5, mean=False),
    ("sinabs", "maps, if"): integrated(pooled(integrated(convolved(FRAMES)), mean=False) @ OUT.T),
}
