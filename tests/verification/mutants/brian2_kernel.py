"""Brian2's kernel, whose objects are changed when all is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.brian2 import kernel

if TYPE_CHECKING:
    from volr.backends.messages import Arrays, Settings

_BUILD, _MONITORS = kernel._build, kernel._monitors

# Brian2's names, in SI units; potentials count from v_rest.
_NUMBERS = {
    "v_rest": ("v_rest", -63e-3),
    "v_reset": ("v_reset", -3.5e-3),
    # What has to be reached; what a spike costs stays.
    "v_thresh": ("fires_at", 15e-3),
    "tau_m": ("tau_m", 16e-3),
    "cm": ("c_m", 0.9e-9),
    "tau_refrac": ("tau_refrac", 1.5e-3),
    "tau_syn_E": ("tau_syn_E", 3.5e-3),
    "tau_syn_I": ("tau_syn_I", 6.5e-3),
    "e_rev_E": ("e_rev_E", 69e-3),
    "e_rev_I": ("e_rev_I", -12e-3),
}


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """As ``volr.backends.brian2.kernel.handle``, with the ``mutations`` of the settings."""
    mutations: dict[str, str] = settings.pop("mutations")
    brian2: Any = kernel.brian2
    # Synapses and groups are made in this type.
    single = "precision" in mutations
    brian2.prefs["core.default_float_dtype"] = np.float32 if single else np.float64

    def build(arrays: Arrays, settings: Settings) -> Any:
        built = _BUILD(arrays, settings)
        for mutation, place in mutations.items():
            if "->" not in place:
                _change(built.groups, mutation, place)
            elif built.synapses:
                source, target = place.split("->")
                _change_synapses(built.synapses, mutation, (source, target))
        return built

    def monitors(built: Any, settings: Settings) -> Any:
        if "outputs" in mutations:
            settings = {**settings, "spiking": ["left", "side"]}
        return _MONITORS(built, settings)

    kernel._build, kernel._monitors = build, monitors
    try:
        return kernel.handle(arrays, settings)
    finally:
        kernel._build, kernel._monitors = _BUILD, _MONITORS
        brian2.prefs["core.default_float_dtype"] = np.float64


def _another_solution(*_: object) -> str:
    return "v = v*exp(-dt/tau_m)"


def _change(groups: dict[str, Any], mutation: str, place: str) -> None:
    if mutation in _NUMBERS:
        name, value = _NUMBERS[mutation]
        setattr(groups[place], f"{name}_", value)
    if mutation == "population":
        groups["left"], groups["last"] = groups["last"], groups["left"]
    if mutation == "inputs":
        groups["input"], groups["other"] = groups["other"], groups["input"]
    if mutation == "bias":
        groups[place].I_[1] += 1e-10
    if mutation == "kind":
        groups[place].state_updater.method_choice = _another_solution
    if mutation == "reset":
        groups[place].event_codes["spike"] = "v = 0*volt"
    if mutation == "dt":
        brian2: Any = kernel.brian2
        brian2.defaultclock.dt = 1.0 * brian2.ms


def _change_synapses(
    synapses: dict[tuple[str, str], list[Any]], mutation: str, ends: tuple[str, str]
) -> None:
    pathways = synapses[ends]
    if mutation == "missing projection":
        del synapses[ends]
    if mutation == "weight":
        pathways[0].w_[1] += 1e-10
    if mutation == "transposed":
        matrix = np.zeros((4, 4))
        for each in pathways:
            matrix[each.i[:], each.j[:]] = each.w_[:]
        for each in pathways:
            each.w_ = matrix[each.j[:], each.i[:]]
    if mutation == "delay":
        for each in pathways:
            each.pre.delay_ = 2e-3
