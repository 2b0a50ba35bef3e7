"""sinabs 3.1.3, with nir 1.0.4 and nirtorch 2.0.2: what it computes, from its source and measured.

Ours is on the left: a, b, θ, and x in mV (``ring``).

    LIF  v ← e^(−1/τ) v + X,  v ≥ v_threshold: ⌊v / v_threshold⌋ spikes, each of which subtracts
         v_threshold
    LI   i ← e^(−1/τ) i + X

τ is in steps; r of LIF and v_reset are ignored, v_leak must be 0. No CubaLIF, no Linear.

A neuron spikes n times in a step where it should once. ``gates`` make one of n, in the same step:
they forget at once, get n + K − ½ and spike once for every K, with K no less than any n. In the
next step the neuron gets a θ back for each spike but the one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.dialects.dialect import (
    Dialect,
    Held,
    each_node,
    groups,
    is_all,
    shown,
    span,
    windows,
)
from volr.backends.nir.dialects.nir_versions import OLDER, shapes
from volr.backends.nir.dialects.nirtorch import executed
from volr.backends.nir.dialects.ring_graph import ROUNDING, affine, cells_of, port
from volr.backends.nir.graph import Graph
from volr.backends.readback import uniform
from volr.backends.refusals import otherwise, written_for
from volr.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.dialect import Answer, Severity
    from volr.backends.nir.dialects.ring import Ring
    from volr.backends.nir.graph import Node
    from volr.checks.arrays import Floats

# The hair that a threshold is lowered by is made good, but more is summed than elsewhere.
_WIDE = 1.0 - 2.0**-19
_MOST_SPIKES = 2**17
"""How many spikes in a step single precision tells from one more or less."""


def _graph(ring: Ring, dt: float) -> Graph:
    del dt
    theta = _WIDE * ring.theta
    # No u ever reaches this many θ: it is the sum if all units always spike, and one more.
    arriving = np.maximum(ring.into, 0.0).sum(axis=1) + np.maximum(ring.bias, 0.0)
    arriving += np.maximum(ring.recurrent, 0.0).sum(axis=1)
    kept = (1.0 - ring.a) * (1.0 if ring.b is None else 1.0 - ring.b)
    most = np.ceil(arriving / kept / theta) + 1.0
    if most.max() > _MOST_SPIKES:
        raise UnsupportedError(
            f"nir for sinabs cannot express this model: a neuron might reach "
            f"{most.max():,.0f} times its threshold, and spike as often in one step, which single "
            "precision cannot tell",
            help=f"{written_for('nir.norse')}; " + otherwise("smaller weights", "a shorter tau_m"),
        )
    one = np.eye(ring.units)
    cells = cells_of("LIF", ring, tau=_steps(ring.a), r=1.0, v_leak=0.0, v_threshold=theta)
    gates = cells_of("LIF", ring, tau=_steps(0.0), r=1.0, v_leak=0.0, v_threshold=1.0)
    nodes = {
        "input": port("Input", ring.into.shape[1]),
        "drive": affine(ring.into, ring.bias),
        "cells": cells,
        "refund": affine(ring.a * theta * one),
        "count": affine(one / most[:, None], 1.0 - 0.5 / most),
        "gates": gates,
        "recurrent": affine(ring.recurrent),
        "charge": affine(-ring.a * ring.theta * one),
        "select": affine(ring.select),
        "output": port("Output", len(ring.select)),
    }
    first, edges = "cells", list[tuple[str, str]]()
    if ring.b is not None:
        first, edges = "currents", [("currents", "cells")]
        nodes[first] = cells_of("LI", ring, tau=_steps(ring.b), r=1.0, v_leak=0.0)
    edges = [("input", "drive"), ("drive", first), *edges]
    edges += [("cells", "refund"), ("refund", "cells"), ("cells", "count"), ("count", "gates")]
    edges += [("gates", "recurrent"), ("recurrent", first), ("gates", "charge")]
    edges += [("charge", "cells"), ("gates", "select"), ("select", "output")]
    return Graph(nodes, tuple(edges))


def _steps(decay: float) -> float:
    """The τ, in steps, with this decay; a very short one for the decay 0."""
    return -1.0 / np.log(decay) if decay > 0.0 else 1e-3


def _held(graph: Graph, dt: float, reset: str, currents: bool) -> Held:
    del dt, reset
    cells = {key: uniform(each) for key, each in graph.nodes["cells"].values.items()}
    theta = cells["v_threshold"] / _WIDE
    b = np.exp(-1.0 / uniform(graph.nodes["currents"].values["tau"])) if currents else None
    return Held(float(np.exp(-1.0 / cells["tau"])), b, theta)


def _wrong(graph: Graph, dt: float, held: Held) -> Iterator[str]:
    """n spikes of a cell make one of its gate, and n − 1 thresholds are given back."""
    del dt
    nodes, a, b = graph.nodes, held.a, held.b
    gates = {name: uniform(each) for name, each in nodes["gates"].values.items()}
    if (gates["v_leak"], gates["v_threshold"]) != (0.0, 1.0) or not gates["tau"] <= 0.01:
        yield "the gates do not forget at once, at a threshold of 1"
    if (b is not None) != ("currents" in nodes):
        yield "the currents that decay are missing, or too many"
    elif b is not None and uniform(nodes["currents"].values["v_leak"]) != 0.0:
        yield "v_leak of the currents is not 0"
    own = uniform(nodes["cells"].values["v_threshold"])
    for name, wanted in (("refund", a * own), ("charge", -a * held.theta)):
        weight, bias = (nodes[name].values[key] for key in ("weight", "bias"))
        off = np.abs(weight - wanted * np.eye(len(weight))) > ROUNDING * abs(wanted)
        if off.any() or bias.any():
            yield f"{name} does not give each cell {wanted:g} mV a spike, and nothing else"
    weight, bias = (nodes["count"].values[key] for key in ("weight", "bias"))
    share = weight.diagonal()
    if (weight != np.diag(share)).any() or not (share > 0.0).all():
        yield "count leads from a cell to another one's gate"
    elif (np.abs(bias - (1.0 - 0.5 * share)) > 0.25 * share).any():
        yield "count lets a gate spike without its cell, or not at one spike of it"
    elif (share * _most(graph, held) > 1.0 + ROUNDING).any():
        yield "count lets a gate spike twice where its cell spikes often"


def _most(graph: Graph, held: Held) -> Floats:
    """A number of spikes that a cell never exceeds in one step, even if all units always spike."""
    drive, recurrent = graph.nodes["drive"].values, graph.nodes["recurrent"].values["weight"]
    parts = (drive["weight"], recurrent, drive["bias"][:, None])
    arriving = sum((np.maximum(each, 0.0).sum(axis=1) for each in parts), np.zeros(len(recurrent)))
    own = uniform(graph.nodes["cells"].values["v_threshold"])
    return arriving / ((1.0 - held.a) * (1.0 - (held.b or 0.0))) / own


def _rules(graph: Graph) -> Iterator[Answer]:
    takes, gives = shapes(graph)
    for before, name in graph.edges:
        given, node = gives[before], graph.nodes[name]
        taken = takes[name]
        if node.kind == "Conv2d" and given and taken and given[0] != taken[0]:
            yield name, "error", f"fails on what {before!r} gives: {given[0]} channels"
        if node.kind == "Affine" and given and given[-1] != node.values["weight"].shape[-1]:
            yield name, "error", f"fails on what {before!r} gives: {given[-1]} values"
        if node.kind == "Flatten" and given and "start_dim" in node.values:
            start = int(node.values["start_dim"])
            if start >= len(given):
                yield name, "error", f"counts start_dim = {start} without the batch, and fails"
    yield from each_node(_about)(graph)


def _about(node: Node) -> Iterator[tuple[Severity, str]]:
    values = node.values
    yield from (*windows(node), *groups(node))
    if node.kind == "Conv1d":
        yield "error", "fails on every Conv1d"
    if node.kind == "Affine" and values["weight"].ndim > 2:
        yield "error", f"fails on a weight of {values['weight'].ndim} axes"
    if node.kind in {"LIF", "LI"}:
        if values["r"].ndim != 1:
            yield "error", "fails on parameters that are not one number for each neuron"
            return
        if values["v_leak"].any():
            yield "error", f"refuses {shown(node, 'v_leak')}: it must be 0"
        if (values["tau"] < 1.0).any():
            kept = span(np.exp(-1.0 / values["tau"]))
            forgets = f"it forgets all but {kept} in each"
            yield "warning", f"takes {shown(node, 'tau')} for steps: {forgets}"
    if node.kind == "LI" and not is_all(values["r"], 1.0):
        yield "error", f"refuses {shown(node, 'r')}: it must be 1"
    if node.kind == "LIF":
        gain = -1.0 / np.expm1(-1.0 / values["tau"])
        if not np.allclose(values["r"], gain, rtol=1e-3):
            as_if = f"adds its input as it is: as if r were {span(gain)}"
            yield "warning", f"ignores {shown(node, 'r')} and {as_if}"
    if node.kind == "IF":
        yield "warning", f"ignores {shown(node, 'r')} and adds its input as it is"
        yield "warning", "keeps the membrane above −v_threshold"
    if node.kind in {"LIF", "IF"}:
        often = "spikes as often in a step as it can"
        yield "warning", f"subtracts v_threshold at a spike, and {often}"


SINABS = Dialect(
    name="sinabs",
    version="3.1.3",
    install="sinabs",
    reader=OLDER,
    resets=("subtract",),
    call=(
        "from sinabs.nir import from_nir",
        "net = from_nir(graph, batch_size=frames.shape[1], num_timesteps=1)",
    ),
    form=executed,
    kinds=frozenset(
        {"Input", "Output", "Affine", "Conv1d", "Conv2d", "Flatten", "SumPool2d"}
        | {"LI", "IF", "LIF"}
    ),
    rules=_rules,
    graph=_graph,
    held=_held,
    wrong=_wrong,
    paths=(
        "input drive currents cells",
        "cells refund cells",
        "cells count gates recurrent currents cells",
        "gates charge cells",
        "gates select output",
    ),
)
