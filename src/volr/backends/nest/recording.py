"""What NEST hands out: what was recorded of one batch of stimuli, and what there is.

It imports no NEST; the objects are what ``kernel.py`` made. The clock of a kernel goes on from
batch to batch, so a batch has a step in which it ``began``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.messages import spike_list, text_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.backends.messages import Arrays, Settings


# Synapses that NEST is asked for at a time.
_TOGETHER = 100_000


@dataclass(frozen=True)
class Counter:
    """Neurons that count spikes, and the ``meter`` that reads all of them."""

    counters: Any
    meter: Any


@dataclass(frozen=True)
class Devices:
    """Recording devices by population."""

    recorders: dict[str, Any]
    counters: dict[str, Counter]
    meters: dict[str, Any]

    @property
    def recording(self) -> list[Any]:
        """Those that keep events."""
        counting = (each.meter for each in self.counters.values())
        return [*self.recorders.values(), *self.meters.values(), *counting]


def recorded(
    nodes: dict[str, Any], devices: Devices, settings: Settings, side_by_side: int, began: int
) -> Arrays:
    """The answer of ``volr.backends.nest.kernel.handle``.

    Of ``side_by_side`` copies of the network, the first ``copies`` have stimuli.
    """
    copies: int = settings["copies"]
    steps: int = settings["steps"]
    answer: Arrays = {}

    def events(recorder: Any, name: str) -> _Events:
        return _events(recorder, nodes[name], settings, began, side_by_side)

    for name, recorder in devices.recorders.items():
        found = events(recorder, name)
        spikes = np.zeros((steps, copies, settings["populations"][name]), dtype=np.bool_)
        spikes[found.steps, found.stimuli, found.neurons] = True
        answer[f"{name}.spikes"] = spikes
        answer[f"{name}.counts"] = spikes.sum(axis=0)
    for name, counter in devices.counters.items():
        counts = np.zeros(side_by_side * settings["populations"][name], dtype=np.int64)
        # Asked once: each time, NEST copies all of them.
        found = counter.meter.events
        senders = np.asarray(found["senders"], dtype=np.int64)
        counts[senders - int(counter.counters[0].global_id)] = np.rint(found["V_m"])
        answer[f"{name}.counts"] = counts.reshape(side_by_side, -1)[:copies]
    for name, meter in devices.meters.items():
        size: int = settings["populations"][name]
        neurons: Settings = settings["neurons"][name]
        found = events(meter, name)
        potential = found.of["V_m"][found.within]
        if name in settings["raised"]:
            lowest = _by_unit(neurons, "omega", size)[found.neurons]
            potential = potential - (found.of["V_th"][found.within] - lowest)
        membrane = np.full((steps, copies, size), np.nan)
        membrane[found.steps, found.stimuli, found.neurons] = potential
        rest = _by_unit(neurons, "E_L", size)
        if name in settings["membranes"]:
            answer[f"{name}.membranes"] = membrane
        if name in settings["means"]:
            answer[f"{name}.means"] = (membrane - rest).mean(axis=0)
        if name in settings["finals"]:
            answer[f"{name}.finals"] = membrane[-1] - rest
    return answer


def _by_unit(neurons: Settings, key: str, size: int) -> NDArray[np.float64]:
    """A parameter of each neuron of a population, ``[unit]``."""
    values = neurons["by_unit"].get(key, neurons["defaults"][key])
    return np.broadcast_to(np.asarray(values, dtype=np.float64), (size,))


@dataclass(frozen=True)
class _Events:
    """Events of the steps of a stimulus: ``within`` says which of all events, ``of``, these are."""

    of: dict[str, NDArray[Any]]
    within: NDArray[np.bool_]
    steps: NDArray[np.int64]
    neurons: NDArray[np.int64]
    stimuli: NDArray[np.int64]


def _events(
    recorder: Any, nodes: Any, settings: Settings, began: int, side_by_side: int
) -> _Events:
    of: dict[str, NDArray[Any]] = recorder.events
    steps = np.rint(np.asarray(of["times"]) / settings["dt"]).astype(np.int64) - 1 - began
    # Where nothing was recorded, NEST's empty list of senders is one of floats.
    index = np.asarray(of["senders"], dtype=np.int64) - int(nodes[0].global_id)
    size = len(nodes) // side_by_side
    stimuli, neurons = np.divmod(index, size)
    within = (steps >= 0) & (steps < settings["steps"]) & (stimuli < settings["copies"])
    return _Events(of, within, steps[within], neurons[within], stimuli[within])


def contents(
    nodes: dict[str, Any],
    devices: Devices,
    synapses: Any,
    resolution: float,
    ask: dict[str, list[str]],
) -> Arrays:
    """What NEST says about the nodes and about all ``synapses``: see ``kernel.handle``."""
    answer: Arrays = {"resolution": np.array([resolution])}
    counting = (counter.counters for counter in devices.counters.values())
    every = [*devices.recorders.values(), *devices.meters.values(), *counting]
    answer["devices"] = np.concatenate([np.empty(0, np.int64), *map(ids, every)])
    for name, population in nodes.items():
        # Of a single node, `get` gives no list.
        model = ", ".join(np.unique(np.array(population.get("model"))).tolist())
        answer[f"{name}.nodes"] = ids(population)
        answer[f"{name}.model"] = text_array(model)
        answer[f"{name}.drive"] = _drive(population, model, resolution)
        for parameter in ask.get(model, []):
            values = np.atleast_1d(population.get(parameter))
            answer[f"{name}.{parameter}"] = values.astype(np.float64)
    wanted = {"source": np.int64, "target": np.int64, "weight": np.float64, "delay": np.float64}
    parts = {key: [np.empty(0, dtype)] for key, dtype in wanted.items()}
    for first in range(0, len(synapses), _TOGETHER):
        # NEST makes a dictionary of some kilobytes for each.
        held: dict[str, Any] = synapses[first : first + _TOGETHER].get(list(wanted))
        for key, dtype in wanted.items():
            parts[key].append(np.atleast_1d(held[key]).astype(dtype))
    return answer | {f"synapses.{key}": np.concatenate(each) for key, each in parts.items()}


def _drive(population: Any, model: str, resolution: float) -> NDArray[Any]:
    """The constant current into each node; of sources, their spikes."""
    if model != "spike_generator":
        return np.atleast_1d(np.asarray(population.get("I_e"), dtype=np.float64))
    times: Any = population.get("spike_times")
    # Of a single node, `get` gives no list of lists.
    each = [times] if len(population) == 1 else times
    neurons = np.repeat(np.arange(len(population)), [len(train) for train in each])
    # A spike of the first step has the time dt.
    steps = np.rint(np.concatenate([np.empty(0), *each]) / resolution) - 1
    return spike_list(neurons, steps)


def ids(nodes: Any) -> NDArray[np.int64]:
    """NEST's numbers of the nodes, which are consecutive."""
    first = int(nodes[0].global_id)
    return np.arange(first, first + len(nodes))
