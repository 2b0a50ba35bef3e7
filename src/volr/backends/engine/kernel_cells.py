"""The neurons that the engine's kernels simulate, by Volr's parameters.

A kernel has decays and rises in one step instead of time constants, and membranes above v_rest
instead of v_rest. Where these determine a parameter, it is computed.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.readback import NO_RESET, Answer, Asked, Cells, Number, Told, shared
from volr.engine.cpu.buffers import empty_memory
from volr.engine.cpu.dynamics import call_of
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, raised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats
    from volr.engine.schedule import Layer, Schedule
    from volr.neurons import NeuronModel

SOLVED = "computed from the kernel's arguments for one step"

# A decay nearer to 1 has too few digits left to say its time constant to within 1e-9.
_SLOWEST = 1.0 - 2.5e-7


@dataclass(frozen=True)
class Kind:
    """Neurons of one kind, which ``units`` of a layer they are, and the ``kernel`` of these."""

    neuron: NeuronModel
    units: NDArray[np.int64]
    kernel: Mapping[str, Any]


def by_units(kinds: Sequence[Kind], values: Sequence[Floats | float]) -> Floats:
    """What the neurons of each kind have, ``[unit]``."""
    found = np.empty(sum(len(each.units) for each in kinds))
    for each, value in zip(kinds, values, strict=True):
        found[each.units] = value
    return found


def joined(cells: Sequence[Cells], kinds: Sequence[Kind]) -> Cells:
    """The cells of all kinds of neurons of a layer as those of the layer."""
    first = cells[0]
    if len(cells) == 1:
        return first
    numbers: dict[str, Answer[Number]] = {}
    for key in first.numbers:
        each = [cell.numbers[key] for cell in cells]
        asked = [answer for answer in each if isinstance(answer, Asked)]
        if len(asked) < len(each):
            numbers[key] = next(answer for answer in each if isinstance(answer, Told))
        else:
            values = [float(np.ravel(answer.value)[0]) for answer in asked]
            numbers[key] = Asked(shared(by_units(kinds, values)), asked[0].note)
    same = all((cell.kind, cell.reset) == (first.kind, first.reset) for cell in cells)
    return Cells(first.kind, first.reset if same else Asked("another"), numbers)


def kernel_of(schedule: Schedule, layer: Layer, lift: NDArray[Any]) -> Mapping[str, Any]:
    """The arguments of the layer's kernel, by name."""
    memory = empty_memory(layer, schedule.steps * len(lift), len(lift), lift.dtype)
    kernel, arguments = call_of(schedule, layer, memory, lift, 1, differentiable=False)
    names = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
    return dict(zip(names, arguments, strict=True))


def cells_of(
    neuron: NeuronModel, kernel: Mapping[str, Any], dt: float, v_rest: Answer[float]
) -> Cells:
    """The neurons that a kernel simulates, by Volr's parameters."""
    rest = v_rest.value if isinstance(v_rest, Asked) else neuron.v_rest
    threshold, back = float(kernel["threshold"]), float(kernel["back"])
    reset = {(0.0, True): "hard", (1.0, False): "subtract"}.get(
        (float(kernel["keep"]), bool(kernel["hold"])), "another"
    )
    v_thresh = rest + threshold
    if _is_endless(kernel) and math.isfinite(threshold):
        low = rest + back if reset != "subtract" else v_thresh + back
        v_thresh = raised(v_thresh, low)
    v_reset: Answer[float] = Asked(rest + back)
    if reset == "subtract":
        v_reset = Asked(v_thresh + back)
        if math.isinf(threshold):
            v_reset = Told(NO_RESET)
    numbers: dict[str, Answer[float]] = {
        "v_rest": v_rest,
        "v_reset": v_reset,
        "v_thresh": Asked(v_thresh),
        "tau_refrac": Asked(int(kernel["refractory"]) * dt),
    }
    numbers |= OWN[type(neuron)](kernel, dt, rest)
    return Cells(Asked(_kind(kernel)), Asked(reset), numbers)


