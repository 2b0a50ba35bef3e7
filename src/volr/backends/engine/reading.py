"""What the engine holds of a model, out of what its kernels are given and what they then do.

A kernel knows no time constants but decays and rises in one step, no v_rest but membranes above it,
and no step but steps. Where these determine a parameter of ours, it is solved for. Where they leave
something open, the very arrays that run are simulated with other currents, and it is measured:

    v_rest   the membranes that are recorded where there is no current at all
    delays   a source spikes in the first step, and all other weights are zero: when does its target
             respond?
    dt       the duration of a stimulus over the number of steps that a run has

Then ``SpikingReadback`` says that it was asked, and what the kernels cannot know, that it was told.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.readback import (
    Asked,
    Cells,
    Said,
    SpikingReadback,
    Told,
    all_asked,
    all_told,
    precision_of,
)
from volr.engine.dynamics import call_of, empty_memory
from volr.engine.encoding import constant_levels, plan_under
from volr.engine.simulation import Ready, contents, simulate
from volr.engine.tiles import empty_tiles
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.neurons import IFCondExp, IFCurrDelta, IFCurrExp, raised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.engine.plan import Layer, Plan
    from volr.models.arrays import Floats
    from volr.models.model import SpikingModel
    from volr.models.neurons import NeuronModel

SILENT = "measured in a simulation without any current"
SINGLE_SPIKE = "measured: the first response to a single source"
STEPS = "measured: the duration of a stimulus over the steps of a run"
SOLVED = "solved for, from what the kernel is given for one step"

# A decay nearer to 1 has not the digits to say its time constant to within 1e-9.
_SLOWEST = 1.0 - 2.5e-7


def read(model: SpikingModel, prepared: Ready) -> SpikingReadback:
    """What a model that is ready holds; ``model`` gives the duration, and the unit of currents."""
    plan = prepared.plan
    weights, _ = contents(prepared)
    steps, membranes = _resting(prepared)
    dt = model.duration / steps
    kernels = {
        layer.name: _kernel(plan, layer, prepared.lifts[layer.name]) for layer in plan.layers
    }
    cells = {
        layer.name: _cells(
            plan.neuron, kernels[layer.name], dt, Asked(float(membranes[layer.name]), SILENT)
        )
        for layer in plan.layers
    }
    if isinstance(prepared.coding, ConstantCurrent):
        given = plan_under(plan.neuron, plan.dt, plan.steps, 1)
        kernel = _kernel(given, given.layers[0], np.zeros(1))
        inputs = _cells(plan.neuron, kernel, dt, _resting_inputs(plan))
        cells |= {name: inputs for name, _ in plan.inputs}
    terms = [(layer, source, name) for layer in plan.layers for source, name in layer.terms]
    return SpikingReadback(
        populations={
            **{name: Asked(size) for name, size in plan.inputs},
            **{layer.name: Asked(len(prepared.lifts[layer.name])) for layer in plan.layers},
        },
        inputs=Asked(tuple(name for name, _ in plan.inputs)),
        outputs=Told("it counts every population's spikes, whichever of them are read"),
        weights={(source, layer.name): Asked(weights[name]) for layer, source, name in terms},
        biases=all_asked(
            {
                name: _currents(plan.neuron, kernel, dt, model.neuron.cm)
                for name, kernel in kernels.items()
            },
            SOLVED,
        ),
        cells=cells,
        delays={
            (source, layer.name): _delay(
                prepared, kernels, layer, source, weights[name], (dt, membranes[layer.name])
            )
            for layer, source, name in terms
        },
        dt=Asked(dt, STEPS),
        precision=precision_of(tile.dtype for each in prepared.tiles.values() for tile in each),
    )


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
        dt=Told(why),
        precision=Told(why),
    )


def _kernel(plan: Plan, layer: Layer, lift: NDArray[Any]) -> Mapping[str, Any]:
    """The arguments of the layer's kernel, by the names that the kernel has for them."""
    memory = empty_memory(plan.neuron, plan.steps * len(lift), len(lift), lift.dtype)
    kernel, arguments = call_of(plan, layer, memory, lift, 1, differentiable=False)
    names = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
    return dict(zip(names, arguments, strict=True))


def _resting(prepared: Ready) -> tuple[int, dict[str, float]]:
    """How many steps a run has, and the membrane, mV, of each layer where nothing happens."""
    names = tuple(layer.name for layer in prepared.plan.layers)
    inputs = sum(size for _, size in prepared.plan.inputs)
    found = simulate(_without_currents(prepared), np.zeros((1, inputs)), membranes=names)
    traces = found.membranes
    return (
        len(next(iter(traces.values()))) if traces else prepared.plan.steps,
        {name: float(trace[0, 0, 0]) for name, trace in traces.items()},
    )


