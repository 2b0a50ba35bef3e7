"""What runs inside a NEST process: many copies of one network side by side, each with its stimulus.

The kernel is reset before every batch and the copies are built anew, so nothing can leak from one
stimulus to the next: no membrane, no refractory neuron, no spike in flight. Building is more than
half of the work, so NEST's Python layer is used in the ways that are cheap: ``Create`` takes what
neurons share from the model's defaults; ``_set`` sets what they do not; and one ``Connect`` call
takes a projection's synapses, of all copies, as plain arrays, in the order NEST keeps them in.

Neuron j of copy c is node ``first + c · size + j``, so a copy's spikes find their targets side by
side in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nest
import numpy as np
from nest import nestkernel_api

from volr.backends.messages import text_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.backends.messages import Arrays, Settings


# A neuron that counts: every spike lifts it by 1 mV, and it neither decays nor spikes.
COUNTER: dict[str, float] = {
    "E_L": 0.0,
    "V_m": 0.0,
    "V_reset": 0.0,
    "V_th": 1e300,
    "V_min": -1e300,
    "tau_m": 1e300,
    "C_m": 1.0,
    "t_ref": 0.0,
    "I_e": 0.0,
}


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """Build one batch and simulate it, or say what was built; all in NEST's own names and units.

    ``settings``: ``copies``, ``dt`` and ``steps`` (ms); ``neurons`` by population, each its
    ``model``, the ``defaults`` of that, and the ``delay`` (ms) of synapses onto them;
    ``populations`` with their sizes, ``inputs``, ``projections`` as pairs; what to record:
    ``spiking`` (counts), ``spikes``, ``membranes``, ``means``; ``raised``, the populations whose
    reset is a threshold that is raised. ``arrays``:
    ``source->target.weight`` ``[post, pre]``; ``name.current`` ``[unit]``; for an input
    ``name.current`` ``[batch, unit]`` or ``name.spikes`` ``[time, batch, unit]``. The answer has
    ``name.counts`` and ``name.means`` ``[batch, unit]``, ``name.spikes`` and ``name.membranes``
    ``[time, batch, unit]``.

    With ``ask``, the parameters wanted of a neuron by its model, nothing is simulated, and the
    answer is ``resolution`` ms; ``name.nodes``, ``name.model`` (text), ``name.`` each parameter,
    ``[unit]``, and ``name.drive``, the current or the number of spikes that drives each; of all
    synapses ``synapses.source``, ``target``, ``weight`` and ``delay``; and ``devices``, the numbers
    of what counts, records and measures.
    """
    nodes = _build(arrays, settings)
    devices = _attach(nodes, settings)
    if "ask" in settings:
        return _contents(nodes, devices, settings["ask"])
    return _simulate(nodes, devices, settings)


def _build(arrays: Arrays, settings: Settings) -> dict[str, Any]:
    """The connected nodes of each population, in a kernel that has nothing else."""
    copies: int = settings["copies"]
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = settings["dt"]
    neurons: dict[str, Settings] = settings["neurons"]
    nodes: dict[str, Any] = {}
    for name in settings["populations"]:
        if name not in neurons:
            nodes[name] = _sources(arrays[f"{name}.spikes"])
            continue
        # Those of an input are given for each copy.
        currents = arrays[f"{name}.current"]
        every = currents.ravel() if currents.ndim == 2 else np.tile(currents, copies)
        nest.SetDefaults(neurons[name]["model"], neurons[name]["defaults"])
        nodes[name] = nest.Create(neurons[name]["model"], every.size)
        _set(nodes[name], [{"I_e": current} for current in every.tolist()])
    for source, target in settings["projections"]:
        # As a default and not beside each weight: that would be another array to walk through.
        nest.SetDefaults("static_synapse", {"delay": neurons[target]["delay"]})
        weights = arrays[f"{source}->{target}.weight"]
        _connect(nodes[source], nodes[target], weights, copies)
    return nodes


def _contents(nodes: dict[str, Any], devices: _Devices, ask: dict[str, list[str]]) -> Arrays:
    """What NEST says about the nodes and about all synapses."""
    answer: Arrays = {"resolution": np.array([nest.resolution])}
    counting = (counter.counters for counter in devices.counters.values())
    every = [*devices.recorders.values(), *devices.meters.values(), *counting]
    answer["devices"] = np.concatenate([np.empty(0, np.int64), *map(_ids, every)])
    for name, population in nodes.items():
        # Of a single node, `get` gives no list.
        model = ", ".join(np.unique(np.array(population.get("model"))).tolist())
        answer[f"{name}.nodes"] = _ids(population)
        answer[f"{name}.model"] = text_array(model)
        answer[f"{name}.drive"] = _drive(population, model)
        for parameter in ask.get(model, []):
            values = np.atleast_1d(population.get(parameter))
            answer[f"{name}.{parameter}"] = values.astype(np.float64)
    synapses = nest.GetConnections()
    wanted = {"source": np.int64, "target": np.int64, "weight": np.float64, "delay": np.float64}
    held: dict[str, Any] = synapses.get(list(wanted)) if len(synapses) else {}
    for key, dtype in wanted.items():
        answer[f"synapses.{key}"] = np.atleast_1d(held.get(key, ())).astype(dtype)
    return answer


def _drive(population: Any, model: str) -> NDArray[np.float64]:
    """The constant current into each node; of sources, the number of spikes."""
    if model != "spike_generator":
        return np.atleast_1d(np.asarray(population.get("I_e"), dtype=np.float64))
    times: Any = population.get("spike_times")
    # Of a single node, `get` gives no list of lists.
    each = [times] if len(population) == 1 else times
    return np.array([len(train) for train in each], dtype=np.float64)


@dataclass(frozen=True)
class _Counter:
    """Neurons that count spikes, the ``meter`` that reads all of them, and the first one's
    number."""

    counters: Any
    meter: Any
    first: int


@dataclass(frozen=True)
class _Devices:
    """Recording devices by population."""

    recorders: dict[str, Any]
    counters: dict[str, _Counter]
    meters: dict[str, Any]


def _attach(nodes: dict[str, Any], settings: Settings) -> _Devices:
    dt: float = settings["dt"]
    steps: int = settings["steps"]
    found = _Devices({}, {}, {})
    # Of the networks' own neurons none is still to be made.
    nest.SetDefaults("iaf_psc_delta", COUNTER)
    for name in settings["populations"]:
        if name in settings["spikes"]:
            recorder = found.recorders[name] = nest.Create("spike_recorder")
            # The default delay of 1 ms need not be a whole number of steps.
            nest.Connect(nodes[name], recorder, "all_to_all", {"delay": dt})
        elif name in settings["spiking"]:
            found.counters[name] = _counting(nodes[name], dt, (steps + 1) * dt)
        if name in settings["membranes"] or name in settings["means"]:
            seen = ["V_m", "V_th"] if name in settings["raised"] else ["V_m"]
            meter = nest.Create("multimeter", params={"record_from": seen, "interval": dt})
            nest.Connect(meter, nodes[name], "all_to_all", {"delay": dt})
            found.meters[name] = meter
    return found


def _simulate(nodes: dict[str, Any], devices: _Devices, settings: Settings) -> Arrays:
    copies: int = settings["copies"]
    dt: float = settings["dt"]
    steps: int = settings["steps"]
    # Spikes of the last step arrive a step later, and a meter shows that another step later.
    nest.Simulate((steps + 2) * dt)

    answer: Arrays = {}
    for name, recorder in devices.recorders.items():
        found = _events(recorder, nodes[name], dt, steps, copies)
        spikes = np.zeros((steps, copies, settings["populations"][name]), dtype=np.bool_)
        spikes[found.steps, found.stimuli, found.neurons] = True
        answer[f"{name}.spikes"] = spikes
        answer[f"{name}.counts"] = spikes.sum(axis=0)
    for name, counter in devices.counters.items():
        counts = np.zeros(copies * settings["populations"][name], dtype=np.int64)
        # Asked once: each time, NEST copies all of them.
        found = counter.meter.events
        counts[found["senders"] - counter.first] = np.rint(found["V_m"])
        answer[f"{name}.counts"] = counts.reshape(copies, -1)
    for name, meter in devices.meters.items():
        defaults: dict[str, float] = settings["neurons"][name]["defaults"]
        found = _events(meter, nodes[name], dt, steps, copies)
        potential = found.of["V_m"]
        if name in settings["raised"]:
            potential = potential - (found.of["V_th"] - defaults["omega"])
        membrane = np.full((steps, copies, settings["populations"][name]), np.nan)
        membrane[found.steps, found.stimuli, found.neurons] = potential[found.within]
        if name in settings["membranes"]:
            answer[f"{name}.membranes"] = membrane
        if name in settings["means"]:
            answer[f"{name}.means"] = (membrane - defaults["E_L"]).mean(axis=0)
    return answer


def _counting(nodes: Any, dt: float, end: float) -> _Counter:
    """A neuron for each of ``nodes`` that counts its spikes, read at ``end`` ms.

    A recorder would cost ten times as much: NEST makes room for 1,024 synapses from each recorded
    neuron to devices.
    """
    counters = nest.Create("iaf_psc_delta", len(nodes))
    nest.Connect(nodes, counters, "one_to_one", {"weight": 1.0, "delay": dt})
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": end})
    nest.Connect(meter, counters, "all_to_all", {"delay": dt})
    return _Counter(counters, meter, int(counters[0].global_id))


@dataclass(frozen=True)
class _Events:
    """Events of the steps of a stimulus: ``within`` says which of all events, ``of``, these are."""

    of: dict[str, NDArray[Any]]
    within: NDArray[np.bool_]
    steps: NDArray[np.int64]
    neurons: NDArray[np.int64]
    stimuli: NDArray[np.int64]


def _sources(spikes: NDArray[np.bool_]) -> Any:
    """A source for each train of spikes."""
    dt = nest.resolution
    trains = spikes.transpose(1, 2, 0).reshape(-1, spikes.shape[0])
    sources = nest.Create("spike_generator", len(trains))
    _set(sources, [{"spike_times": (np.flatnonzero(train) + 1) * dt} for train in trains])
    return sources


def _set(nodes: Any, each: list[dict[str, Any]]) -> None:
    """What ``nodes.set(each)`` does once it has asked every node whether it lives in this process,
    which costs ten times as much as the setting.
    """
    nestkernel_api.llapi_set_nc_status(nodes._datum, each)


def _connect(source: Any, target: Any, weights: NDArray[np.float64], copies: int) -> None:
    post, pre = weights.shape
    # By source: what one spike sets off lies side by side.
    sources, targets = np.nonzero(~np.isnan(weights.T))
    nest.Connect(
        _ids(source).reshape(copies, pre)[:, sources].ravel(),
        _ids(target).reshape(copies, post)[:, targets].ravel(),
        "one_to_one",
        {
            "synapse_model": "static_synapse",
            "weight": np.tile(weights[targets, sources], copies),
        },
    )


def _ids(nodes: Any) -> NDArray[np.int64]:
    first = int(nodes[0].global_id)
    return np.arange(first, first + len(nodes))


def _events(recorder: Any, nodes: Any, dt: float, steps: int, copies: int) -> _Events:
    of: dict[str, NDArray[Any]] = recorder.events
    ends = np.rint(np.asarray(of["times"]) / dt).astype(np.int64)
    within = ends <= steps
    # Where nothing was recorded, NEST's empty list of senders is one of floats.
    index = np.asarray(of["senders"], dtype=np.int64)[within] - int(nodes[0].global_id)
    size = len(nodes) // copies
    return _Events(of, within, ends[within] - 1, index % size, index // size)
