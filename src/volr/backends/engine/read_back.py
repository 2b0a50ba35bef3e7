"""What the engine holds of a model, from the arguments of its kernels and from what they do.

A kernel has decays and rises in one step instead of time constants, membranes above v_rest instead
of v_rest, and a number of steps instead of dt. Where these determine a parameter, it is computed.
``kernel_probing`` measures the others in a simulation. Both count as asked. What the kernels do not
have is told.
"""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.engine.kernel_probing import (
    STEPS,
    WITHOUT_CURRENT,
    delay,
    resting,
    resting_inputs,
)
from volr.backends.readback import (
    NO_RESET,
    Answer,
    Asked,
    Cells,
    SpikingReadback,
    Told,
    all_asked,
    all_told,
    precision_of,
)
from volr.engine.cpu.buffers import empty_memory
from volr.engine.cpu.dynamics import call_of
from volr.engine.encoding import schedule_under
from volr.engine.simulation import Ready, contents
from volr.models.coding import ConstantCurrent
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, raised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats
    from volr.engine.schedule import Layer, Schedule
    from volr.models.model import SpikingModel
    from volr.neurons import NeuronModel

_INPUTS = Told("its kernels are not given the names and sizes of the inputs")

GIVEN = "the delay of a projection in the kernel's arrays, times dt"
SOLVED = "computed from the kernel's arguments for one step"

# A decay nearer to 1 has too few digits left to say its time constant to within 1e-9.
_SLOWEST = 1.0 - 2.5e-7


def read(model: SpikingModel, prepared: Ready) -> SpikingReadback:
    """What a model that is ready holds; ``model`` gives the duration, and the unit of currents."""
    schedule = prepared.schedule
    weights, _ = contents(prepared)
    steps, membranes = resting(prepared)
    dt = model.duration / steps
    kernels = {
        layer.name: _kernel(schedule, layer, prepared.lifts[layer.name])
        for layer in schedule.layers
    }
    cells = {
        layer.name: _cells(
            layer.neuron,
            kernels[layer.name],
            dt,
            Asked(float(membranes[layer.name]), WITHOUT_CURRENT),
        )
        for layer in schedule.layers
    }
    if isinstance(prepared.coding, ConstantCurrent):
        given = schedule_under(schedule.input_neuron, schedule.dt, schedule.steps, 1)
        kernel = _kernel(given, given.layers[0], np.zeros(1))
        inputs = _cells(schedule.input_neuron, kernel, dt, resting_inputs(schedule))
        cells |= {name: inputs for name, _ in schedule.inputs}
    # Several projections between two populations add up.
    between: dict[tuple[str, str], Floats] = {}
    for layer in schedule.layers:
        for term in layer.terms:
            ends = term.source, layer.name
            before = between.get(ends)
            between[ends] = weights[term.weight] + (0.0 if before is None else before)
    layers = {layer.name: layer for layer in schedule.layers}
    return SpikingReadback(
        populations={
            **{name: _INPUTS for name, _ in schedule.inputs},
            **{layer.name: Asked(len(prepared.lifts[layer.name])) for layer in schedule.layers},
        },
        inputs=_INPUTS,
        outputs=Told("it counts the spikes of every population, whether they are read or not"),
        weights={ends: Asked(matrix) for ends, matrix in between.items()},
        biases=all_asked(
            {
                layer.name: _currents(
                    layer.neuron, kernels[layer.name], dt, model.neuron_of(layer.name).cm
                )
                for layer in schedule.layers
            },
            SOLVED,
        ),
        cells=cells,
        delays={
            (source, name): _given_delay(prepared, layers[name], source, dt)
            or delay(prepared, kernels, layers[name], source, matrix, (dt, membranes[name]))
            for (source, name), matrix in between.items()
        },
        # The last of the inputs, whose spike trains are made of these steps.
        ticks={schedule.inputs[-1][0]: Asked(np.array(schedule.clock))} if schedule.clock else {},
        dt=Asked(dt, STEPS),
        precision=precision_of(tile.dtype for each in prepared.tiles.values() for tile in each),
    )


def _given_delay(prepared: Ready, layer: Layer, source: str, dt: float) -> Answer[float] | None:
    """The delay that a kernel is given which runs spike by spike; None where it is to be measured.

    What is measured is how the other kernels respond, step by step.
    """
    terms = [term for term in layer.terms if term.source == source]
    steps = {program.delay(term) for program in prepared.programs[:1] for term in terms}
    return Asked(steps.pop() * dt, GIVEN) if len(steps) == 1 else None


def told(model: SpikingModel, why: str) -> SpikingReadback:
    """A readback of which nothing was asked."""
    network = model.network
    ends = [(each.source, each.target) for each in network.projections]
    return SpikingReadback(
        populations=all_told(network.by_name, why),
        inputs=Told(why),
        outputs=Told(why),
        weights=all_told(ends, why),
        biases=all_told((each.name for each in network.layers), why),
        cells=all_told(network.by_name, why),
        delays=all_told(ends, why),
        ticks=all_told([] if network.clock is None else [network.clock], why),
        dt=Told(why),
        precision=Told(why),
    )


def _kernel(schedule: Schedule, layer: Layer, lift: NDArray[Any]) -> Mapping[str, Any]:
    """The arguments of the layer's kernel, by name."""
    memory = empty_memory(layer.neuron, schedule.steps * len(lift), len(lift), lift.dtype)
    kernel, arguments = call_of(schedule, layer, memory, lift, 1, differentiable=False)
    names = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
    return dict(zip(names, arguments, strict=True))


def _cells(
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


def _currents(neuron: NeuronModel, kernel: Mapping[str, Any], dt: float, cm: float) -> Floats:
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
