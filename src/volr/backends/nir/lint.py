"""What each importer will make of a NIR file, told before it does.

``lint`` reads the file and asks the rules of this file, which hold for everybody and for Volr, and
those of ``volr.backends.nir.dialects.rules`` for each other importer that is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from volr.backends.nir.affine import order
from volr.backends.nir.graph import NEURONS, Graph
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.metadata import KEY
from volr.backends.nir.read import file_bytes, model_of
from volr.backends.nir.time_unit import said
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from volr.checks.arrays import Floats

Severity: TypeAlias = Literal["error", "warning", "note"]
"""``error``: the importer refuses the file or crashes. ``warning``: it reads it as another
network, silently. ``note``: worth knowing, and nothing is lost."""

EVERYBODY = "every importer"
VOLR = "volr"

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_TAUS = ("tau", "tau_mem", "tau_syn")


@dataclass(frozen=True)
class Finding:
    """One thing that ``importer`` (its name, or ``EVERYBODY``) makes of a ``node``.

    ``node`` is the node's name, or empty for the file as a whole; ``message`` is a sentence without
    a full stop.
    """

    importer: str
    node: str
    severity: Severity
    message: str


def lint(file: str | Path | bytes) -> list[Finding]:
    """All that there is to say about a file, a path or its bytes, the gravest first.

    Raises ``ModelFileError`` for a file that cannot be read, or is damaged.
    """
    from volr.backends.nir.dialects import rules  # which make findings of this module's

    name, data = file_bytes(file)
    graph = read_graph(data, name)
    found = [*general(graph), *ours(graph, name), *rules.lint(graph)]
    return sorted(found, key=lambda each: _SEVERITIES.index(each.severity))


def ours(graph: Graph, name: str = "the file") -> list[Finding]:
    """What Volr makes of a graph: what reading it says, or why it cannot."""
    try:
        imported = model_of(graph, name)
    except ModelFileError as error:
        reasons = [each.removeprefix("  - ") for each in error.message.splitlines()]
        return [_of_a_node(each, graph) for each in reasons[1:] or reasons]
    return [Finding(VOLR, "", "note", each) for each in imported.notes]


def _of_a_node(reason: str, graph: Graph) -> Finding:
    """A reason against reading a graph, which begins with the node that it is about."""
    for name in graph.nodes:
        if reason.startswith(begin := f"node {name!r}: "):
            return Finding(VOLR, name, "error", reason.removeprefix(begin))
    return Finding(VOLR, "", "error", reason)


def general(graph: Graph) -> list[Finding]:
    """What holds for everybody, since NIR leaves it open."""
    found: list[Finding] = []
    neurons = [name for name, node in graph.nodes.items() if node.kind in NEURONS]
    if neurons and said(graph) is None and KEY not in graph.metadata:
        found.append(
            Finding(EVERYBODY, "", "warning", "it does not say the time step: each takes its own")
        )
    _, looped = order(graph)
    if looped:
        message = f"the graph has a loop, through {', '.join(map(repr, looped[:5]))}: where it is "
        message += "cut, and what takes a step there, is the importer's choice"
        found.append(Finding(EVERYBODY, looped[0], "warning", message))
    if graph.subgraphs:
        message = f"graphs within the graph ({', '.join(graph.subgraphs[:5])}) are not read by all"
        found.append(Finding(EVERYBODY, graph.subgraphs[0], "note", message))
    for name, node in graph.nodes.items():
        found += [
            Finding(EVERYBODY, name, "warning", message)
            for key, values in node.values.items()
            if (message := _about(node.kind, key, values)) is not None
        ]
    return found


def _about(kind: str, key: str, values: Floats) -> str | None:
    """What is to be said of one parameter."""
    if kind not in NEURONS or not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    if key in _TAUS and low >= 1.0:
        return f"{key} is {_range(low, high)}, which looks like ms or steps: most take it for s"
    if key in _TAUS and high < 1e-4:
        return f"{key} is {_range(low, high)} s, less than a usual step: was it written times one?"
    if key == "v_reset" and (low, high) != (0.0, 0.0):
        return f"v_reset is {_range(low, high)}: most reset to 0, whatever it is"
    if key == "v_leak" and (low, high) != (0.0, 0.0):
        return f"v_leak is {_range(low, high)}: some refuse it, and some ignore it"
    if key == "r" and kind not in {"IF", "I"} and (low, high) != (1.0, 1.0):
        return f"r is {_range(low, high)}: it is ignored by some, and means 1/dt or τ/dt to others"
    if low != high and not np.allclose(values, low, rtol=1e-9, atol=0.0):
        return f"its neurons differ in {key}: some take the first for all"
    return None


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
