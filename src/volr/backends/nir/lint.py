"""How each importer will read a NIR file.

``lint`` reads the file and applies the rules in this module, which hold for every importer, and
those of each importer that Volr knows (``volr.backends.nir.dialects``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from volr.backends.nir.dialects import DIALECTS
from volr.backends.nir.dialects.dialect import Severity, span
from volr.backends.nir.dialects.nir_versions import NEWER, OLDER, is_even
from volr.backends.nir.graph import DIALECT
from volr.backends.nir.lint_maps import about_maps
from volr.backends.nir.metadata import KEY
from volr.backends.nir.primitives import TAUS, is_population
from volr.backends.nir.read import graph_in, model_of
from volr.backends.nir.time_unit import stated_step
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from volr.backends.nir.graph import Graph
    from volr.checks.arrays import Floats

EVERYBODY = "every importer"
VOLR = "volr"

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)


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
    """All findings about a file, a path or its bytes, the most serious first.

    Raises ``ModelFileError`` for a file that cannot be read, or is damaged.
    """
    name, graph = graph_in(file)
    found = [*general(graph), *ours(graph, name), *of_importers(graph)]
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
    for name in graph.nodes:
        if reason.startswith(begin := f"node {name!r}: "):
            return Finding(VOLR, name, "error", reason.removeprefix(begin))
    return Finding(VOLR, "", "error", reason)


def general(graph: Graph) -> list[Finding]:
    """What holds for everybody, since NIR leaves it open."""
    found: list[Finding] = []
    neurons = {name for name, node in graph.nodes.items() if is_population(node)}
    if neurons and stated_step(graph) is None and KEY not in graph.metadata:
        message = "it does not say the time step: each takes its own"
        found.append(Finding(EVERYBODY, "", "warning", message))
    _, looped = graph.in_order()
    if looped:
        message = f"the graph has a loop, through {', '.join(map(repr, looped[:5]))}: where it is "
        message += "cut, and what takes a step there, is the importer's choice"
        found.append(Finding(EVERYBODY, looped[0], "warning", message))
    if graph.subgraphs:
        message = f"graphs within the graph ({', '.join(graph.subgraphs[:5])}) are not read by all"
        found.append(Finding(EVERYBODY, graph.subgraphs[0], "note", message))
    found += [Finding(EVERYBODY, *said) for said in about_maps(graph)]
    for name, node in graph.nodes.items():
        found += [
            Finding(EVERYBODY, name, "warning", message)
            for key, values in node.values.items()
            if name in neurons and (message := _about(node.kind, key, values)) is not None
        ]
    return found


def of_importers(graph: Graph) -> list[Finding]:
    """What all known importers make of a graph."""
    meant = graph.metadata.get(DIALECT)
    found = _unreadable(graph)
    # Nobody reads the other nodes, so there is nothing more to say of them.
    even = {name: node for name, node in graph.nodes.items() if is_even(node)}
    edges = tuple(edge for edge in graph.edges if set(edge) <= set(even))
    graph = replace(graph, nodes=even, edges=edges)
    for importer, dialect in DIALECTS.items():
        if importer == meant:
            message = "the file was written for it, and `volr.backends.nir.dialects` says how"
            found.append(Finding(importer, "", "note", message))
            continue
        if meant in DIALECTS:
            message = f"the file was written for {meant} alone, and is another network here"
            found.append(Finding(importer, "", "warning", message))
        with np.errstate(all="ignore"):
            rules = (*dialect.form(graph, dialect.kinds), *dialect.rules(graph))
        found += [Finding(importer, *said) for said in rules]
    return found


def _unreadable(graph: Graph) -> list[Finding]:
    """The versions of nir that cannot read a file, and the importers that use them."""
    found: list[Finding] = []
    for reader in (OLDER, NEWER):
        if not (problems := reader.problems(graph)):
            continue
        node, why = problems[0]
        more = f"; and {len(problems) - 1:,} more" if len(problems) > 1 else ""
        found.append(Finding(reader.name, node, "error", f"cannot read it: {why}{more}"))
        found += [
            Finding(each.name, node, "error", f"cannot read it, since it reads with {reader.name}")
            for each in DIALECTS.values()
            if each.reader is reader
        ]
    return found


def _about(kind: str, key: str, values: Floats) -> str | None:
    """The findings about one parameter."""
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    shown = f"{key} is {span(values, 6)}"
    if key in TAUS and low >= 1.0:
        return f"{shown}, which looks like ms or steps: most take it for s"
    if key in TAUS and high < 1e-4:
        return f"{shown} s, less than a usual step: was it written times one?"
    if key == "v_reset" and (low, high) != (0.0, 0.0):
        return f"{shown}: most reset to 0, whatever it is"
    if key == "v_leak" and (low, high) != (0.0, 0.0):
        return f"{shown}: some refuse it, and some ignore it"
    if key == "r" and kind not in {"IF", "I"} and (low, high) != (1.0, 1.0):
        return f"{shown}: it is ignored by some, and means 1/dt or τ/dt to others"
    if low != high and not np.allclose(values, low, rtol=1e-9, atol=0.0):
        return f"its neurons differ in {key}: some take the first for all"
    return None
