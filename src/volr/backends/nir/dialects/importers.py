"""How each importer says a ring: the nodes from which its own update is the ring's, exactly.

Read from their source, and measured. Ours is on the left: a, b, θ, and x in mV. ``dt`` is in s.

norse          LIF:      v ← v + (dt/τ) (v_leak − v + X),  v > v_threshold: v ← 0.  r is ignored
                         τ = dt/(1 − a),  X = x/(1 − a)
               CubaLIF:  i ← i + (dt/τ_syn) (v_leak − i + w_in X),
                         v ← v + (dt/τ_mem) (v_leak − v + r i),  v > v_threshold: reset
                         τ_syn = dt/(1 − b),  w_in = 1/(1 − b),  τ_mem = dt/(1 − a),  r = 1/(1 − a)
               dt and, for CubaLIF alone, the reset are arguments: ``reset_value`` (to 0) or
               ``reset_subtract`` (of v_threshold); v_reset is ignored. v and i start at v_leak
snntorch       LIF:      v ← (1 − dt/τ) v + X,  v > v_threshold / (r dt/τ): v ← 0
                         τ = dt/(1 − a),  r = τ/dt
               CubaLIF:  i ← (1 − dt/τ_syn) i + X,  v ← (1 − dt/τ_mem) v + i,
                         v > v_threshold / (w_in dt/τ_syn): v ← 0;  r must be τ_mem/dt
                         τ_syn = dt/(1 − b),  w_in = τ_syn/dt,  τ_mem = dt/(1 − a)
               dt is 1e-4, whatever the file means; v_leak must be 0, v_reset is ignored
spikingjelly   LIF:      v ← v − (v − v_reset) dt/τ + X,  v ≥ v_threshold: v ← v_reset,
                         where r is τ/dt (X is X dt/τ where r is 1); v_leak must be v_reset
               CubaLIF:  as snntorch's, but v ≥ v_threshold: v ← v_reset, and w_in must be τ_syn/dt
               dt is an argument; all neurons of a node must be alike
sinabs         LIF:      v ← e^(−1/τ) v + X,  v ≥ v_threshold: ⌊v / v_threshold⌋ spikes, each of
                         which subtracts v_threshold
               LI:       i ← e^(−1/τ) i + X
               τ is in steps; r of LIF and v_reset are ignored, v_leak must be 0. No CubaLIF, no
               Linear

All of them compute in single precision. Three of them run nodes in an order of their own, of which
only this is asked: what leads back to ``cells`` is a step late.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import elsewhere, otherwise
from volr.backends.nir.graph import Graph, Node
from volr.backends.readback import uniform
from volr.errors import UnsupportedError

if TYPE_CHECKING:
    from volr.backends.nir.dialects.ring import Ring
    from volr.checks.arrays import Floats

MOST_SPIKES = 2**17
"""How many spikes in a step single precision tells from one more or less."""

SNNTORCH_DT = 1e-4
"""The time step, s, that snnTorch's importer takes."""

# Single precision puts a membrane that just reaches its threshold on either side of it. What is
# subtracted is off by as much in norse, and adds up; in sinabs it is made good, but more is summed.
HAIR = 1.0 - 2.0**-20
THIN = 1.0 - 2.0**-22
WIDE = 1.0 - 2.0**-19


def norse(ring: Ring, dt: float) -> Graph:
    """``dt`` in s, with which the file has to be imported."""
    gain = 1.0 / (1.0 - ring.a)
    if ring.b is None and ring.reset == "hard":
        cells = _node("LIF", ring, tau=dt * gain, r=1.0, v_leak=0.0, v_threshold=HAIR * ring.theta)
        return _graph(cells, ring, scale=gain)
    # A current that is gone after one step is none: only CubaLIF is told how to reset.
    kept = 0.0 if ring.b is None else ring.b
    hair = HAIR if ring.reset == "hard" else THIN
    cells = _node(
        "CubaLIF",
        ring,
        tau_syn=dt / (1.0 - kept),
        tau_mem=dt * gain,
        r=gain,
        v_leak=0.0,
        v_threshold=hair * ring.theta,
        w_in=1.0 / (1.0 - kept),
    )
    return _graph(cells, ring)


def snntorch(ring: Ring, dt: float) -> Graph:
    """``dt`` is of no use here: snnTorch has its own."""
    del dt
    # A neuron and its weights alone, in a circle, are taken for a recurrent layer, and fail.
    return _graph(_decaying(ring, SNNTORCH_DT), ring, halves=True)


def spikingjelly(ring: Ring, dt: float) -> Graph:
    """``dt`` in s, with which the file has to be imported."""
    return _graph(_decaying(ring, dt), ring)


