"""snnTorch 1.0.0, with nirtorch 2.6: what it computes, read from its source and measured.

Ours is on the left: a, b, θ, and x in mV (``ring``).

    LIF      v ← (1 − dt/τ) v + X,  v > v_threshold / (r dt/τ): v ← 0
             τ = dt/(1 − a),  r = τ/dt
    CubaLIF  i ← (1 − dt/τ_syn) i + X,  v ← (1 − dt/τ_mem) v + i,
             v > v_threshold / (w_in dt/τ_syn): v ← 0;  r must be τ_mem/dt
             τ_syn = dt/(1 − b),  w_in = τ_syn/dt,  τ_mem = dt/(1 − a)

dt is 1e-4 s, whatever the file means; v_leak must be 0, v_reset is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.dialects.dialect import Dialect, alike, ignored, is_all, shown, span
from volr.backends.nir.dialects.nir_versions import NEWER
from volr.backends.nir.dialects.nirtorch import TRACED, traced
from volr.backends.nir.dialects.ring_graph import around, held_in_steps, keeping, wrong_in_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.dialect import Answer, Severity
    from volr.backends.nir.graph import Graph, Node

_DT = 1e-4


def _rules(graph: Graph) -> Iterator[Answer]:
    for name, node in graph.nodes.items():
        for other in graph.after[name]:
            pair = node.kind in {"LIF", "CubaLIF"} and graph.nodes[other].kind in {
                "Affine",
                "Linear",
            }
            if pair and name in graph.after[other]:
                yield name, "error", f"fails on neurons that {other!r} leads back to at once"
        for severity, message in _about(node):
            yield name, severity, message


def _about(node: Node) -> Iterator[tuple[Severity, str]]:
    values = node.values
    if node.kind in {"LIF", "CubaLIF"}:
        tau = values["tau" if node.kind == "LIF" else "tau_mem"]
        beta = span(np.maximum(1.0 - _DT / tau, 0.0))
        yield "note", f"takes dt = {_DT:g} s, whatever the file means: beta = {beta}"
        if (tau < _DT).any():
            yield "warning", "has no memory where tau is below that, for beta is cut at 0"
        if not np.allclose(values["v_leak"], 0.0):
            yield "error", f"refuses {shown(node, 'v_leak')}: it must be 0"
    if node.kind in {"LIF", "IF"} and not alike(values["v_threshold"]):
        yield "error", "refuses neurons of different v_threshold"
    elif node.kind == "LIF" and not alike(values["r"] * _DT / values["tau"]):
        yield "warning", "scales all thresholds by the least r/tau of its neurons"
    if node.kind == "CubaLIF":
        if not np.allclose(values["r"], values["tau_mem"] / _DT):
            yield "error", f"refuses {shown(node, 'r')}: it must be tau_mem/{_DT:g}"
        if not alike(values["v_threshold"] / (values["w_in"] * _DT / values["tau_syn"])):
            yield "error", "refuses neurons of different v_threshold tau_syn / w_in"
    if node.kind == "IF":
        if not is_all(values["r"], 1.0):
            yield "error", f"refuses {shown(node, 'r')}: it must be 1"
        else:
            yield "error", "gives it a state that nirtorch passes on as if it were spikes"
    yield from ignored(node)


SNNTORCH = Dialect(
    name="snntorch",
    version="1.0.0",
    install="snntorch nir nirtorch",
    reader=NEWER,
    resets=("hard",),
    call=("from snntorch.import_nir import import_from_nir", "net = import_from_nir(graph)"),
    dt=_DT,
    form=traced,
    kinds=TRACED,
    rules=_rules,
    # A neuron and its weights alone, in a circle, are taken for a recurrent layer, and fail.
    graph=lambda ring, dt: around(keeping(ring, dt), ring, halves=True),
    held=held_in_steps,
    wrong=wrong_in_steps,
    paths=("input drive cells", "cells recurrent recurrent_rows cells", "cells select output"),
)
