"""Whether the nodes of a dialect's file make its importer compute the ring's own update.

What each importer computes stands at the head of ``importers``. Here it is asked of the nodes that
a file has: with what factor their cells take what arrives and what a current gives them, where they
start, how a spike of many is made one (sinabs), and what leads where.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.dialects.importers import SNNTORCH_DT
from volr.backends.readback import uniform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.backends.nir.graph import Graph
    from volr.checks.arrays import Floats

_ROUNDING = 1e-6

_PATHS: Mapping[str, tuple[str, ...]] = {
    "norse": ("input drive cells", "cells recurrent cells", "cells select output"),
    "snntorch": (
        "input drive cells",
        "cells recurrent recurrent_rows cells",
        "cells select output",
    ),
    "spikingjelly": ("input drive cells", "cells recurrent cells", "cells select output"),
    "sinabs": (
        "input drive cells",
        "cells refund cells",
        "cells count gates recurrent cells",
        "gates charge cells",
        "gates select output",
    ),
}
"""The ways through a graph; where sinabs has ``currents``, these stand before the cells for what
comes from ``drive`` and ``recurrent``."""


def wrong_cells(
    graph: Graph, dialect: str, dt: float, held: tuple[float, float | None, float]
) -> tuple[str, ...]:
    """What is not as the ring has it, in words. ``dt`` in s, ``held`` are a, b, and θ in mV."""
    a, b, theta = held
    cells = graph.nodes["cells"]
    values = {name: uniform(each) for name, each in cells.values.items()}
    dt = SNNTORCH_DT if dialect == "snntorch" else dt
    found: list[str] = []
    if values["v_leak"] != 0.0:
        found.append(f"v_leak is {values['v_leak']:g}, expected 0")
    if values.get("v_reset", 0.0) != 0.0:
        found.append(f"v_reset is {values['v_reset']:g}, expected 0")
    if dialect == "sinabs":
        found += _gates(graph, a, b, theta)
    elif cells.kind == "LIF":
        if b is not None:
            found.append("the cells have no currents, and those of the neuron decay")
        # norse takes no notice of r.
        if dialect != "norse":
            found += _factor("what arrives", values["r"] * dt / values["tau"])
    else:
        found += _factor("what arrives", values["w_in"] * dt / values["tau_syn"])
        found += _factor("the current", values["r"] * dt / values["tau_mem"])
        if b is None and not abs(values["tau_syn"] / dt - 1.0) <= _ROUNDING:
            found.append("the cells keep currents for more than a step, and the neuron has none")
    for name in ("recurrent", "select", "recurrent_rows"):
        node = graph.nodes.get(name)
        if node is not None and node.values.get("bias", np.zeros(1)).any():
            found.append(f"{name} has a bias, expected none")
    return tuple(found)


def wrong_edges(graph: Graph, dialect: str) -> tuple[str, ...]:
    """Edges that are missing, and those that are too many, in words."""
    wanted = set[tuple[str, str]]()
    for path in _PATHS[dialect]:
        names = path.split()
        wanted |= set(itertools.pairwise(names))
    if "currents" in graph.nodes:
        for name in ("drive", "recurrent"):
            wanted.remove((name, "cells"))
            wanted.add((name, "currents"))
        wanted.add(("currents", "cells"))
    edges = set(graph.edges)
    return (
        *(f"the edge {before} → {after} is missing" for before, after in sorted(wanted - edges)),
        *(f"the edge {before} → {after} is too many" for before, after in sorted(edges - wanted)),
    )


def _factor(what: str, factor: float) -> Iterator[str]:
    if not abs(factor - 1.0) <= _ROUNDING:
        yield f"{what} counts {factor:g} times, expected once"


def _gates(graph: Graph, a: float, b: float | None, theta: float) -> Iterator[str]:
    """sinabs: n spikes of a cell make one of its gate, and n − 1 thresholds are given back."""
    nodes = graph.nodes
    gates = {name: uniform(each) for name, each in nodes["gates"].values.items()}
    if (gates["v_leak"], gates["v_threshold"]) != (0.0, 1.0) or not gates["tau"] <= 0.01:
        yield "the gates do not forget at once, at a threshold of 1"
    if (b is not None) != ("currents" in nodes):
        yield "the currents that decay are missing, or too many"
    elif b is not None and uniform(nodes["currents"].values["v_leak"]) != 0.0:
        yield "v_leak of the currents is not 0"
    own = uniform(nodes["cells"].values["v_threshold"])
    for name, wanted in (("refund", a * own), ("charge", -a * theta)):
        weight, bias = (nodes[name].values[key] for key in ("weight", "bias"))
        off = np.abs(weight - wanted * np.eye(len(weight))) > _ROUNDING * abs(wanted)
        if off.any() or bias.any():
            yield f"{name} does not give each cell {wanted:g} mV a spike, and nothing else"
    weight, bias = (nodes["count"].values[key] for key in ("weight", "bias"))
    share = weight.diagonal()
    if (weight != np.diag(share)).any() or not (share > 0.0).all():
        yield "count leads from a cell to another one's gate"
    elif (np.abs(bias - (1.0 - 0.5 * share)) > 0.25 * share).any():
        yield "count lets a gate spike without its cell, or not at one spike of it"
    elif (share * _most(graph, a, b, own) > 1.0 + _ROUNDING).any():
        yield "count lets a gate spike twice where its cell spikes often"


def _most(graph: Graph, a: float, b: float | None, theta: float) -> Floats:
    """How many spikes a cell never exceeds in a step: as if all units spiked in all steps."""
    drive, recurrent = graph.nodes["drive"].values, graph.nodes["recurrent"].values["weight"]
    parts = (drive["weight"], recurrent, drive["bias"][:, None])
    arriving = sum((np.maximum(each, 0.0).sum(axis=1) for each in parts), np.zeros(len(recurrent)))
    return arriving / ((1.0 - a) * (1.0 - (b or 0.0))) / theta
