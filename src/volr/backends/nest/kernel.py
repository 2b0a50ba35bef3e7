"""What runs inside a NEST process: many copies of one network side by side, each with its stimulus.

A network is built once and runs one batch of stimuli after another. Building it anew takes longer
than a batch. ``_put_back`` takes it back to rest in between, so that nothing can leak from one
stimulus to the next: no membrane, no refractory neuron, no current, no spike in flight. A test
compares it with a network that is new, spike for spike.

NEST's Python layer is used in the ways that are cheap: ``Create`` takes what neurons share from the
model's defaults; ``_set`` sets what they do not; and one ``Connect`` call takes a projection's
synapses, of all copies, as plain arrays, in the order NEST keeps them in.

Neuron j of copy c is node ``first + c · size + j``, so a copy's spikes find their targets side by
side in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nest
import numpy as np
from nest import nestkernel_api

from volr.backends.nest.recording import Counter, Devices, contents, ids, recorded
from volr.backends.reuse import padded, same_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.backends.messages import Arrays, Request, Settings


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
# Spikes of the last step arrive a step later, and a meter shows that another step later.
AFTER = 2
# Steps in which a current decays to 0 once its time constant is short (``quiet`` in the settings),
# and in which a solver without anything to solve comes back to steps of its longest length.
DECAY, SETTLE = 4, 4


@dataclass
class _Built:
    """A network, what it was ``made_of``, and the step in which its present batch ``began``."""

    nodes: dict[str, Any]
    devices: Devices
    copies: int
    made_of: Request
    began: int = 0


_KEPT: list[_Built] = []
"""The network that NEST has, if it can be used again."""


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """Simulate one batch, or say what was built; all in NEST's own names and units.

    ``settings``: ``copies``, ``dt`` and ``steps`` (ms); ``neurons`` by population, each its
    ``model``, the ``defaults`` of that, what is other ``by_unit``, and how they are taken back to
    rest: parameters while they are ``quiet``, and what is then ``emptied``; ``populations`` with
    their sizes, ``inputs``, ``projections`` with their ends, and their ``delays`` (ms); what to
    record: ``spiking`` (counts), ``spikes``, ``membranes``, ``means``, ``finals``; ``raised``, the
    populations whose reset is a threshold that is raised. ``arrays``: ``source->target.pre``,
    ``.post`` and ``.weight`` ``[synapse]``; ``name.current`` ``[unit]``; for an input
    ``name.current`` ``[batch, unit]`` or ``name.spikes`` ``[time, batch, unit]``. The answer has
    ``name.counts``, ``name.means`` and ``name.finals`` ``[batch, unit]``, ``name.spikes`` and
    ``name.membranes`` ``[time, batch, unit]``.

    With ``ask``, the parameters wanted of a neuron by its model, nothing is simulated, and the
    answer is ``resolution`` ms; ``name.nodes``, ``name.model`` (text), ``name.`` each parameter,
    ``[unit]``, and ``name.drive``, the current that drives each, or the ``spike_list`` of what is
    given; of all synapses ``synapses.source``, ``target``, ``weight`` and ``delay``; and
    ``devices``, the numbers of what counts, records and measures.
    """
    kept = _KEPT[0] if _KEPT else None
    _KEPT.clear()
    if "ask" in settings:
        nodes = _build(arrays, settings)
        devices = _attach(nodes, settings)
        return contents(nodes, devices, nest.GetConnections(), nest.resolution, settings["ask"])
    if kept is not None and same_network(kept.made_of, (arrays, settings)):
        _put_back(kept, settings)
        _stimulate(kept, padded(arrays, settings["inputs"], kept.copies), settings)
    else:
        nodes = _build(arrays, settings)
        devices = _attach(nodes, settings)
        kept = _Built(nodes, devices, settings["copies"], (arrays, settings))
    nest.Simulate((settings["steps"] + AFTER) * settings["dt"])
    _KEPT.append(kept)
    return recorded(kept.nodes, kept.devices, settings, kept.copies, kept.began)


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
            trains = _spike_times(arrays[f"{name}.spikes"], settings["dt"])
            nodes[name] = nest.Create("spike_generator", len(trains))
            _set(nodes[name], [{"spike_times": each} for each in trains])
            continue
        # Those of an input are given for each copy.
        currents = arrays[f"{name}.current"]
        every = currents.ravel() if currents.ndim == 2 else np.tile(currents, copies)
        nest.SetDefaults(neurons[name]["model"], neurons[name]["defaults"])
        nodes[name] = nest.Create(neurons[name]["model"], every.size)
        _set_by_unit(nodes[name], neurons[name]["by_unit"])
        _set_currents(nodes[name], every)
    for name, source, target in settings["projections"]:
        # As a default and not beside each weight: that would be another array to walk through.
        nest.SetDefaults("static_synapse", {"delay": settings["delays"][name]})
        pre, post, weight = (arrays[f"{name}.{key}"] for key in ("pre", "post", "weight"))
        _connect(nodes[source], nodes[target], pre, post, weight, copies)
    return nodes


def _put_back(built: _Built, settings: Settings) -> None:
    """Take the network back to rest, where it was when it was new.

    Thresholds are out of reach until the last spike in flight has arrived and no neuron is
    refractory. Meanwhile currents, those that stay among them, and thresholds that were raised,
    decay with time constants so short that exactly nothing is left. Conductances can be set to 0.
    Their solver begins with the length of its last step, so it then gets some steps in which
    nothing happens.
    """
    neurons: dict[str, Settings] = settings["neurons"]
    for name, each in neurons.items():
        _set(built.nodes[name], [each["quiet"]])
    nest.Simulate(_quiet_steps(settings) * settings["dt"])
    emptied = [name for name, each in neurons.items() if each["emptied"]]
    for name in emptied:
        _set(built.nodes[name], [{**neurons[name]["emptied"], "I_e": 0.0}])
        _restore(built.nodes[name], neurons[name], ["V_m"])
    if emptied:
        nest.Simulate(SETTLE * settings["dt"])
    for name, each in neurons.items():
        _restore(built.nodes[name], each, [*each["quiet"], "V_m"])
    for name in emptied:
        if name not in settings["inputs"]:
            own = built.made_of[0][f"{name}.current"]
            _set_currents(built.nodes[name], np.tile(own, built.copies))
    for counter in built.devices.counters.values():
        _set(counter.counters, [{"V_m": COUNTER["V_m"]}])
    for device in built.devices.recording:
        _set(device, [{"n_events": 0}])
    built.began += _period(settings)


def _quiet_steps(settings: Settings) -> int:
    """The steps after which nothing is in flight, no neuron rests, and currents have decayed."""
    numbers = ({**each["defaults"], **each["by_unit"]} for each in settings["neurons"].values())
    rests = (float(np.max(each["t_ref"])) for each in numbers)
    longest = max(settings["dt"], *settings["delays"].values(), *rests)
    return round(longest / settings["dt"]) + DECAY


def _period(settings: Settings) -> int:
    """The steps from the beginning of one batch to that of the next."""
    settle = SETTLE if any(each["emptied"] for each in settings["neurons"].values()) else 0
    steps: int = settings["steps"]
    return steps + AFTER + _quiet_steps(settings) + settle


def _stimulate(built: _Built, drives: Arrays, settings: Settings) -> None:
    """Drive the inputs of all copies."""
    for name in settings["inputs"]:
        if name in settings["neurons"]:
            _set_currents(built.nodes[name], drives[f"{name}.current"].ravel())
        else:
            trains = _spike_times(drives[f"{name}.spikes"], settings["dt"])
            origin = built.began * settings["dt"]
            _set(built.nodes[name], [{"origin": origin, "spike_times": each} for each in trains])


def _attach(nodes: dict[str, Any], settings: Settings) -> Devices:
    dt: float = settings["dt"]
    found = Devices({}, {}, {})
    # Of the networks' own neurons none is still to be made.
    nest.SetDefaults("iaf_psc_delta", COUNTER)
    for name in settings["populations"]:
        if name in settings["spikes"]:
            recorder = found.recorders[name] = nest.Create("spike_recorder")
            # The default delay of 1 ms need not be a whole number of steps.
            nest.Connect(nodes[name], recorder, "all_to_all", {"delay": dt})
        elif name in settings["spiking"]:
            found.counters[name] = _counting(nodes[name], settings)
        if any(name in settings[kind] for kind in ("membranes", "means", "finals")):
            seen = ["V_m", "V_th"] if name in settings["raised"] else ["V_m"]
            meter = nest.Create("multimeter", params={"record_from": seen, "interval": dt})
            nest.Connect(meter, nodes[name], "all_to_all", {"delay": dt})
            found.meters[name] = meter
    return found


def _counting(nodes: Any, settings: Settings) -> Counter:
    """A neuron for each of ``nodes`` that counts its spikes, read when all have arrived.

    A recorder would cost ten times as much: NEST makes room for 1,024 synapses from each recorded
    neuron to devices.
    """
    dt: float = settings["dt"]
    counters = nest.Create("iaf_psc_delta", len(nodes))
    nest.Connect(nodes, counters, "one_to_one", {"weight": 1.0, "delay": dt})
    when = {"interval": _period(settings) * dt, "offset": (settings["steps"] + 1) * dt}
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], **when})
    nest.Connect(meter, counters, "all_to_all", {"delay": dt})
    return Counter(counters, meter)


def _spike_times(spikes: NDArray[np.bool_], dt: float) -> list[NDArray[Any]]:
    """When each neuron of each copy spikes, ms after the beginning of the batch.

    NEST is not asked for ``dt``: it would take a tenth of a millisecond for each neuron.
    """
    trains = spikes.transpose(1, 2, 0).reshape(-1, spikes.shape[0])
    return [(np.flatnonzero(train) + 1) * dt for train in trains]


def _set_by_unit(nodes: Any, by_unit: dict[str, list[float]]) -> None:
    """Parameters that differ by unit, of every copy."""
    if by_unit:
        rows = zip(*by_unit.values(), strict=True)
        units = [dict(zip(by_unit, row, strict=True)) for row in rows]
        _set(nodes, units * (len(nodes) // len(units)))


def _restore(nodes: Any, neurons: Settings, names: list[str]) -> None:
    """Give these parameters of a population the values that it was made with."""
    defaults, by_unit = neurons["defaults"], neurons["by_unit"]
    _set(nodes, [{key: defaults[key] for key in names if key in defaults}])
    _set_by_unit(nodes, {key: by_unit[key] for key in names if key in by_unit})


def _set_currents(nodes: Any, currents: NDArray[np.float64]) -> None:
    _set(nodes, [{"I_e": current} for current in currents.tolist()])


def _set(nodes: Any, each: list[dict[str, Any]]) -> None:
    """What ``nodes.set(each)`` does once it has asked every node whether it lives in this process,
    which costs ten times as much as the setting. A list of one is for all nodes.
    """
    nestkernel_api.llapi_set_nc_status(nodes._datum, each)


def _connect(
    source: Any,
    target: Any,
    pre: NDArray[np.int64],
    post: NDArray[np.int64],
    weight: NDArray[np.float64],
    copies: int,
) -> None:
    # By source, as they come: what one spike sets off lies side by side.
    if not weight.size:
        return
    nest.Connect(
        ids(source).reshape(copies, -1)[:, pre].ravel(),
        ids(target).reshape(copies, -1)[:, post].ravel(),
        "one_to_one",
        {"synapse_model": "static_synapse", "weight": np.tile(weight, copies)},
    )