def sinabs(ring: Ring, dt: float) -> Graph:
    """``dt`` is of no use here: sinabs counts in steps.

    A neuron spikes n times in a step where it should once. ``gates`` make one of n, in the same
    step: they forget at once, get n + K − ½ and spike once for every K, with K no less than any n.
    In the next step the neuron gets a θ back for each spike but the one. Raises
    ``UnsupportedError`` where K is too large for single precision.
    """
    del dt
    most = _most_spikes(ring)
    if most.max() > MOST_SPIKES:
        raise UnsupportedError(
            f"nir for sinabs cannot say this model: a neuron might reach {most.max():,.0f} times "
            "its threshold, and spike as often in one step, which single precision cannot tell",
            help=f"{elsewhere('norse', verb='write it for')}; "
            + otherwise("smaller weights", "a shorter tau_m"),
        )
    theta = WIDE * ring.theta
    one = np.eye(ring.units)
    cells = _node("LIF", ring, tau=_steps(ring.a), r=1.0, v_leak=0.0, v_threshold=theta)
    gates = _node("LIF", ring, tau=_steps(0.0), r=1.0, v_leak=0.0, v_threshold=1.0)
    nodes = {
        "input": _end("Input", ring.into.shape[1]),
        "drive": _affine(ring.into, ring.bias),
        "cells": cells,
        "refund": _affine(ring.a * theta * one),
        "count": _affine(one / most[:, None], 1.0 - 0.5 / most),
        "gates": gates,
        "recurrent": _affine(ring.recurrent),
        "charge": _affine(-ring.a * ring.theta * one),
        "select": _affine(ring.select),
        "output": _end("Output", len(ring.select)),
    }
    first = "cells"
    if ring.b is not None:
        first = "currents"
        nodes[first] = _node("LI", ring, tau=_steps(ring.b), r=1.0, v_leak=0.0)
    edges = [("input", "drive"), ("drive", first)]
    edges += [("currents", "cells")] if ring.b is not None else []
    edges += [("cells", "refund"), ("refund", "cells"), ("cells", "count"), ("count", "gates")]
    edges += [("gates", "recurrent"), ("recurrent", first), ("gates", "charge")]
    edges += [("charge", "cells"), ("gates", "select"), ("select", "output")]
    return Graph(nodes, tuple(edges))


def held(
    graph: Graph, dialect: str, dt: float, reset: str, *, currents: bool
) -> tuple[float, float | None, float, float]:
    """What the cells of a dialect's graph hold: a, b, θ, and the unit of weights, 1/``scale`` mV.

    ``currents`` says whether currents decay, where CubaLIF alone does not. Raises ``LookupError``
    where the graph is no such one. What differs between neurons is NaN.
    """
    cells = graph.nodes["cells"]
    values = {key: uniform(each) for key, each in cells.values.items()}
    dt = SNNTORCH_DT if dialect == "snntorch" else dt
    hair = WIDE if dialect == "sinabs" else HAIR
    if dialect == "norse" and reset == "subtract":
        hair = THIN
    theta = values["v_threshold"] / hair
    if dialect == "sinabs":
        b = np.exp(-1.0 / uniform(graph.nodes["currents"].values["tau"])) if currents else None
        return float(np.exp(-1.0 / values["tau"])), b, theta, 1.0
    a = 1.0 - dt / values["tau" if cells.kind == "LIF" else "tau_mem"]
    b = 1.0 - dt / values["tau_syn"] if currents else None
    return a, b, theta, 1.0 / (1.0 - a) if dialect == "norse" and cells.kind == "LIF" else 1.0


def _most_spikes(ring: Ring) -> Floats:
    """No u ever reaches this many θ, and one more: what arrives if all units always spike."""
    arriving = np.maximum(ring.into, 0.0).sum(axis=1) + np.maximum(ring.bias, 0.0)
    arriving += np.maximum(ring.recurrent, 0.0).sum(axis=1)
    kept = (1.0 - ring.a) * (1.0 if ring.b is None else 1.0 - ring.b)
    return np.ceil(arriving / kept / (WIDE * ring.theta)) + 1.0


def _decaying(ring: Ring, dt: float) -> Node:
    """Neurons that keep 1 − dt/τ of what they have, and add what they get as it is."""
    mem = dt / (1.0 - ring.a)
    if ring.b is None:
        return _node("LIF", ring, tau=mem, r=mem / dt, v_leak=0.0, v_threshold=HAIR * ring.theta)
    syn = dt / (1.0 - ring.b)
    return _node(
        "CubaLIF",
        ring,
        tau_syn=syn,
        tau_mem=mem,
        r=mem / dt,
        v_leak=0.0,
        v_threshold=HAIR * ring.theta,
        w_in=syn / dt,
    )


def _steps(decay: float) -> float:
    """The τ, in steps, that has this decay; one that has none where there is none."""
    return -1.0 / np.log(decay) if decay > 0.0 else 1e-3


def _node(kind: str, ring: Ring, **values: float) -> Node:
    return Node(kind, {name: np.full(ring.units, value) for name, value in values.items()})


def _end(kind: str, size: int) -> Node:
    return Node(kind, {"shape": np.array([float(size)])})


def _affine(weight: Floats, bias: Floats | None = None) -> Node:
    return Node(
        "Affine", {"weight": weight, "bias": np.zeros(len(weight)) if bias is None else bias}
    )


def _graph(cells: Node, ring: Ring, *, scale: float = 1.0, halves: bool = False) -> Graph:
    """The ring around ``cells``; weights are in units of 1/``scale`` mV.

    ``halves`` writes the recurrent weights as two nodes.
    """
    recurrent = scale * ring.recurrent
    nodes = {
        "input": _end("Input", ring.into.shape[1]),
        "drive": _affine(scale * ring.into, scale * ring.bias),
        "cells": cells,
    }
    back = ["recurrent"]
    if halves:
        reached = np.flatnonzero(recurrent.any(axis=1))
        spread = np.zeros((ring.units, len(reached)))
        spread[reached, np.arange(len(reached))] = 1.0
        nodes["recurrent"] = Node("Linear", {"weight": recurrent[reached]})
        nodes["recurrent_rows"] = Node("Linear", {"weight": spread})
        back.append("recurrent_rows")
    else:
        nodes["recurrent"] = Node("Linear", {"weight": recurrent})
    nodes["select"] = Node("Linear", {"weight": ring.select})
    nodes["output"] = _end("Output", len(ring.select))
    # In this order: norse hands out what the last node gave that it came to.
    circle = ["cells", *back, "cells"]
    edges = [("input", "drive"), ("drive", "cells"), *itertools.pairwise(circle)]
    return Graph(nodes, (*edges, ("cells", "select"), ("select", "output")))
