"""A foreign graph's spiking populations as one neuron model of ours, and its weights for that.

Our update is V ← a V + R (1 − a) I + w·s for IFCurrDelta, and V ← a V + p I_syn + R (1 − a) I with
I_syn ← b I_syn + w·s for IFCurrExp. A graph's is v ← a v + k W·s + (1 − a) (leak + level b), or
v ← a v + g i + … with i ← b i + k W·s. With v = u V, in units u of each neuron's own,

    w = k W / u    or    g k W / (p u),    I = (leak + level b) / (R u)

makes them one. Without leak, where level is what an input of 1 adds in a ms, it is
I = c_m level b / u. u is such that all thresholds are one; where nothing spikes, it is 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.affine.projections import projected
from volr.backends.nir.import_graph import refuse
from volr.backends.nir.primitives import PRIMITIVES, Neuron
from volr.backends.nir.spiking_nodes import stepped
from volr.models.model import SpikingModel
from volr.neurons import TIE, IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph, Node
    from volr.backends.nir.import_graph import GraphSkeleton
    from volr.backends.nir.spiking_nodes import Stepped, Steps
    from volr.checks.arrays import Floats
    from volr.models.coding import InputCoding
    from volr.network import Network
    from volr.neurons import NeuronModel, Reset

_CLOSE = 1e-9
_DELAYED = (
    "a spike takes one step, {:g} ms, to the next population, where NIR has no delay: outputs come "
    "as many steps later as there are populations before them, while biases act from the first on"
)


def spiking_model(
    graph: Graph,
    found: GraphSkeleton,
    name: str,
    *,
    steps: Steps,
    reset: Reset,
    coding: InputCoding,
    duration: float,
) -> tuple[SpikingModel, list[str]]:
    """The model, and notes on how it was read. ``duration`` is in ms.

    Raises ``ModelFileError`` with every population that cannot be read, ``ModelError`` for numbers
    that no membrane has.
    """
    dt, problems = steps.dt, list[str]()
    cells = _cells(graph, found, steps, problems)
    nonspiking = {each for each, cell in cells.items() if cell.threshold is None}
    hidden = nonspiking - set(found.outputs)
    sources = nonspiking & found.sources - hidden
    for why, where in (
        ("it never spikes, and is no output", hidden),
        ("it never spikes, and leads to other populations", sources),
    ):
        problems += [f"node {found.nodes[each]!r}: {why}" for each in sorted(where)]
    if nonspiking and nonspiking != set(found.outputs):
        problems.append("some outputs spike and others do not")
    if problems:
        raise refuse(name, problems)
    neuron, units = _one_neuron(cells, reset, found.nodes, name)
    network, values, written_out = _projected(found, cells, neuron, units, dt)
    model = SpikingModel(
        network=network,
        parameters=values,
        neuron=neuron,
        coding=coding,
        dt=dt,
        duration=duration,
        delay=dt,
        readout="membrane" if nonspiking else "count",
    )
    return model, [*written_out, *_notes(found, dt, neuron)]


def _cells(
    graph: Graph, found: GraphSkeleton, steps: Steps, problems: list[str]
) -> dict[str, Stepped]:
    """The populations that are neurons. Reasons against reading are added to ``problems``."""
    neurons: dict[str, tuple[Node, Neuron]] = {}
    for each, name in found.nodes.items():
        primitive = PRIMITIVES[graph.nodes[name].kind]
        if isinstance(primitive, Neuron):
            neurons[each] = graph.nodes[name], primitive
    # An input's neurons have no use for a synapse.
    alike = {
        node.kind: primitive.step
        for each, (node, primitive) in neurons.items()
        if not (each in found.inputs and node.kind == "LIF")
    }
    if len(set(alike.values())) > 1:
        problems.append(f"its populations are of kinds that differ: {', '.join(sorted(alike))}")
    cells: dict[str, Stepped] = {}
    for each, (node, primitive) in neurons.items():
        try:
            cells[each] = stepped(primitive.step, node.values, found.shapes[each], steps)
        except ValueError as error:
            problems.append(f"node {found.nodes[each]!r}: {error}")
    return cells


def _one_neuron(
    cells: Mapping[str, Stepped], reset: Reset, nodes: Mapping[str, str], name: str
) -> tuple[NeuronModel, dict[str, Floats]]:
    """The neuron that all populations share, and their units u.

    Raises ``ModelFileError`` with all reasons why they cannot share one.
    """
    problems: list[str] = []
    shared: dict[str, tuple[str, float]] = {}
    threshold = next(
        (float(c.threshold[0]) for c in cells.values() if c.threshold is not None), 1.0
    )
    units: dict[str, Floats] = {}
    resets: list[Floats] = []
    for each, cell in cells.items():
        for what, tau, whose in (
            ("its time constant", cell.tau, "Volr's neurons"),
            ("its synapse's time constant", cell.tau_syn, "Volr's"),
        ):
            if tau is None:
                continue
            first, wanted = shared.setdefault(what, (each, tau))
            if tau != wanted and not abs(tau - wanted) <= _CLOSE * abs(wanted):
                problems.append(
                    f"node {nodes[each]!r}: {what} is {tau:g} ms, that of {nodes[first]!r} "
                    f"{wanted:g} ms, and {whose} share one"
                )
        units[each] = np.ones_like(cell.leak)
        if cell.threshold is not None and cell.reset is not None:
            units[each] = cell.threshold / threshold
            resets.append(cell.reset / units[each])
    v_reset = 0.0
    if reset == "hard" and resets:
        together = np.concatenate(resets)
        v_reset = float(together[0])
        if not np.allclose(together, v_reset, rtol=_CLOSE, atol=_CLOSE * threshold):
            problems.append("the neurons differ in v_reset, as a part of v_threshold")
    if problems:
        raise refuse(name, problems)
    tau_m, *synapses = (tau for _, tau in shared.values())
    numbers = {
        "v_rest": 0.0,
        "v_reset": v_reset,
        "v_thresh": threshold,
        "tau_m": tau_m,
        "tau_refrac": 0.0,
    }
    if not synapses:
        return IFCurrDelta(**numbers, reset=reset), units
    tau_syn = synapses[0]
    return IFCurrExp(**numbers, reset=reset, tau_syn_E=tau_syn, tau_syn_I=tau_syn), units


def _projected(
    found: GraphSkeleton,
    cells: Mapping[str, Stepped],
    neuron: NeuronModel,
    units: Mapping[str, Floats],
    dt: float,
) -> tuple[Network, dict[str, Floats], list[str]]:
    factors: dict[str, Floats] = {}
    biases: dict[str, Floats] = {}
    per_current = neuron.resistance if neuron.leaks else 1.0 / neuron.cm
    for name, form in found.forms.items():
        cell, unit = cells[name], units[name]
        factor = cell.kick / unit
        if neuron.has_currents and cell.gain is not None:
            factor = factor * cell.gain / neuron.synaptic_rises(dt)[0]
        factors[name] = factor
        level = cell.leak + cell.level * form.offset()
        biases[name] = level / (per_current * unit)
    return projected(found, factors, biases, spiking=True)


def _notes(found: GraphSkeleton, dt: float, neuron: NeuronModel) -> list[str]:
    notes = [
        _DELAYED.format(dt),
        "a neuron spikes at its threshold, where NIR's spikes above it",
        f"resets are read as {neuron.reset!r}: NIR has no word for which",
    ]
    if neuron.has_currents and any(form.offset().any() for form in found.forms.values()):
        notes.append(
            "biases are currents that are there from the start, where NIR's come through the "
            "synapse and take its time constant to arrive"
        )
    if not neuron.leaks:
        notes.append(
            "IF has no leak, and neither has the neuron here, tau_m is infinite: it is at its "
            f"threshold where it is nearer than {TIE:g} of v_thresh - v_reset to it"
        )
    return notes
