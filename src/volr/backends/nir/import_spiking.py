"""A foreign graph's spiking populations as neuron models of ours, and its weights for these.

Our update is V ← a V + R (1 − a) I + w·s for IFCurrDelta, and V ← a V + p I_syn + R (1 − a) I with
I_syn ← b I_syn + w·s for IFCurrExp. A graph's is v ← a v + k W·s + (1 − a) (leak + level b), or
v ← a v + g i + … with i ← b i + k W·s. With v = u V, in units u of each neuron's own,

    w = k W / u    or    g k W / (p u),    I = (leak + level b) / (R u)

makes them one. Without leak, where level is what an input of 1 adds in a ms, it is
I = c_m level b / u. u is such that all thresholds are one; where nothing spikes, it is 1.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.affine.projections import Projected, projected
from volr.backends.nir.import_graph import refuse
from volr.backends.nir.primitives import DELAY, PRIMITIVES, Neuron
from volr.backends.nir.spiking_nodes import stepped
from volr.models.model import SpikingModel
from volr.neurons import TIE, IFCurrDelta, IFCurrExp, NeuronsByUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph, Node
    from volr.backends.nir.import_graph import GraphSkeleton
    from volr.backends.nir.spiking_nodes import Stepped, Steps
    from volr.checks.arrays import Floats
    from volr.models.coding import InputCoding
    from volr.neurons import NeuronModel, Reset

_CLOSE = 1e-9
# Delays may stand in a file in single precision.
_CLOSE_STEPS = 1e-3
_DELAYED = (
    "a spike takes one step, {:g} ms, to the next population, where NIR has no delay: outputs come "
    "as many steps later as there are populations before them, while biases act from the first on"
)

_LATER = "a Delay comes on top of that step: what goes through one takes {:g} ms more than it says"


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
    problems += _delay_problems(graph, steps)
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
    base, neurons, units = _neurons(cells, reset, found)
    made = _projected(found, cells, neurons, units, dt)
    model = SpikingModel(
        network=made.network,
        parameters=made.parameters,
        neuron=base,
        neurons=neurons,
        coding=coding,
        dt=dt,
        duration=duration,
        delay=dt,
        delays={name: (1 + _steps_in(each, steps)) * dt for name, each in made.delays.items()},
        readout="membrane" if nonspiking else "count",
    )
    return model, [*made.notes, *_notes(found, model)]


def _cells(
    graph: Graph, found: GraphSkeleton, steps: Steps, problems: list[str]
) -> dict[str, Stepped]:
    """The populations that are neurons. Reasons against reading are added to ``problems``."""
    neurons: dict[str, tuple[Node, Neuron]] = {}
    for each, name in found.nodes.items():
        primitive = PRIMITIVES[graph.nodes[name].kind]
        if isinstance(primitive, Neuron):
            neurons[each] = graph.nodes[name], primitive
    cells: dict[str, Stepped] = {}
    for each, (node, primitive) in neurons.items():
        try:
            cells[each] = stepped(primitive.step, node.values, found.shapes[each], steps)
        except ValueError as error:
            problems.append(f"node {found.nodes[each]!r}: {error}")
    return cells


def _delay_problems(graph: Graph, steps: Steps) -> list[str]:
    """The Delays that are no whole number of steps, in words."""
    return [
        f"node {name!r}: its delay is {steps.second * delay:g} ms, which is no whole number of "
        f"steps of {steps.dt:g} ms; choose a dt that divides it"
        for name in graph.of_kind("Delay")
        for delay in np.unique(graph.nodes[name].values[DELAY]).tolist()
        if abs(steps.second * delay / steps.dt - _steps_in(delay, steps)) > _CLOSE_STEPS
    ]


def _steps_in(delay: float, steps: Steps) -> int:
    """The steps in a delay, in the graph's unit of time."""
    return round(steps.second * delay / steps.dt)


