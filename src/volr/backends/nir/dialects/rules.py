"""What each importer will make of any NIR file: one function for each, of findings.

    norse         1.1.0 with nirtorch 2.6, and the reset and dt that it has unless told
    snntorch      1.0.0 with nirtorch 2.6
    spikingjelly  2.0.0 with nirtorch 2.6
    sinabs        3.1.3 with nir 1.0.4 and nirtorch 2.0.2

Read from their source, and measured on small files; the updates are in ``importers``. A file with
an ``error`` was refused, or ran into an exception.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.dialects.importers import SNNTORCH_DT
from volr.backends.nir.dialects.nir_versions import READERS, is_even, shapes
from volr.backends.nir.dialects.nirtorch import executed, traced
from volr.backends.nir.lint import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.dialects.nirtorch import Said
    from volr.backends.nir.graph import Graph
    from volr.checks.arrays import Floats

DIALECT = "volr.dialect"
"""Where a file's metadata says for whom it was written."""

_ENDS = frozenset({"Input", "Output"})
_WEIGHTS = frozenset({"Affine", "Linear"})
_NEURONS = frozenset({"IF", "LIF", "CubaLIF"})
_TRACED = frozenset({"Conv1d", "Conv2d", "Flatten", "AvgPool2d", "SumPool2d"})
_KNOWN = {
    "norse": _ENDS | _WEIGHTS | _NEURONS | {"Conv2d", "Flatten", "SumPool2d"},
    "snntorch": _ENDS | _WEIGHTS | _TRACED | _NEURONS,
    "spikingjelly": _ENDS | _WEIGHTS | _TRACED | _NEURONS,
    "sinabs": _ENDS | {"Affine", "Conv1d", "Conv2d", "Flatten", "LI", "IF", "LIF", "SumPool2d"},
}
_CLOSE = 1e-6
_USUAL = 1e-3
"""A time step, s, that nobody thinks about."""


def lint(graph: Graph) -> list[Finding]:
    """What all known importers make of a graph."""
    rules = {"norse": _norse, "snntorch": _snntorch, "spikingjelly": _spikingjelly}
    rules["sinabs"] = _sinabs
    meant = graph.metadata.get(DIALECT)
    found = unreadable(graph)
    # Nobody reads the other nodes, so there is nothing more to say of them.
    even = {name: node for name, node in graph.nodes.items() if is_even(node)}
    edges = tuple(edge for edge in graph.edges if set(edge) <= set(even))
    graph = replace(graph, nodes=even, edges=edges)
    for importer, rule in rules.items():
        if importer == meant:
            message = "the file was written for it, and `volr.backends.nir.dialects` says how"
            found.append(Finding(importer, "", "note", message))
            continue
        if meant in rules:
            message = f"the file was written for {meant} alone, and is another network here"
            found.append(Finding(importer, "", "warning", message))
        with np.errstate(all="ignore"):
            found += [Finding(importer, *said) for said in rule(graph)]
    return found


def unreadable(graph: Graph) -> list[Finding]:
    """Which versions of nir cannot read a file at all, and which importers read with them."""
    found: list[Finding] = []
    for reader in READERS:
        if not (problems := reader.problems(graph)):
            continue
        node, why = problems[0]
        more = f"; and {len(problems) - 1:,} more" if len(problems) > 1 else ""
        found.append(Finding(reader.name, node, "error", f"cannot read it: {why}{more}"))
        found += [
            Finding(each, node, "error", f"cannot read it, since it reads with {reader.name}")
            for each in reader.importers
        ]
    return found


