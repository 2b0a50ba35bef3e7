"""SpikingJelly 2.0.0, with nirtorch 2.6: what it computes, read from its source and measured.

Ours is on the left: a, b, θ, and x in mV (``ring``). dt is in s.

    LIF      v ← v − (v − v_reset) dt/τ + X,  v ≥ v_threshold: v ← v_reset,
             where r is τ/dt (X is X dt/τ where r is 1); v_leak must be v_reset
             τ = dt/(1 − a)
    CubaLIF  i ← (1 − dt/τ_syn) i + X,  v ← (1 − dt/τ_mem) v + i,  v ≥ v_threshold: v ← v_reset;
             r must be τ_mem/dt, and w_in τ_syn/dt
             τ_syn = dt/(1 − b),  τ_mem = dt/(1 − a)

dt is an argument; all neurons of a node must be alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.dialects.dialect import Dialect, alike, shown, windows
from volr.backends.nir.dialects.nir_versions import NEWER
from volr.backends.nir.dialects.nirtorch import TRACED, traced
from volr.backends.nir.dialects.ring_graph import around, held_in_steps, keeping, wrong_in_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.dialect import Answer
    from volr.backends.nir.graph import Graph

_CLOSE = 1e-6
_USUAL_DT = 1e-3


def _rules(graph: Graph) -> Iterator[Answer]:
    # The dt with which it takes each node, 0 for none.
    steps: dict[str, float] = {}
    for name, node in graph.nodes.items():
        yield from ((name, *said) for said in windows(node))
        if node.kind in {"Conv1d", "Conv2d"} and (node.values["groups"] != 1.0).any():
            yield name, "error", f"refuses {shown(node, 'groups')}: it has no groups"
        if node.kind not in {"IF", "LIF", "CubaLIF"}:
            continue
        if unlike := [key for key, each in node.values.items() if not alike(each)]:
            yield name, "error", f"refuses neurons of different {', '.join(unlike)}"
            continue
        one = {key: float(each.flat[0]) for key, each in node.values.items()}
        r, leak = one["r"], one.get("v_leak", 0.0)
        if node.kind == "IF":
            steps[name] = _ratio(1.0, r)
        elif node.kind == "LIF":
            if not np.isclose(leak, one["v_reset"], rtol=_CLOSE, atol=1e-12):
                both = f"v_leak = {leak:g} with v_reset = {one['v_reset']:g}"
                yield name, "error", f"refuses {both}: they must be equal"
            if not np.isclose(r, 1.0, rtol=_CLOSE):
                steps[name] = one["tau"] / r if r > 1.0 else 0.0
            elif one["tau"] <= _USUAL_DT:
                yield name, "note", f"takes it with a `dt` below {one['tau']:g} alone"
        else:
            steps[name] = _ratio(one["tau_mem"], r)
            synaptic = _ratio(one["tau_syn"], one["w_in"])
            if not np.isclose(synaptic, steps[name], rtol=_CLOSE, atol=0.0):
                yield name, "error", "refuses what is not r = tau_mem/dt and w_in = tau_syn/dt"
            if leak != 0.0:
                yield name, "error", f"refuses v_leak = {leak:g}: it must be 0"
    for name, dt in steps.items():
        if dt <= 0.0:
            yield name, "error", "refuses its r for any dt"
        elif not np.isclose(dt, next(iter(steps.values())), rtol=_CLOSE, atol=0.0):
            yield name, "error", f"takes it with dt = {dt:g} s alone, and others with another"
        else:
            yield name, "note", f"takes it with `dt={dt:g}` alone, which is 0.0001 unless told"


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0.0 else 0.0


SPIKINGJELLY = Dialect(
    name="spikingjelly",
    version="2.0.0",
    install="'spikingjelly[nir]'",
    reader=NEWER,
    resets=("hard",),
    call=(
        "from spikingjelly.activation_based.nir_exchange import import_from_nir",
        'net = import_from_nir(graph, dt=float(graph.metadata["volr.dt"]))',
    ),
    form=traced,
    kinds=TRACED,
    rules=_rules,
    graph=lambda ring, dt: around(keeping(ring, dt), ring),
    held=held_in_steps,
    wrong=wrong_in_steps,
)