def _resting_inputs(plan: Plan) -> Said[float]:
    """The membrane, mV, of input neurons where nothing happens."""
    if plan.neuron.i_offset != 0.0:
        return Told("its input neurons always have i_offset, and are never at rest")
    # The first level is no current.
    return Asked(float(constant_levels(plan.neuron, plan.dt, plan.steps).membranes[0, 0]), SILENT)


def _without_currents(prepared: Ready) -> Ready:
    # Random spikes of the probability 0 are none; input neurons might have an i_offset.
    lifts = {name: np.zeros_like(lift) for name, lift in prepared.lifts.items()}
    return replace(prepared, lifts=lifts, coding=_each_step(prepared.plan))


def _each_step(plan: Plan) -> Poisson:
    """The coding in which the value 1 is a spike in every step, and 0 none."""
    return Poisson(rate_max=1000.0 / plan.dt)


def _cells(neuron: NeuronModel, kernel: Mapping[str, Any], dt: float, v_rest: Said[float]) -> Cells:
    """The neurons that a kernel simulates, in our parameters."""
    rest = v_rest.value if isinstance(v_rest, Asked) else neuron.v_rest
    threshold, back = float(kernel["threshold"]), float(kernel["back"])
    reset = {(0.0, True): "hard", (1.0, False): "subtract"}.get(
        (float(kernel["keep"]), bool(kernel["hold"])), "another"
    )
    v_thresh = rest + threshold
    if _is_endless(kernel) and math.isfinite(threshold):
        low = rest + back if reset != "subtract" else v_thresh + back
        v_thresh = raised(v_thresh, low)
    v_reset: Said[float] = Asked(rest + back)
    if reset == "subtract":
        v_reset = Asked(v_thresh + back)
        if math.isinf(threshold):
            v_reset = Told("of neurons that never spike it holds what a spike would take away")
    numbers: dict[str, Said[float]] = {
        "v_rest": v_rest,
        "v_reset": v_reset,
        "v_thresh": Asked(v_thresh),
        "tau_refrac": Asked(int(kernel["refractory"]) * dt),
    }
    match neuron:
        case IFCurrDelta():
            numbers["tau_m"] = _time_constant(kernel["decay"], dt)
            numbers["cm"] = Told("it holds what a current adds in a step, which is I / cm")
        case IFCurrExp():
            numbers["tau_m"] = _time_constant(kernel["decay"], dt)
            numbers["tau_syn_E"] = _time_constant(kernel["decay_e"], dt)
            numbers["tau_syn_I"] = _time_constant(kernel["decay_i"], dt)
            numbers["cm"] = _capacitance(kernel, dt)
        case IFCondExp():
            leak, (e, i) = float(kernel["leak"]), kernel["reversals"]
            numbers["tau_m"] = Asked(1.0 / leak if leak else math.inf)
            numbers["cm"] = Asked(float(kernel["cm"]))
            numbers["tau_syn_E"], numbers["tau_syn_I"] = map(Asked, map(float, kernel["taus"]))
            numbers["e_rev_E"], numbers["e_rev_I"] = Asked(rest + e), Asked(rest + i)
    return Cells(Asked(_kind(kernel)), Asked(reset), numbers)


def _kind(kernel: Mapping[str, Any]) -> str:
    """The neuron model that a kernel is, by what it is given."""
    if "reversals" in kernel:
        return IFCondExp.name
    return IFCurrExp.name if "rise_e" in kernel else IFCurrDelta.name


def _is_endless(kernel: Mapping[str, Any]) -> bool:
    """Whether membranes have no leak, which lets the threshold be a hair lower."""
    return float(kernel["leak"]) == 0.0 if "leak" in kernel else float(kernel["decay"]) == 1.0


def _time_constant(decay: float, dt: float) -> Said[float]:
    """τ, ms, of what is left after a step: e^(−dt/τ)."""
    decay = float(decay)
    if decay == 1.0:
        return Asked(math.inf, SOLVED)
    if not np.finfo(np.float64).tiny < decay < _SLOWEST:
        return Told("what is left after a step is 0, or 1, but for the last digits")
    return Asked(-dt / math.log(decay), SOLVED)