def _norse(graph: Graph) -> Iterator[Said]:
    yield from executed(graph, _KNOWN["norse"])
    for name, node in graph.nodes.items():
        values = node.values
        if node.kind == "LIF":
            if not _all(values["r"], 1.0):
                yield name, "warning", f"ignores r = {_shown(values['r'])}, which it takes to be 1"
            if values["v_leak"].any():
                yield name, "note", f"starts at v_leak = {_shown(values['v_leak'])}"
        if node.kind == "IF":
            yield (
                name,
                "warning",
                (
                    f"ignores r = {_shown(values['r'])} and adds its input once a step, whatever "
                    "dt: as if r were 1/dt"
                ),
            )
        if node.kind == "CubaLIF" and values["v_leak"].any():
            yield name, "warning", "gives v_leak to the synaptic current as well"
        if node.kind in _NEURONS and "v_reset" in values and values["v_reset"].any():
            yield name, "warning", f"ignores v_reset = {_shown(values['v_reset'])}: it resets to 0"
        yield from _flatten_of_batch(name, node.kind, values.get("start_dim"))
        for key in ("tau", "tau_syn", "tau_mem"):
            if key in values and (values[key] < _USUAL).any():
                yield (
                    name,
                    "warning",
                    (
                        f"{key} = {_shown(values[key])} s is less than the step of 0.001 s that it "
                        "takes unless told (`dt=`): the membrane overshoots"
                    ),
                )


def _snntorch(graph: Graph) -> Iterator[Said]:
    yield from traced(graph, _KNOWN["snntorch"])
    dt = SNNTORCH_DT
    for name, node in graph.nodes.items():
        values = node.values
        for other in graph.after[name]:
            pair = node.kind in {"LIF", "CubaLIF"} and graph.nodes[other].kind in _WEIGHTS
            if pair and name in graph.after[other]:
                yield name, "error", f"fails on neurons that {other!r} leads back to at once"
        if node.kind in {"LIF", "CubaLIF"}:
            tau = values["tau" if node.kind == "LIF" else "tau_mem"]
            shown = _shown(np.maximum(1.0 - dt / tau, 0.0))
            yield name, "note", f"takes dt = {dt:g} s, whatever the file means: beta = {shown}"
            if (tau < dt).any():
                yield name, "warning", "has no memory where tau is below that, for beta is cut at 0"
            if not np.allclose(values["v_leak"], 0.0):
                yield name, "error", f"refuses v_leak = {_shown(values['v_leak'])}: it must be 0"
        if node.kind == "LIF":
            scale = values["r"] * dt / values["tau"]
            if not _alike(values["v_threshold"]):
                yield name, "error", "refuses neurons of different v_threshold"
            elif not _alike(scale):
                yield name, "warning", "scales all thresholds by the least r/tau of its neurons"
        if node.kind == "CubaLIF":
            if not np.allclose(values["r"], values["tau_mem"] / dt):
                yield name, "error", f"refuses r = {_shown(values['r'])}: it must be tau_mem/{dt:g}"
            scale = values["w_in"] * dt / values["tau_syn"]
            if not _alike(values["v_threshold"] / scale):
                yield name, "error", "refuses neurons of different v_threshold tau_syn / w_in"
        if node.kind == "IF":
            if not _alike(values["v_threshold"]):
                yield name, "error", "refuses neurons of different v_threshold"
            if not _all(values["r"], 1.0):
                yield name, "error", f"refuses r = {_shown(values['r'])}: it must be 1"
            else:
                yield (
                    name,
                    "error",
                    "gives it a state that nirtorch passes on as if it were spikes",
                )
        if node.kind in _NEURONS and "v_reset" in values and values["v_reset"].any():
            yield name, "warning", f"ignores v_reset = {_shown(values['v_reset'])}: it resets to 0"
        yield from _flatten_of_batch(name, node.kind, values.get("start_dim"))


