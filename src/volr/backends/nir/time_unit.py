"""The unit of time and the time step: NIR states neither, so they are given or inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from volr.backends.nir.primitives import DELAY, TAUS
from volr.backends.nir.spiking_nodes import Steps
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from volr.backends.nir.graph import Graph
    from volr.backends.nir.spiking_nodes import Signal
    from volr.checks.arrays import Floats

TimeUnit: TypeAlias = Literal["s", "ms"]

DEFAULT_DT = 1.0
# Steps, ms, that exporters fold into r = τ / dt: snnTorch's, and the usual one.
_FOLDED = (0.1, 1.0)


def steps_of(
    graph: Graph, time_unit: TimeUnit | None, dt: float | None, signal: Signal
) -> tuple[Steps, list[str]]:
    """The unit of time and the step, as given, or else as the graph lets one guess; and why.

    Time constants and delays below 1 are taken for seconds, of 1 and above for milliseconds (or
    steps of one); ``ModelFileError`` where some are below and others above.
    """
    notes: list[str] = []
    unit = time_unit
    if unit is None:
        unit, why = _unit(graph)
        notes.append(why)
    second = 1000.0 if unit == "s" else 1.0
    if dt is None:
        dt, why = _step(graph, second, signal)
        notes.append(why)
    return Steps(signal, dt, second), notes


def _unit(graph: Graph) -> tuple[TimeUnit, str]:
    times: list[float] = []
    what = "time constants"
    for node in graph.nodes.values():
        for key, values in node.values.items():
            if key in TAUS and values.size:
                times += [float(values.min()), float(values.max())]
            # A delay of 0 is one in any unit.
            elif key == DELAY and values.any():
                what = "time constants and delays"
                times += [float(values[values != 0.0].min()), float(values.max())]
    if not times:
        return "s", "no time constant tells the unit of time: seconds are assumed"
    low, high = min(times), max(times)
    if high < 1.0:
        return "s", f"{what} are taken for seconds, the largest being {high:g}"
    if low >= 1.0:
        return "ms", f"{what} are taken for milliseconds, the smallest being {low:g}"
    raise ModelFileError(
        f"the unit of time is not clear: {what} range from {low:g} to {high:g}",
        help="say which it is: time_unit='s' or time_unit='ms'",
    )


def _step(graph: Graph, second: float, signal: Signal) -> tuple[float, str]:
    found = stated_step(graph)
    if found is not None:
        return found * second, f"the step is the file's own, {found * second:g} ms"
    folded = _folded_step(graph, second)
    if folded is not None and signal == "euler":
        return folded, f"the step is {folded:g} ms: everywhere r is the time constant over that"
    return DEFAULT_DT, f"the file states no step: {DEFAULT_DT:g} ms is assumed"


def stated_step(graph: Graph) -> float | None:
    """The step that the metadata name, in the file's unit of time."""
    for each in (graph, *graph.nodes.values()):
        try:
            value = float(each.metadata.get("dt", ""))
        except ValueError:
            continue
        if 0 < value < float("inf"):
            return value
    return None


def _folded_step(graph: Graph, second: float) -> float | None:
    """The usual step, ms, such that r of every neuron is its time constant over it, if any."""
    steps: list[Floats] = []
    for node in graph.nodes.values():
        tau, r = node.values.get("tau", node.values.get("tau_mem")), node.values.get("r")
        if tau is None or r is None or tau.size != r.size or not (r.ravel() > 0).all():
            continue
        if (r == 1.0).all():
            return None
        steps.append(second * tau.ravel() / r.ravel())
    if not steps:
        return None
    each = np.concatenate(steps)
    # Single precision, in which τ and r were computed.
    return next((dt for dt in _FOLDED if np.allclose(each, dt, rtol=1e-4, atol=0.0)), None)
