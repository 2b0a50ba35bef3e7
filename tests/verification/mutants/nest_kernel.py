"""NEST's kernel, whose nodes and synapses are changed by NEST's own functions when all is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nest
import numpy as np

from volr.backends.nest import kernel

if TYPE_CHECKING:
    from volr.backends.messages import Arrays, Settings

_BUILD, _ATTACH = kernel._build, kernel._attach

# NEST's names, and what the parameters become; see `tests.verification.mutants.OTHERWISE`.
_NUMBERS = {
    "v_rest": ("E_L", -63.0),
    "v_reset": ("V_reset", -67.5),
    "v_thresh": ("V_th", -49.0),
    "tau_m": ("tau_m", 16.0),
    "cm": ("C_m", 900.0),
    "tau_refrac": ("t_ref", 1.5),
    "tau_syn_E": ("tau_syn_ex", 3.5),
    "tau_syn_I": ("tau_syn_in", 6.5),
    "e_rev_E": ("E_ex", 5.0),
    "e_rev_I": ("E_in", -76.0),
}


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """As ``volr.backends.nest.kernel.handle``, with one of the ``mutations`` of the settings."""
    mutation = next(iter(settings.pop("mutations")), None)

    def build(arrays: Arrays, settings: Settings) -> dict[str, Any]:
        if mutation == "dt":
            # A resolution cannot be changed once there are nodes.
            delays = dict.fromkeys(settings["delays"], 2.0)
            settings = {**settings, "dt": 2 * settings["dt"], "delays": delays}
        nodes = _BUILD(arrays, settings)
        return _changed(nodes, mutation, wired=bool(settings["projections"]))

    def attach(nodes: dict[str, Any], settings: Settings) -> Any:
        if mutation == "outputs":
            settings = {**settings, "spiking": ["left", "side"]}
        if mutation == "dt":
            settings = {**settings, "dt": 2 * settings["dt"]}
        return _ATTACH(nodes, settings)

    kernel._build, kernel._attach = build, attach
    try:
        return kernel.handle(arrays, settings)
    finally:
        kernel._build, kernel._attach = _BUILD, _ATTACH


def _changed(nodes: dict[str, Any], mutation: str | None, *, wired: bool) -> dict[str, Any]:
    square = nodes["square"]
    if mutation in _NUMBERS:
        square.set({_NUMBERS[mutation][0]: _NUMBERS[mutation][1]})
    if mutation == "population":
        nodes["left"], nodes["last"] = nodes["last"], nodes["left"]
    if mutation == "inputs":
        nodes["input"], nodes["other"] = nodes["other"], nodes["input"]
    if mutation == "bias":
        square[1].set(I_e=square[1].get("I_e") + 100.0)
    if mutation == "kind":
        nodes["square"] = nest.Create("iaf_psc_alpha", len(square))
    if mutation == "reset":
        square.set(alpha_2=1.0)
    if wired:
        _change_synapses(nodes["left"], square, mutation)
    return nodes


def _change_synapses(source: Any, target: Any, mutation: str | None) -> None:
    synapses: Any = nest.GetConnections(source, target)
    starts = int(source[0].global_id), int(target[0].global_id)
    if mutation == "missing projection":
        synapses.disconnect()
    if mutation == "weight":
        synapses[3].set(weight=100.0 + float(np.atleast_1d(synapses[3].get("weight"))[0]))
    if mutation == "transposed":
        sources, targets, weights = (synapses.get(key) for key in ("source", "target", "weight"))
        place = {
            (int(i) - starts[0], int(j) - starts[1]): weight
            for i, j, weight in zip(sources, targets, weights, strict=True)
        }
        for (i, j), each in zip(list(place), synapses, strict=True):
            each.set(weight=place[j, i])
    if mutation == "delay":
        synapses.set(delay=2.0)