def _spikingjelly(graph: Graph) -> Iterator[Said]:
    yield from traced(graph, _KNOWN["spikingjelly"])
    steps: dict[str, float] = {}
    for name, node in graph.nodes.items():
        values = node.values
        if node.kind not in {"IF", "LIF", "CubaLIF"}:
            continue
        unlike = [key for key, each in values.items() if not _alike(each)]
        if unlike:
            yield name, "error", f"refuses neurons of different {', '.join(unlike)}"
            continue
        one = {key: float(each.flat[0]) for key, each in values.items()}
        if node.kind == "IF":
            steps[name] = 1.0 / one["r"] if one["r"] > 0.0 else 0.0
        elif node.kind == "LIF":
            if not np.isclose(one["v_leak"], one["v_reset"], rtol=_CLOSE, atol=1e-12):
                yield (
                    name,
                    "error",
                    (
                        f"refuses v_leak = {one['v_leak']:g} with v_reset = {one['v_reset']:g}: "
                        "they must be equal"
                    ),
                )
            if not np.isclose(one["r"], 1.0, rtol=_CLOSE):
                steps[name] = one["tau"] / one["r"] if one["r"] > 1.0 else 0.0
            elif one["tau"] <= _USUAL:
                yield name, "note", f"takes it with a `dt` below {one['tau']:g} alone"
        else:
            steps[name] = one["tau_mem"] / one["r"] if one["r"] > 0.0 else 0.0
            synaptic = one["tau_syn"] / one["w_in"] if one["w_in"] > 0.0 else 0.0
            if not np.isclose(synaptic, steps[name], rtol=_CLOSE, atol=0.0):
                yield name, "error", "refuses what is not r = tau_mem/dt and w_in = tau_syn/dt"
            if one["v_leak"] != 0.0:
                yield name, "error", f"refuses v_leak = {one['v_leak']:g}: it must be 0"
    for name, dt in steps.items():
        if dt <= 0.0:
            yield name, "error", "refuses its r for any dt"
        elif not np.isclose(dt, next(iter(steps.values())), rtol=_CLOSE, atol=0.0):
            yield name, "error", f"takes it with dt = {dt:g} s alone, and others with another"
        else:
            yield name, "note", f"takes it with `dt={dt:g}` alone, which is 0.0001 unless told"


def _sinabs(graph: Graph) -> Iterator[Said]:
    yield from executed(graph, _KNOWN["sinabs"])
    _, gives = shapes(graph)
    for before, name in graph.edges:
        given, node = gives[before], graph.nodes[name]
        if node.kind == "Affine" and given and given[-1] != node.values["weight"].shape[-1]:
            yield name, "error", f"fails on what {before!r} gives: {given[-1]} values"
        if node.kind == "Flatten" and given and "start_dim" in node.values:
            start = int(node.values["start_dim"])
            if start >= len(given):
                yield name, "error", f"counts start_dim = {start} without the batch, and fails"
    for name, node in graph.nodes.items():
        values = node.values
        if node.kind == "Conv1d":
            yield name, "error", "fails on every Conv1d"
        if node.kind == "Affine" and values["weight"].ndim > 2:
            yield name, "error", f"fails on a weight of {values['weight'].ndim} axes"
        if node.kind in {"LIF", "LI"}:
            if values["r"].ndim != 1:
                yield name, "error", "fails on parameters that are not one number for each neuron"
                continue
            if values["v_leak"].any():
                yield name, "error", f"refuses v_leak = {_shown(values['v_leak'])}: it must be 0"
            if (values["tau"] < 1.0).any():
                yield (
                    name,
                    "warning",
                    (
                        f"takes tau = {_shown(values['tau'])} for steps: it forgets all but "
                        f"{_shown(np.exp(-1.0 / values['tau']))} in each"
                    ),
                )
        if node.kind == "LI" and not _all(values["r"], 1.0):
            yield name, "error", f"refuses r = {_shown(values['r'])}: it must be 1"
        if node.kind == "LIF":
            gain = -1.0 / np.expm1(-1.0 / values["tau"])
            if not np.allclose(values["r"], gain, rtol=1e-3):
                yield (
                    name,
                    "warning",
                    (
                        f"ignores r = {_shown(values['r'])} and adds its input as it is: "
                        f"as if r were {_shown(gain)}"
                    ),
                )
        if node.kind == "IF":
            yield name, "warning", f"ignores r = {_shown(values['r'])} and adds its input as it is"
            yield name, "warning", "keeps the membrane above −v_threshold"
        if node.kind in {"LIF", "IF"}:
            yield (
                name,
                "warning",
                "subtracts v_threshold at a spike, and spikes as often in a step as it can",
            )


def _flatten_of_batch(name: str, kind: str, start: Floats | None) -> Iterator[Said]:
    if kind == "Flatten" and start is not None and float(start) == 0.0:
        yield name, "error", "counts start_dim = 0 with the batch, which it flattens away"


def _all(values: Floats, value: float) -> bool:
    return bool(np.allclose(values, value, rtol=_CLOSE, atol=0.0))


def _alike(values: Floats) -> bool:
    """Whether all are the same, for an importer that asks so: to the last digit."""
    return np.unique(values).size <= 1


def _shown(values: Floats) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