def _neurons(
    cells: Mapping[str, Stepped], reset: Reset, found: GraphSkeleton
) -> tuple[NeuronModel, dict[str, NeuronsByUnit], dict[str, Floats]]:
    """The first neuron of a layer, those of each population, and their units u."""
    # An input's neurons have no use for a synapse, so they do without one of their own.
    layers = [each for each in cells if each not in found.inputs] or [*cells]
    threshold = next(
        (float(c.threshold[0]) for c in cells.values() if c.threshold is not None), 1.0
    )
    usual: _Numbers | None = None
    neurons: dict[str, NeuronsByUnit] = {}
    units: dict[str, Floats] = {}
    for each in sorted(cells, key=lambda one: one not in layers):
        cell = cells[each]
        units[each] = (
            np.ones_like(cell.leak) if cell.threshold is None else (cell.threshold / threshold)
        )
        resets, tau_syn = np.zeros_like(cell.leak), np.zeros_like(cell.leak)
        if cell.reset is not None and reset == "hard":
            resets = cell.reset / units[each]
        if cell.tau_syn is not None:
            tau_syn = cell.tau_syn
        elif each in found.inputs and usual is not None:
            tau_syn = np.full_like(cell.leak, usual.tau_syn)
        rows = np.column_stack([resets, cell.tau, tau_syn])
        usual = usual or _Numbers(threshold, *rows[0].tolist())
        kinds, which = np.unique(rows, axis=0, return_inverse=True)
        neurons[each] = NeuronsByUnit(
            tuple(_Numbers(threshold, *row).near(usual).neuron(reset) for row in kinds.tolist()),
            tuple(which.ravel().tolist()),
        )
    return neurons[layers[0]].at(0), neurons, units


@dataclass(frozen=True)
class _Numbers:
    """What neurons can differ in: mV and ms. A ``tau_syn`` of 0 is no synapse."""

    v_thresh: float
    v_reset: float
    tau_m: float
    tau_syn: float

    def near(self, other: _Numbers) -> _Numbers:
        """The same numbers, or the other's where they differ by no more than rounding."""

        def settled(mine: float, theirs: float) -> float:
            # One of two may be infinite, and then nothing is near to it.
            return theirs if math.isclose(mine, theirs, rel_tol=_CLOSE) else mine

        return _Numbers(*map(settled, astuple(self), astuple(other)))

    def neuron(self, reset: Reset) -> NeuronModel:
        numbers: dict[str, Any] = {
            "v_rest": 0.0,
            "v_reset": self.v_reset,
            "v_thresh": self.v_thresh,
            "tau_m": self.tau_m,
            "tau_refrac": 0.0,
            "reset": reset,
        }
        if not self.tau_syn:
            return IFCurrDelta(**numbers)
        return IFCurrExp(**numbers, tau_syn_E=self.tau_syn, tau_syn_I=self.tau_syn)


def _projected(
    found: GraphSkeleton,
    cells: Mapping[str, Stepped],
    neurons: Mapping[str, NeuronsByUnit],
    units: Mapping[str, Floats],
    dt: float,
) -> Projected:
    factors: dict[str, Floats] = {}
    biases: dict[str, Floats] = {}
    for name, form in found.forms.items():
        cell, unit, each = cells[name], units[name], neurons[name]
        per_current = each.of(lambda one: one.resistance if one.leaks else 1.0 / one.cm)
        factor = cell.kick / unit
        if each.first.has_currents and cell.gain is not None:
            factor = factor * cell.gain / each.of(lambda one: one.synaptic_rises(dt)[0])
        factors[name] = factor
        level = cell.leak + cell.level * form.offset()
        biases[name] = level / (per_current * unit)
    return projected(found, factors, biases, spiking=True)


def _notes(found: GraphSkeleton, model: SpikingModel) -> list[str]:
    notes = [
        _DELAYED.format(model.dt),
        *([_LATER.format(model.dt)] if model.delays else []),
        "a neuron spikes at its threshold, where NIR's spikes above it",
        f"resets are read as {model.neuron.reset!r}: NIR has no word for which",
    ]
    if any(
        model.neuron_of(name).has_currents and form.offset().any()
        for name, form in found.forms.items()
    ):
        notes.append(
            "biases are currents that are there from the start, where NIR's come through the "
            "synapse and take its time constant to arrive"
        )
    if not all(kind.leaks for each in found.shapes for kind in model.units_of(each).kinds):
        notes.append(
            "IF has no leak, and neither has the neuron here, tau_m is infinite: it is at its "
            f"threshold where it is nearer than {TIE:g} of v_thresh - v_reset to it"
        )
    return notes
