"""norse 1.1.0, with nirtorch 2.6: what it computes, read from its source and measured.

Ours is on the left: a, b, θ, and x in mV (``ring``). dt is in s.

    LIF      v ← v + (dt/τ) (v_leak − v + X),  v > v_threshold: v ← 0.  r is ignored
             τ = dt/(1 − a),  X = x/(1 − a)
    CubaLIF  i ← i + (dt/τ_syn) (v_leak − i + w_in X),
             v ← v + (dt/τ_mem) (v_leak − v + r i),  v > v_threshold: reset
             τ_syn = dt/(1 − b),  w_in = 1/(1 − b),  τ_mem = dt/(1 − a),  r = 1/(1 − a)

dt and, for CubaLIF alone, the reset are arguments: ``reset_value`` (to 0) or ``reset_subtract`` (of
v_threshold); v_reset is ignored. v and i start at v_leak.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from volr.backends.nir.dialects.dialect import Dialect, each_node, ignored, is_all, shown
from volr.backends.nir.dialects.nir_versions import NEWER
from volr.backends.nir.dialects.nirtorch import executed
from volr.backends.nir.dialects.ring_graph import (
    HAIR,
    around,
    cells_of,
    held_in_steps,
    wrong_in_steps,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.dialect import Held, Severity
    from volr.backends.nir.dialects.ring import Ring
    from volr.backends.nir.graph import Graph, Node

# What is subtracted is off by the hair that a threshold is lowered by, and adds up.
_THIN = 1.0 - 2.0**-22
_USUAL_DT = 1e-3


def _graph(ring: Ring, dt: float) -> Graph:
    gain = 1.0 / (1.0 - ring.a)
    if ring.b is None and ring.reset == "hard":
        theta = HAIR * ring.theta
        cells = cells_of("LIF", ring, tau=dt * gain, r=1.0, v_leak=0.0, v_threshold=theta)
        return around(cells, ring, scale=gain)
    # A current that is gone after one step is none: only CubaLIF is told how to reset.
    kept = 0.0 if ring.b is None else ring.b
    cells = cells_of(
        "CubaLIF",
        ring,
        tau_syn=dt / (1.0 - kept),
        tau_mem=dt * gain,
        r=gain,
        v_leak=0.0,
        v_threshold=(HAIR if ring.reset == "hard" else _THIN) * ring.theta,
        w_in=1.0 / (1.0 - kept),
    )
    return around(cells, ring)


def _held(graph: Graph, dt: float, reset: str, currents: bool) -> Held:
    held = held_in_steps(graph, dt, reset, currents, _THIN if reset == "subtract" else HAIR)
    is_lif = graph.nodes["cells"].kind == "LIF"
    return replace(held, scale=1.0 / (1.0 - held.a)) if is_lif else held


def _about(node: Node) -> Iterator[tuple[Severity, str]]:
    values = node.values
    if node.kind == "LIF":
        if not is_all(values["r"], 1.0):
            yield "warning", f"ignores {shown(node, 'r')}, which it takes to be 1"
        if values["v_leak"].any():
            yield "note", f"starts at {shown(node, 'v_leak')}"
    if node.kind == "IF":
        as_if = "adds its input once a step, whatever dt: as if r were 1/dt"
        yield "warning", f"ignores {shown(node, 'r')} and {as_if}"
    if node.kind == "CubaLIF" and values["v_leak"].any():
        yield "warning", "gives v_leak to the synaptic current as well"
    yield from ignored(node)
    for key in ("tau", "tau_syn", "tau_mem"):
        if key in values and (values[key] < _USUAL_DT).any():
            step = "the step of 0.001 s that it takes unless told (`dt=`)"
            yield "warning", f"{shown(node, key)} s is less than {step}: the membrane overshoots"


NORSE = Dialect(
    name="norse",
    version="1.1.0",
    install="norse",
    reader=NEWER,
    resets=("hard", "subtract"),
    call=(
        "import norse.torch",
        'reset = getattr(norse.torch.functional.reset, graph.metadata["volr.reset"])',
        'dt = float(graph.metadata["volr.dt"])',
        "net = norse.torch.from_nir(graph, reset_method=reset, dt=dt)",
    ),
    form=executed,
    kinds=frozenset(
        {"Input", "Output", "Affine", "Linear", "Conv2d", "Flatten", "SumPool2d"}
        | {"IF", "LIF", "CubaLIF"}
    ),
    rules=each_node(_about),
    graph=_graph,
    held=_held,
    wrong=partial(wrong_in_steps, takes_r=False),
)
