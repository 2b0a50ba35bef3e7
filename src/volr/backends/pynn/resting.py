"""A network of PyNN's on NEST, taken back to rest so that it can run the next batch of stimuli.

PyNN's own reset sets membranes alone. It leaves synaptic currents, neurons that are refractory and
spikes in flight. Here thresholds are out of reach until the last spike has arrived and no neuron
is refractory. Meanwhile currents decay with time constants so short that exactly nothing is left.
Conductances are set to 0, and their solver gets some steps in which nothing happens, because it
begins with the length of its last step. It is done through NEST, in its names. The objects are
those that PyNN made.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.pynn.recording import is_given

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.backends.messages import Arrays, Settings
    from volr.backends.pynn.recording import Built

UNREACHABLE = 1e300
# e^-960 is no number: what decays with a time constant 320 times shorter than a step is 0 after
# three steps. The solver comes back to its longest step in as many.
FLEETING = 320.0
SETTLE = 4
_FADES = {"iaf_psc_exp": ("tau_syn_ex", "tau_syn_in")}
_EMPTIED = {"iaf_cond_exp": ("g_ex", "g_in")}


def put_back(built: Built, settings: Settings, arrays: Arrays, copies: int) -> None:
    """Take the network back to rest; the clock that PyNN shows is at 0 again.

    ``arrays`` are those of which the network was made, with the currents of its populations.
    """
    nest, state = built.sim.simulator.nest, built.sim.simulator.state
    dt: float = settings["dt"]
    cells = {name: each for name, each in built.populations.items() if not is_given(each)}
    nodes = {name: each.node_collection for name, each in cells.items()}
    models = {name: str(each[0].get("model")) for name, each in nodes.items()}
    wanted = {name: ["V_th", "E_L", *_FADES.get(models[name], ())] for name in nodes}
    before = {name: each.get(wanted[name]) for name, each in nodes.items()}
    fades = {name: _FADES.get(model, ()) for name, model in models.items()}
    emptied = {name: _EMPTIED[model] for name, model in models.items() if model in _EMPTIED}
    for name, each in nodes.items():
        _set(each, [{"V_th": UNREACHABLE, **dict.fromkeys(fades[name], dt / FLEETING)}])
    nest.Simulate(_quiet_steps(settings) * dt)
    for name, state_of in emptied.items():
        _set(nodes[name], [{"I_e": 0.0, **dict.fromkeys(state_of, 0.0)}])
        _set(nodes[name], _each({"V_m": before[name]["E_L"]}))
    if emptied:
        nest.Simulate(SETTLE * dt)
    for name, each in nodes.items():
        own = {key: before[name][key] for key in ("V_th", *fades[name])}
        _set(each, _each({**own, "V_m": before[name]["E_L"]}))
    for name in emptied:
        if name not in settings["inputs"]:
            cells[name].set(i_offset=np.tile(arrays[f"{name}.current"], copies))
    for device in state.recording_devices:
        # Nothing that is still on its way to a device belongs to the next batch.
        now = {"start": float(nest.biological_time), "n_events": 0}
        _set(device.device, [now])
    state._time_offset = float(nest.biological_time)
    state.running = False


def _each(numbers: dict[str, Any]) -> list[dict[str, Any]]:
    """What each node is told, or all where they are told the same."""
    rows = np.stack(np.broadcast_arrays(*map(np.atleast_1d, numbers.values())), axis=1)
    alike = bool((rows == rows[0]).all())
    return [dict(zip(numbers, row, strict=True)) for row in (rows[:1] if alike else rows).tolist()]


def _quiet_steps(settings: Settings) -> int:
    """The steps after which nothing is in flight, no neuron rests, and currents have decayed."""
    rests = (np.max(each["parameters"]["tau_refrac"]) for each in settings["neurons"].values())
    longest = max(settings["dt"], *settings["delays"].values(), *rests)
    return round(longest / settings["dt"]) + SETTLE


def give_on_nest(population: Any, times: list[NDArray[np.float64]]) -> None:
    """Give sources their spikes, ms from now on.

    PyNN would add the time that has passed, and NEST takes a sum that is a hair above a step for
    the next step.
    """
    origin = float(population._simulator.state._time_offset)
    each = [{"origin": origin, "spike_times": train} for train in times]
    _set(population.node_collection, each)


def _set(nodes: Any, each: list[dict[str, Any]]) -> None:
    """What ``nodes.set(each)`` does once it has asked every node whether it lives in this process,
    which costs ten times as much as the setting. A list of one is for all nodes.
    """
    importlib.import_module("nest.nestkernel_api").llapi_set_nc_status(nodes._datum, each)
