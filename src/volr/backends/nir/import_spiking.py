"""A foreign graph's spiking populations as one neuron model of ours, and its weights for that.

Our update is V ← a V + R (1 − a) I + w·s for IFCurrDelta, and V ← a V + p I_syn + R (1 − a) I with
I_syn ← b I_syn + w·s for IFCurrExp. A graph's is v ← a v + k W·s + (1 − a) (leak + level b), or
v ← a v + g i + … with i ← b i + k W·s. With v = u V, in units u of each neuron's own,

    w = k W / u    or    g k W / (p u),    I = (leak + level b) / (R u)

makes them one. Without leak, where level is what an input of 1 adds in a ms, it is
I = c_m level b / u. u is such that all thresholds are one; where nothing spikes, it is 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.affine import full
from volr.backends.nir.import_graph import refuse
from volr.backends.nir.spiking_nodes import stepped
from volr.models.model import SpikingModel
from volr.neurons import TIE, IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph
    from volr.backends.nir.import_graph import Skeleton
    from volr.backends.nir.spiking_nodes import Signal, Stepped
    from volr.backends.nir.time_unit import Time
    from volr.checks.arrays import Floats
    from volr.models.coding import InputCoding
    from volr.neurons import NeuronModel, Reset

_CLOSE = 1e-9
_DELAYED = (
    "a spike takes one step, {:g} ms, to the next population, where NIR has no delay: outputs come "
    "as many steps later as there are populations before them, while biases act from the first on"
)
# Which kinds can be one model of ours: those that do not spike are its outputs.
_FAMILIES = (
    frozenset({"LIF", "LI"}),
    frozenset({"CubaLIF", "CubaLI"}),
    frozenset({"IF", "I"}),
    frozenset({"Threshold"}),
)


@dataclass(frozen=True)
class Meaning:
    """How a graph is to be read: what NIR leaves open."""

    signal: Signal
    reset: Reset
    time: Time
    coding: InputCoding
    duration: float


def spiking_model(
    graph: Graph, found: Skeleton, meaning: Meaning, name: str
) -> tuple[SpikingModel, list[str]]:
    """The model, and what is to be known about it.

    Raises ``ModelFileError`` with every population that is in the way, ``ModelError`` for numbers
    that no membrane has.
    """
    network, time = found.network, meaning.time
    problems: list[str] = []
    cells: dict[str, Stepped] = {}
    kinds = {p: graph.nodes[node].kind for p, node in found.nodes.items()}
    # An input's neurons have no use for a synapse.
    alike = {
        kind
        for each, kind in kinds.items()
        if kind != "Input" and not (each in network.inputs and kind == "LIF")
    } or {"LIF"}
    if not any(alike <= family for family in _FAMILIES):
        problems.append(f"its populations are of kinds that differ: {', '.join(sorted(alike))}")
    for population in network.populations:
        if kinds[population.name] == "Input":
            continue
        node = found.nodes[population.name]
        try:
            cells[population.name] = stepped(
                graph.nodes[node], population.size, meaning.signal, time.dt, time.second
            )
        except ValueError as error:
            problems.append(f"node {node!r}: {error}")
    silent = {each for each, cell in cells.items() if cell.threshold is None}
    hidden = sorted(silent - set(network.outputs))
    problems += [f"node {found.nodes[e]!r}: it never spikes, and is no output" for e in hidden]
    problems += [
        f"node {found.nodes[each]!r}: it never spikes, and leads to other populations"
        for each in sorted(silent & {p.source for p in network.projections} - set(hidden))
    ]
    if silent and silent != set(network.outputs):
        problems.append("some outputs spike and others do not")
    if problems:
        raise refuse(name, problems)
    problems, neuron, units = _one_neuron(cells, meaning, found.nodes)
    if problems:
        raise refuse(name, problems)
    model = SpikingModel(
        network=network,
        parameters=_parameters(found, cells, neuron, units, time.dt),
        neuron=neuron,
        coding=meaning.coding,
        dt=time.dt,
        duration=meaning.duration,
        delay=time.dt,
        readout="membrane" if silent else "count",
    )
    return model, _notes(found, cells, meaning)


def _one_neuron(
    cells: Mapping[str, Stepped], meaning: Meaning, nodes: Mapping[str, str]
) -> tuple[list[str], NeuronModel, dict[str, Floats]]:
    """What keeps the populations from sharing a neuron, that neuron, and their units u."""
    problems: list[str] = []
    first = next(iter(cells.values()))
    synapses = {each: cell.tau_syn for each, cell in cells.items() if cell.tau_syn is not None}
    tau_syn = next(iter(synapses.values()), None)
    threshold = next(
        (float(c.threshold[0]) for c in cells.values() if c.threshold is not None), 1.0
    )
    units: dict[str, Floats] = {}
    resets: list[Floats] = []
    for each, cell in cells.items():
        if not _close(cell.tau, first.tau):
            problems.append(
                f"node {nodes[each]!r}: its time constant is {cell.tau:g} ms, that of "
                f"{nodes[next(iter(cells))]!r} {first.tau:g} ms, and Volr's neurons share one"
            )
        if cell.tau_syn is not None and tau_syn is not None and not _close(cell.tau_syn, tau_syn):
            problems.append(
                f"node {nodes[each]!r}: its synapse's time constant is {cell.tau_syn:g} ms, that "
                f"of {nodes[next(iter(synapses))]!r} {tau_syn:g} ms, and Volr's share one"
            )
        if cell.threshold is None or cell.reset is None:
            units[each] = np.ones_like(cell.leak)
        else:
            units[each] = cell.threshold / threshold
            resets.append(cell.reset / units[each])
    reset = 0.0
    if meaning.reset == "hard" and resets:
        together = np.concatenate(resets)
        reset = float(together[0])
        if not np.allclose(together, reset, rtol=_CLOSE, atol=_CLOSE * threshold):
            problems.append("the neurons differ in v_reset, as a part of v_threshold")
    numbers = {
        "v_rest": 0.0,
        "v_reset": reset,
        "v_thresh": threshold,
        "tau_m": first.tau,
        "tau_refrac": 0.0,
    }
    if problems:
        return problems, IFCurrDelta(), units
    if tau_syn is None:
        return [], IFCurrDelta(**numbers, reset=meaning.reset), units
    neuron = IFCurrExp(**numbers, reset=meaning.reset, tau_syn_E=tau_syn, tau_syn_I=tau_syn)
    return [], neuron, units


def _parameters(
    found: Skeleton,
    cells: Mapping[str, Stepped],
    neuron: NeuronModel,
    units: Mapping[str, Floats],
    dt: float,
) -> dict[str, Floats]:
    values: dict[str, Floats] = {}
    for name, form in found.forms.items():
        cell, unit = cells[name], units[name]
        factor = cell.kick / unit
        if neuron.has_currents and cell.gain is not None:
            factor = factor * cell.gain / neuron.synaptic_rises(dt)[0]
        for key, matrix in form.matrices.items():
            found.room.take(len(unit), found.network[key].size)
            values[f"{key}->{name}.weight"] = full(matrix, found.room) * factor[:, None]
        bias = np.zeros(form.size) if form.bias is None else form.bias
        per_current = neuron.resistance if neuron.leaks else 1.0 / neuron.cm
        values[f"{name}.bias"] = (cell.leak + cell.level * bias) / (per_current * unit)
    return values


def _notes(found: Skeleton, cells: Mapping[str, Stepped], meaning: Meaning) -> list[str]:
    notes = [
        _DELAYED.format(meaning.time.dt),
        "a neuron spikes at its threshold, where NIR's spikes above it",
        f"resets are read as {meaning.reset!r}: NIR has no word for which",
    ]
    exp = any(cell.tau_syn is not None for cell in cells.values())
    if exp and any(form.bias is not None and form.bias.any() for form in found.forms.values()):
        notes.append(
            "biases are currents that are there from the start, where NIR's come through the "
            "synapse and take its time constant to arrive"
        )
    if math.isinf(next(iter(cells.values())).tau):
        notes.append(
            "IF has no leak, and neither has the neuron here, tau_m is infinite: it is at its "
            f"threshold where it is nearer than {TIE:g} of v_thresh - v_reset to it"
        )
    return notes


def _close(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= _CLOSE * abs(b)
