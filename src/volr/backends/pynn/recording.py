"""What PyNN hands out of a simulator: what was recorded, and what there is.

It imports no PyNN; the objects are what ``kernel.py`` made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.messages import spike_list, text_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.backends.messages import Arrays, Settings


@dataclass(frozen=True)
class Built:
    """``projections``: one for each receptor that the synapses between two populations have."""

    sim: Any
    populations: dict[str, Any]
    projections: dict[tuple[str, str], list[Any]]


def is_given(population: Any) -> bool:
    return "spike_times" in population.celltype.default_parameters


def run(built: Built, settings: Settings, copies: int) -> Arrays:
    """Simulate what was built; the answer of ``volr.backends.pynn.kernel.handle``.

    A population that is to be watched is ``stuck`` under a stimulus where a neuron is above its
    threshold after a step, and yet did not spike in it.
    """
    dt, steps = settings["dt"], settings["steps"]
    # PyNN hands out what happened up to now, or just before: the last step must be over.
    built.sim.run((steps + 1) * dt)
    answer: Arrays = {}
    for name, population in built.populations.items():
        if is_given(population):
            continue
        parameters = {
            key: np.array(each) for key, each in settings["neurons"][name]["parameters"].items()
        }
        shape = (steps, copies, settings["populations"][name])
        recorded = {each.name for each in population.recorder.recorded}
        spikes = np.zeros(shape, dtype=np.bool_)
        if "spikes" in recorded:
            spikes = _spikes(population, settings).reshape(shape)
            if name in settings["spikes"]:
                answer[f"{name}.spikes"] = spikes
            if name in settings["spiking"]:
                answer[f"{name}.counts"] = spikes.sum(axis=0)
        if "v" in recorded:
            membranes = _membranes(population, steps).reshape(shape)
            if name in settings["watch"]:
                stuck = np.logical_and(membranes > parameters["v_thresh"], ~spikes)
                answer[f"{name}.stuck"] = np.asarray(stuck.any(axis=(0, 2)))
            if settings["simulator"] == "neuron":
                # It resets a membrane when the next step begins.
                membranes[spikes] = np.broadcast_to(parameters["v_reset"], shape)[spikes]
            if name in settings["membranes"]:
                answer[f"{name}.membranes"] = membranes
            if name in settings["means"]:
                answer[f"{name}.means"] = (membranes - parameters["v_rest"]).mean(axis=0)
            if name in settings["finals"]:
                answer[f"{name}.finals"] = membranes[-1] - parameters["v_rest"]
    return answer


# `get_data` would make Neo objects of this, neuron by neuron, and read them back: the slowest part.
def _spikes(population: Any, settings: Settings) -> NDArray[np.bool_]:
    """``[time, cell]``."""
    dt, steps, first = settings["dt"], settings["steps"], settings["first"]
    found = population.recorder._get_spiketimes(sorted(population.all_cells))
    cells: NDArray[Any]
    times: NDArray[Any]
    if isinstance(found, tuple):
        cells, times = (np.asarray(each) for each in found)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    else:
        trains: dict[Any, NDArray[Any]] = found
        cells = np.repeat(np.array([int(each) for each in trains]), [*map(len, trains.values())])
        times = np.concatenate([*trains.values()])
    step = np.rint(times / dt).astype(np.int64) - first
    spikes = np.zeros((steps, population.size), dtype=np.bool_)
    within = (step >= 0) & (step < steps)
    spikes[step[within], cells[within].astype(np.int64) - int(population.first_id)] = True
    return spikes


def _membranes(population: Any, steps: int) -> NDArray[np.float64]:
    """mV, ``[time, cell]``; PyNN puts the start before the first step."""
    (variable,) = (each for each in population.recorder.recorded if each.name == "v")
    cells = sorted(population.all_cells)
    values, _ = population.recorder._get_all_signals(variable, cells)
    return np.array(values, dtype=np.float64)[1 : steps + 1]


def contents(built: Built, ask: dict[str, list[str]], first: int) -> Arrays:
    """What PyNN says that the simulator holds.

    ``dt``; ``name.cells``, how many; ``name.drive``, the current that drives each, or the
    ``spike_list`` of what is given, in steps from ``first`` on; ``name.read`` where a population is
    recorded; of neurons ``name.model`` and ``name.reset``, as texts, and ``name.`` each parameter
    ``[unit]``; ``source->target.pre``, ``.post``, ``.weight`` (signed) and ``.delay`` of each
    synapse.
    """
    answer: Arrays = {"dt": np.array([_step(built.sim)])}
    for name, population in built.populations.items():
        answer[f"{name}.cells"] = np.array([_size(population)])
        if population.recorder.recorded:
            answer[f"{name}.read"] = np.array([True])
        if is_given(population):
            neurons, times = _given(population)
            steps = np.rint(times / answer["dt"]) - first
            answer[f"{name}.drive"] = spike_list(neurons, steps)
            continue
        model, reset = _model(population)
        answer[f"{name}.model"] = text_array(model)
        answer[f"{name}.reset"] = text_array(reset)
        wanted = ask[name]
        for parameter, values in zip(wanted, population.get(wanted, simplify=False), strict=True):
            each = np.asarray(values, dtype=np.float64)
            answer[f"{name}.{parameter}"] = np.broadcast_to(each, (len(population),))
        answer[f"{name}.drive"] = answer[f"{name}.i_offset"]
    for (source, target), projections in built.projections.items():
        held = [_synapses_of(projection) for projection in projections]
        signs = [_sign(projection) for projection in projections]
        pre, post, weight, delay = (np.concatenate(each) for each in zip(*held, strict=True))
        key = f"{source}->{target}"
        answer[f"{key}.pre"], answer[f"{key}.post"] = pre, post
        answer[f"{key}.weight"] = weight * np.repeat(signs, [len(each[0]) for each in held])
        answer[f"{key}.delay"] = delay
    return answer


def _step(sim: Any) -> float:
    """The time step, ms, that the simulator says."""
    simulator = sim.simulator
    match simulator.name:
        case "NEST":
            return float(simulator.nest.resolution)
        case "Brian2":
            clocks = {float(one.clock.dt_) for one in simulator.state.network.objects}
            return 1000.0 * clocks.pop() if len(clocks) == 1 else float("nan")
        case _:
            return float(simulator.h.dt)


def _size(population: Any) -> int:
    match population._simulator.name:
        case "NEST":
            return len(population.node_collection)
        case "Brian2":
            return int(population.brian2_group.N)
        case _:
            return sum(hasattr(each, "_cell") for each in population.all_cells)


def _given(population: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """The cell and the time, ms, of each spike of sources."""
    if population._simulator.name == "Brian2":
        # PyNN fails to convert the units of what it reads from there.
        held = population.brian2_group.variables
        times = np.asarray(held["spike_time"].get_value())
        return np.asarray(held["neuron_index"].get_value()), 1000.0 * times
    held = population.get("spike_times", simplify=False)
    # Of one cell alone, PyNN gives the times themselves.
    each = [held] if population.size == 1 else held
    trains = [np.ravel(getattr(train, "value", train)) for train in each]
    cells = np.repeat(np.arange(len(trains)), [train.size for train in trains])
    return cells, np.concatenate([np.empty(0), *trains])


def _model(population: Any) -> tuple[str, str]:
    """What the simulator's neurons are, and how they are reset, in its own words.

    NEST's model; of Brian2 what solves the equations over a step, its threshold and its reset; of
    NEURON its synapses and what resets a membrane.
    """
    match population._simulator.name:
        case "NEST":
            models = np.atleast_1d(np.asarray(population.node_collection.get("model")))
            return ", ".join(sorted(set(models.tolist()))), ""
        case "Brian2":
            group = population.brian2_group
            method = group.state_updater.method_choice
            solution = method(group.equations) if callable(method) else str(method)
            return str(solution), f"{group.events['spike']}; {group.event_codes['spike']}"
        case _:
            kinds = {
                f"{cell.syn_type} {cell.syn_shape}"
                for cell in (each._cell for each in population.all_cells)
            }
            resets = {each._cell.spike_reset.hname().split("[")[0] for each in population.all_cells}
            return ", ".join(sorted(kinds)), ", ".join(sorted(resets))


def _synapses_of(projection: Any) -> tuple[NDArray[Any], ...]:
    """Source, target, weight and delay of each, as PyNN has them."""
    wanted = ["weight", "delay"]
    if projection._simulator.name == "Brian2":
        # Its list fails where there is but one synapse; on NEST, arrays take a second each.
        weights, delays = projection.get(wanted, format="array")
        pre, post = np.nonzero(~np.isnan(weights))
        return pre, post, weights[pre, post], delays[pre, post]
    rows = np.array(projection.get(wanted, format="list"), dtype=np.float64)
    pre, post = rows[:, :2].astype(np.int64).T
    return pre, post, rows[:, 2], rows[:, 3]


def _sign(projection: Any) -> float:
    """The factor from PyNN's weights to Volr's."""
    cell = projection.post.celltype
    if cell.conductance_based and projection.receptor_type == "inhibitory":
        return -1.0
    # It divides by a thousand what it reads from NEST, which holds these in mV.
    jumps = getattr(cell, "voltage_based_synapses", False)
    return 1000.0 if jumps and projection._simulator.name == "NEST" else 1.0
