"""PyNN's kernel, whose cells and synapses are changed when all is built."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.pynn import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.pynn.readings import Built
    from volr.backends.workers import Arrays, Settings

_BUILD, _RECORD = kernel._build, kernel._record

# PyNN's names are ours.
_NUMBERS = {
    "v_rest": -63.0,
    "v_reset": -67.5,
    "v_thresh": -49.0,
    "tau_m": 16.0,
    "cm": 0.9,
    "tau_refrac": 3.0,
    "tau_syn_E": 3.5,
    "tau_syn_I": 6.5,
    "e_rev_E": 5.0,
    "e_rev_I": -76.0,
}


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """As ``volr.backends.pynn.kernel.handle``, with the ``mutation`` of the settings."""
    mutation = settings.pop("mutation")

    def build(sim: Any, arrays: Arrays, settings: Settings, copies: int) -> Built:
        if mutation == "dt" and settings["simulator"] == "nest":
            # A resolution cannot be changed once there are nodes.
            settings = {**settings, "dt": 2 * settings["dt"], "delay": 2.0}
        built = _BUILD(sim, arrays, settings, copies)
        _change(built, settings["simulator"], mutation)
        return built

    def record(built: Built, settings: Settings) -> None:
        if mutation == "outputs":
            settings = {**settings, "spiking": ["left", "side"]}
        _RECORD(built, settings)

    kernel._build, kernel._record = build, record
    try:
        return kernel.handle(arrays, settings)
    finally:
        kernel._build, kernel._record = _BUILD, _RECORD


def _change(built: Built, simulator: str, mutation: str | None) -> None:
    populations = built.populations
    square = populations["square"]
    if mutation in _NUMBERS:
        square.set(**{mutation: _NUMBERS[mutation]})
    if mutation == "population":
        populations["left"], populations["last"] = populations["last"], populations["left"]
    if mutation == "inputs":
        populations["input"], populations["other"] = populations["other"], populations["input"]
    if mutation == "bias":
        each = np.array(square.get("i_offset", simplify=False), dtype=np.float64)
        each[1] += 0.1
        square.set(i_offset=each)
    if mutation in {"kind", "reset"}:
        _change_neurons(built.sim, square, simulator, mutation)
    if mutation == "dt" and simulator == "brian2":
        brian2 = built.sim.simulator.brian2
        for one in built.sim.simulator.state.network.objects:
            one.clock.dt = 1.0 * brian2.ms
    if mutation == "dt" and simulator == "neuron":
        built.sim.simulator.h.dt = 1.0
    projections = built.projections.get(("left", "square"))
    if projections and mutation == "missing projection":
        del built.projections["left", "square"]
    elif projections and mutation in {"weight", "transposed", "delay"}:
        _change_synapses(projections, simulator, mutation)


def _change_neurons(sim: Any, square: Any, simulator: str, mutation: str) -> None:
    match simulator, mutation:
        case "nest", "kind":
            other = sim.simulator.nest.Create("iaf_psc_alpha", square.size)
            square.node_collection = other
        case "brian2", "kind":
            square.brian2_group.state_updater.method_choice = "euler"
        case "brian2", _:
            square.brian2_group.event_codes["spike"] = "v = 0*volt"
        case "neuron", "kind":
            for cell in square.all_cells:
                cell._cell.syn_shape = "alpha"
        case _:
            message = "a simulator whose neurons have one reset"
            raise ValueError(message)


def _change_synapses(projections: list[Any], simulator: str, mutation: str) -> None:
    each = [one for projection in projections for one in _handles(projection, simulator)]
    matrix = np.zeros((4, 4))
    for one in each:
        matrix[one.source, one.target] = one.weight
    for number, one in enumerate(each):
        if mutation == "weight" and number == 1:
            one.set_weight(1.25 * one.weight)
        if mutation == "transposed":
            one.set_weight(matrix[one.target, one.source])
        if mutation == "delay":
            one.set_delay(2.0)


@dataclass(frozen=True)
class _Synapse:
    """A synapse: its neurons, its weight, and what sets that and the delay, ms."""

    source: int
    target: int
    weight: float
    set_weight: Callable[[float], None]
    set_delay: Callable[[float], None]


def _set(one: Any, name: str, value: float) -> None:
    setattr(one, name, value)


def _set_at(array: Any, number: int, factor: float, value: float) -> None:
    array[number] = factor * value


def _handles(projection: Any, simulator: str) -> list[_Synapse]:
    match simulator:
        case "nest":
            first, second = projection.pre, projection.post
            found = projection._simulator.nest.GetConnections(
                first.node_collection,
                second.node_collection,
                synapse_label=projection.nest_synapse_label,
            )
            starts = int(first.all_cells[0]), int(second.all_cells[0])
            return [
                _Synapse(
                    int(one.source) - starts[0],
                    int(one.target) - starts[1],
                    float(one.weight),
                    partial(_set, one, "weight"),
                    partial(_set, one, "delay"),
                )
                for one in found
            ]
        case "brian2":
            group = projection._brian2_synapses[0][0]
            return [
                _Synapse(
                    int(group.i[number]),
                    int(group.j[number]),
                    float(group.weight_[number]),
                    partial(_set_at, group.weight_, number, 1.0),
                    partial(_set_at, group.delay_, number, 1e-3),
                )
                for number in range(len(group))
            ]
        case _:
            return [
                _Synapse(
                    one.presynaptic_index,
                    one.postsynaptic_index,
                    one.weight,
                    partial(_set, one, "weight"),
                    partial(_set, one, "delay"),
                )
                for one in projection.connections
            ]
