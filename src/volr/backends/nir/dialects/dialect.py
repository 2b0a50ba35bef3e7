"""What Volr knows of an importer of NIR: the record that each file of this folder fills in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.backends.nir.dialects.nir_versions import Reader
    from volr.backends.nir.dialects.ring import Ring
    from volr.backends.nir.graph import Graph, Node
    from volr.checks.arrays import Floats
    from volr.neurons import Reset

Severity: TypeAlias = Literal["error", "warning", "note"]
"""``error``: the importer refuses the file or crashes. ``warning``: it reads it as another
network, silently. ``note``: worth knowing, and nothing is lost."""

Answer: TypeAlias = tuple[str, Severity, str]
"""What an importer makes of a node: the node's name, empty for the whole file, and a sentence."""


@dataclass(frozen=True)
class Held:
    """What the cells of a dialect's graph hold: decays a and b, θ in mV, and the unit of weights,
    1/``scale`` mV. ``b`` is None where currents do not decay. What differs among neurons is NaN."""

    a: float
    b: float | None
    theta: float
    scale: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One importer.

    ``version``  which was measured, ``install`` is how pip gets it
    ``reader``   the version of nir that it reads with
    ``resets``   those that it has
    ``call``     Python lines that make a ``net`` of a ``graph``
    ``dt``       the step, s, that it takes whatever the file means; None where it takes any
    ``form``     what nirtorch, with which it reads, makes of a graph (``nirtorch``)
    ``kinds``    the node types that it has
    ``rules``    what it makes of the nodes of any graph, for ``lint``
    ``graph``    a ring in its words, with a step in s. The importer's own update is the ring's
    ``held``     what such a graph holds, with the step and the reset, and whether currents decay.
                 Raises ``LookupError`` where it is none
    ``wrong``    what of its nodes is not as the ring has it, in words
    ``paths``    the ways through such a graph; ``currents`` are there only where currents decay
    """

    name: str
    version: str
    install: str
    reader: Reader
    resets: tuple[Reset, ...]
    call: tuple[str, ...]
    dt: float | None = None
    form: Callable[[Graph, frozenset[str]], Iterator[Answer]]
    kinds: frozenset[str]
    rules: Callable[[Graph], Iterator[Answer]]
    graph: Callable[[Ring, float], Graph]
    held: Callable[[Graph, float, str, bool], Held]
    wrong: Callable[[Graph, float, Held], Iterator[str]]
    paths: tuple[str, ...] = ("input drive cells", "cells recurrent cells", "cells select output")


def each_node(
    about: Callable[[Node], Iterator[tuple[Severity, str]]],
) -> Callable[[Graph], Iterator[Answer]]:
    """What is said about each node, with its name."""
    return lambda graph: (
        (name, *said) for name, node in graph.nodes.items() for said in about(node)
    )


def ignored(node: Node) -> Iterator[tuple[Severity, str]]:
    """What norse and snnTorch say nothing of: they reset to 0, and flatten batches."""
    if "v_reset" in node.values and node.values["v_reset"].any():
        yield "warning", f"ignores {shown(node, 'v_reset')}: it resets to 0"
    if node.kind == "Flatten" and float(node.values.get("start_dim", 1.0)) == 0.0:
        axes = node.values["input_type"].size if "input_type" in node.values else 0
        mend = f"; start_dim = -{axes} is right for all" if axes else ""
        yield "error", f"counts start_dim = 0 with the batch, which it flattens away{mend}"
    yield from windows(node)
    yield from groups(node)


def windows(node: Node) -> Iterator[tuple[Severity, str]]:
    """What all importers make of the paddings of pools: they hand them to PyTorch, or to nobody."""
    if node.kind in {"SumPool2d", "AvgPool2d"} and node.values["padding"].any():
        padding = [int(each) for each in node.values["padding"].ravel()]
        if node.kind == "SumPool2d":
            yield "warning", f"leaves out its padding, {padding}: its maps are smaller"
        else:
            yield "note", f"counts its padding, {padding}, in its means"


def groups(node: Node) -> Iterator[tuple[Severity, str]]:
    """What norse, snnTorch and sinabs make of groups: they take one group's channels for all."""
    if node.kind in {"Conv1d", "Conv2d"} and "groups" in node.values:
        count, channels = float(node.values["groups"].flat[0]), node.values["weight"].shape[1]
        if count > 0 and channels % count:
            yield "error", f"fails on {count:g} groups of {channels} channels each"


def is_all(values: Floats, value: float) -> bool:
    """Whether all of them are this number, but for rounding."""
    return bool(np.allclose(values, value, rtol=1e-6, atol=0.0))


def alike(values: Floats) -> bool:
    """Whether all are the same, for an importer that asks so: to the last digit."""
    return np.unique(values).size <= 1


def shown(node: Node, key: str) -> str:
    """A parameter of a node and its range."""
    return f"{key} = {span(node.values[key])}"


def span(values: Floats, digits: int = 4) -> str:
    """The range of some numbers."""
    low, high = (f"{float(each):.{digits}g}" for each in (values.min(), values.max()))
    return low if values.min() == values.max() else f"{low} to {high}"
