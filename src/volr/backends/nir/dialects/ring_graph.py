"""A ring as a graph around its ``cells``, as importers have it that compute in steps of ``dt``.

    input ── drive ──▶ cells ── select ──▶ output
                       ▲   │
                       └ recurrent

All importers compute in single precision. Three of them run nodes in an order of their own, of
which only this is asked: what leads back to ``cells`` is a step late.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.dialects.dialect import Held
from volr.backends.nir.graph import Graph, Node
from volr.backends.readback import uniform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.ring import Ring
    from volr.checks.arrays import Floats

# Single precision puts a membrane that just reaches its threshold on either side of it.
HAIR = 1.0 - 2.0**-20
# The relative error of numbers in single precision that were added and multiplied a few times.
ROUNDING = 1e-6


def cells_of(kind: str, ring: Ring, **values: float) -> Node:
    """A node of neurons that are all alike, one for each unit of the ring."""
    return Node(kind, {name: np.full(ring.units, value) for name, value in values.items()})


def keeping(ring: Ring, dt: float) -> Node:
    """Neurons that keep 1 − dt/τ of what they have, and add what they get as it is."""
    mem = dt / (1.0 - ring.a)
    if ring.b is None:
        theta = HAIR * ring.theta
        return cells_of("LIF", ring, tau=mem, r=mem / dt, v_leak=0.0, v_threshold=theta)
    syn = dt / (1.0 - ring.b)
    return cells_of(
        "CubaLIF",
        ring,
        tau_syn=syn,
        tau_mem=mem,
        r=mem / dt,
        v_leak=0.0,
        v_threshold=HAIR * ring.theta,
        w_in=syn / dt,
    )


def port(kind: str, size: int) -> Node:
    """An Input or Output."""
    return Node(kind, {"shape": np.array([float(size)])})


def affine(weight: Floats, bias: Floats | None = None) -> Node:
    """An Affine, whose bias is 0 unless told."""
    bias = np.zeros(len(weight)) if bias is None else bias
    return Node("Affine", {"weight": weight, "bias": bias})


def around(cells: Node, ring: Ring, *, scale: float = 1.0, halves: bool = False) -> Graph:
    """The ring around ``cells``; weights are in units of 1/``scale`` mV.

    ``halves`` writes the recurrent weights as two nodes.
    """
    recurrent = scale * ring.recurrent
    back = {"recurrent": Node("Linear", {"weight": recurrent})}
    if halves:
        reached = np.flatnonzero(recurrent.any(axis=1))
        spread = np.zeros((ring.units, len(reached)))
        spread[reached, np.arange(len(reached))] = 1.0
        back = {
            "recurrent": Node("Linear", {"weight": recurrent[reached]}),
            "recurrent_rows": Node("Linear", {"weight": spread}),
        }
    nodes = {
        "input": port("Input", ring.into.shape[1]),
        "drive": affine(scale * ring.into, scale * ring.bias),
        "cells": cells,
        **back,
        "select": Node("Linear", {"weight": ring.select}),
        "output": port("Output", len(ring.select)),
    }
    # In this order: norse hands out what the last node gave that it came to.
    circle = ["cells", *back, "cells"]
    edges = [("input", "drive"), ("drive", "cells"), *itertools.pairwise(circle)]
    return Graph(nodes, (*edges, ("cells", "select"), ("select", "output")))


def held_in_steps(graph: Graph, dt: float, reset: str, currents: bool, hair: float = HAIR) -> Held:
    """What cells hold that keep 1 − dt/τ in a step; their threshold is θ times ``hair``."""
    del reset
    cells = graph.nodes["cells"]
    values = {key: uniform(each) for key, each in cells.values.items()}
    a = 1.0 - dt / values["tau" if cells.kind == "LIF" else "tau_mem"]
    b = 1.0 - dt / values["tau_syn"] if currents else None
    return Held(a, b, values["v_threshold"] / hair)


def wrong_in_steps(graph: Graph, dt: float, held: Held, *, takes_r: bool = True) -> Iterator[str]:
    """With what factors such cells take what arrives and what a current gives them.

    ``takes_r`` says whether the importer heeds r of a LIF.
    """
    cells = graph.nodes["cells"]
    values = {name: uniform(each) for name, each in cells.values.items()}
    if cells.kind == "LIF":
        if held.b is not None:
            yield "the cells have no currents, and those of the neuron decay"
        if takes_r:
            yield from _factor("what arrives", values["r"] * dt / values["tau"])
        return
    yield from _factor("what arrives", values["w_in"] * dt / values["tau_syn"])
    yield from _factor("the current", values["r"] * dt / values["tau_mem"])
    if held.b is None and not abs(values["tau_syn"] / dt - 1.0) <= ROUNDING:
        yield "the cells keep currents for more than a step, and the neuron has none"


def _factor(what: str, factor: float) -> Iterator[str]:
    if not abs(factor - 1.0) <= ROUNDING:
        yield f"{what} counts {factor:g} times, expected once"