def _of_delta(kernel: Mapping[str, Any], dt: float, rest: float) -> dict[str, Answer[float]]:
    del rest
    return {
        "tau_m": _time_constant(kernel["decay"], dt),
        "cm": Told("it holds only I / cm, what a current adds in a step"),
    }


def _of_currents(kernel: Mapping[str, Any], dt: float, rest: float) -> dict[str, Answer[float]]:
    del rest
    return {
        "tau_m": _time_constant(kernel["decay"], dt),
        "tau_syn_E": _time_constant(kernel["decay_e"], dt),
        "tau_syn_I": _time_constant(kernel["decay_i"], dt),
        "cm": _capacitance(kernel, dt),
    }


def _of_conductances(kernel: Mapping[str, Any], dt: float, rest: float) -> dict[str, Answer[float]]:
    del dt
    leak, taus, (e, i) = float(kernel["leak"]), kernel["taus"], kernel["reversals"]
    return {
        "tau_m": Asked(1.0 / leak if leak else math.inf),
        "cm": Asked(float(kernel["cm"])),
        "tau_syn_E": Asked(float(taus[0])),
        "tau_syn_I": Asked(float(taus[1])),
        "e_rev_E": Asked(rest + e),
        "e_rev_I": Asked(rest + i),
    }


OWN: Mapping[type[NeuronModel], Callable[..., dict[str, Answer[float]]]] = {
    IFCurrDelta: _of_delta,
    IFCurrExp: _of_currents,
    IFCondExp: _of_conductances,
}
"""The parameters that a neuron model's kernel is solved for, of its arguments, dt and v_rest."""


def _kind(kernel: Mapping[str, Any]) -> str:
    """The name of the neuron model of a kernel, from its arguments."""
    if "reversals" in kernel:
        return IFCondExp.name
    return IFCurrExp.name if "rise_e" in kernel else IFCurrDelta.name


def _is_endless(kernel: Mapping[str, Any]) -> bool:
    """Whether membranes have no leak. The threshold is a little lower then."""
    return float(kernel["leak"]) == 0.0 if "leak" in kernel else float(kernel["decay"]) == 1.0


def _time_constant(decay: float, dt: float) -> Answer[float]:
    """τ, ms, from the decay in one step, e^(−dt/τ)."""
    decay = float(decay)
    if decay == 1.0:
        return Asked(math.inf, SOLVED)
    if not np.finfo(np.float64).tiny < decay < _SLOWEST:
        return Told("the decay in one step is 0 or 1 except for the last digits")
    return Asked(-dt / math.log(decay), SOLVED)


def _capacitance(kernel: Mapping[str, Any], dt: float) -> Answer[float]:
    """c_m, nF, from p = (dt/c_m) a (e^x − 1)/x of both synapses, x = dt/τ_m − dt/τ."""
    decay = float(kernel["decay"])
    found: list[float] = []
    for left, rise in (("decay_e", "rise_e"), ("decay_i", "rise_i")):
        if decay <= 0.0 or float(kernel[left]) <= 0.0:
            return Told("the decay of a current in one step is 0 except for the last digits")
        x = math.log(float(kernel[left])) - math.log(decay)
        slope = math.expm1(x) / x if x else 1.0
        found.append(dt * decay * slope / float(kernel[rise]))
    same = math.isclose(*found, rel_tol=1e-9)
    return Asked(found[0] if same else math.nan, SOLVED)


def currents_of(neuron: NeuronModel, kernel: Mapping[str, Any], dt: float, cm: float) -> Floats:
    """The constant currents, nA, that raise the membranes by ``lift`` in one step."""
    lift = np.asarray(kernel["lift"], dtype=np.float64)
    if neuron.has_conductances:
        return lift * float(kernel["cm"])
    if neuron.has_currents:
        held = _capacitance(kernel, dt)
        cm = held.value if isinstance(held, Asked) else cm
    decay = float(kernel["decay"])
    # (1 − a) τ_m / dt, which goes to 1 as the decay does.
    share = (1.0 - decay) / -math.log(decay) if 0.0 < decay < 1.0 else 1.0
    return lift * cm / (dt * share)