def _capacitance(kernel: Mapping[str, Any], dt: float) -> Said[float]:
    """c_m, nF, from p = (dt/c_m) a (e^x − 1)/x of both synapses, x = dt/τ_m − dt/τ."""
    decay = float(kernel["decay"])
    found: list[float] = []
    for left, rise in (("decay_e", "rise_e"), ("decay_i", "rise_i")):
        if decay <= 0.0 or float(kernel[left]) <= 0.0:
            return Told("what is left of a current after a step is 0 but for the last digits")
        x = math.log(float(kernel[left])) - math.log(decay)
        slope = math.expm1(x) / x if x else 1.0
        found.append(dt * decay * slope / float(kernel[rise]))
    same = math.isclose(*found, rel_tol=1e-9)
    return Asked(found[0] if same else math.nan, SOLVED)


def _currents(neuron: NeuronModel, kernel: Mapping[str, Any], dt: float, cm: float) -> Floats:
    """The constant currents, nA, that add ``lift`` to the membranes in a step."""
    lift = np.asarray(kernel["lift"], dtype=np.float64)
    if isinstance(neuron, IFCondExp):
        return lift * float(kernel["cm"])
    if isinstance(neuron, IFCurrExp):
        held = _capacitance(kernel, dt)
        cm = held.value if isinstance(held, Asked) else cm
    decay = float(kernel["decay"])
    # (1 − a) τ_m / dt, which goes to 1 as the decay does.
    share = (1.0 - decay) / -math.log(decay) if 0.0 < decay < 1.0 else 1.0
    return lift * cm / (dt * share)


def _delay(
    prepared: Ready,
    kernels: Mapping[str, Mapping[str, Any]],
    layer: Layer,
    source: str,
    weights: Floats,
    timing: tuple[float, float],
) -> Said[float]:
    """How long after a spike of ``source`` the membranes of a layer move, ms.

    One neuron spikes, that with the largest of the ``weights`` ``[post, pre]``. All weights of
    other projections are zero, and nothing else has a current that could move a membrane.
    ``timing`` is dt, ms, and the membrane at rest, mV.
    """
    neuron, (dt, rest) = prepared.plan.neuron, timing
    size = np.abs(weights)
    post, pre = np.unravel_index(int(size.argmax()), size.shape)
    largest = float(weights[post, pre])
    if largest == 0.0:
        return Told("all weights are zero, so nothing arrives")
    if isinstance(neuron, IFCondExp) and largest < 0.0 and neuron.e_rev_I == neuron.v_rest:
        return Told("inhibition moves no membrane that is at rest")
    probe = _with_one_projection(prepared, source, layer, 0.1 * neuron.unit_weight / abs(largest))
    plan = probe.plan
    stimulus = np.zeros((1, sum(size for _, size in plan.inputs)))
    if source in kernels:
        # Far more than lifts it to its threshold in the first step, whatever leaks away.
        threshold = float(kernels[source]["threshold"])
        probe.lifts[source][pre] = 10.0 * threshold * (1.0 + 1.0 / plan.dt + 1.0 / neuron.tau_m)
    else:
        stimulus[0, plan.input_units(source).start + int(pre)] = 1.0
    found = simulate(probe, stimulus, spikes=(layer.name,), membranes=(layer.name,))
    membrane = found.membranes[layer.name][:, 0, post]
    moved = (membrane != rest) | found.spikes[layer.name][:, 0, post]
    if not moved.any():
        return Asked(math.inf, SINGLE_SPIKE)
    # What currents and conductances take up moves the membrane from the next step on.
    late = 0 if isinstance(neuron, IFCurrDelta) else 1
    return Asked((int(moved.argmax()) - late) * dt, SINGLE_SPIKE)


def _with_one_projection(prepared: Ready, source: str, layer: Layer, factor: float) -> Ready:
    """What runs, but for one projection without weights and currents; its weights times a factor,
    which makes what arrives large enough to be seen."""
    plan = prepared.plan
    tiles: dict[str, tuple[NDArray[Any], ...]] = {}
    for each in plan.layers:
        for before, name in each.terms:
            kept = factor if (before, each) == (source, layer) else 0.0
            tiles[name] = tuple(
                # Where a cache line begins, as those that it is made of.
                np.multiply(tile, kept, out=empty_tiles(plan.size(before), each.size, tile.dtype))
                for tile in prepared.tiles[name]
            )
    plan = replace(plan, steps=max(plan.steps, plan.delay + 2))
    return replace(_without_currents(prepared), plan=plan, tiles=tiles)
