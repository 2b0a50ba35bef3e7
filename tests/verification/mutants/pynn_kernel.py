"""PyNN's kernel, whose cells and synapses are changed when all is built."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.verification.mutants import OTHERWISE

from volr.backends.pynn import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.messages import Arrays, Settings
    from volr.backends.pynn.recording import Built

_BUILD, _RECORD = kernel._build, kernel._record

# PyNN's names are ours. On Brian2 a rest of 1 ms is told as 1.5 ms, so 1.5 would change nothing.
_NUMBERS = {**OTHERWISE, "tau_refrac": 3.0}


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """As ``volr.backends.pynn.kernel.handle``, with the ``mutations`` of the settings."""
    mutations: dict[str, str] = settings.pop("mutations")
    simulator: str = settings["simulator"]

    def build(sim: Any, arrays: Arrays, settings: Settings, copies: int) -> Built:
        if "dt" in mutations and simulator == "nest":
            # A resolution cannot be changed once there are nodes.
            delays = dict.fromkeys(settings["delays"], 2.0)
            settings = {**settings, "dt": 2 * settings["dt"], "delays": delays}
        # Nor can the model of a node. On NEST another reset is another model: one that adapts.
        if "kind" in mutations and simulator != "brian2":
            settings = _told(settings, cell="IF_cond_alpha")
        if "reset" in mutations and simulator == "nest":
            settings = _told(settings, cell="EIF_cond_exp_isfa_ista")
        built = _BUILD(sim, arrays, settings, copies)
        for mutation, place in mutations.items():
            if "->" not in place:
                _change(built, simulator, mutation, place)
            elif built.projections:
                source, target = place.split("->")
                _change_synapses(built, simulator, mutation, (source, target))
        return built

    def record(built: Built, settings: Settings) -> None:
        if "outputs" in mutations:
            settings = {**settings, "spiking": ["left", "side"]}
        _RECORD(built, settings)

    kernel._build, kernel._record = build, record
    try:
        return kernel.handle(arrays, settings)
    finally:
        kernel._build, kernel._record = _BUILD, _RECORD


def _told(settings: Settings, **changes: Any) -> Settings:
    """The settings with something else told of all neurons."""
    neurons = {name: {**each, **changes} for name, each in settings["neurons"].items()}
    return {**settings, "neurons": neurons}


def _change(built: Built, simulator: str, mutation: str, place: str) -> None:
    populations, sim = built.populations, built.sim
    if mutation in _NUMBERS:
        populations[place].set(**{mutation: _NUMBERS[mutation]})
    if mutation == "population":
        _exchange(built, "left", "last")
    if mutation == "inputs":
        _exchange(built, "input", "other")
    if mutation == "bias":
        population = populations[place]
        each = np.array(population.get("i_offset", simplify=False), dtype=np.float64)
        each[1] += 0.1
        population.set(i_offset=each)
    match simulator, mutation:
        case "brian2", "kind":
            populations[place].brian2_group.state_updater.method_choice = "euler"
        case "brian2", "reset":
            populations[place].brian2_group.event_codes["spike"] = "v = 0*volt"
        case "brian2", "dt":
            for one in sim.simulator.state.network.objects:
                one.clock.dt = 1.0 * sim.simulator.brian2.ms
        case "neuron", "dt":
            sim.simulator.h.dt = 1.0
        case "neuron", "reset":
            for each in populations[place].all_cells:
                cell = each._cell
                cell.spike_reset = sim.simulator.h.AdExpIF(0.5, sec=cell)
        case _:
            pass


def _exchange(built: Built, first: str, second: str) -> None:
    """Exchange the names of two populations, at the ends of projections too."""
    names = {first: second, second: first}
    populations = {names.get(name, name): each for name, each in built.populations.items()}
    projections = {
        (names.get(source, source), names.get(target, target)): each
        for (source, target), each in built.projections.items()
    }
    built.populations.clear()
    built.populations.update(populations)
    built.projections.clear()
    built.projections.update(projections)


def _change_synapses(built: Built, simulator: str, mutation: str, ends: tuple[str, str]) -> None:
    if mutation == "missing projection":
        del built.projections[ends]
        return
    each = [one for held in built.projections[ends] for one in _handles(held, simulator)]
    matrix = np.zeros((4, 4))
    for one in each:
        if mutation == "transposed":
            matrix[one.source, one.target] = one.weight
    for number, one in enumerate(each):
        if mutation == "weight" and number == 1:
            one.set_weight(1.25 * one.weight)
        if mutation == "transposed":
            one.set_weight(matrix[one.target, one.source])
        if mutation == "delay":
            one.set_delay(1.0)


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
