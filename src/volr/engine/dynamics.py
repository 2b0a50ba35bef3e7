"""From a neuron model to the kernels that run it, and to the numbers they want.

This is where a new neuron model joins the engine: a case in each of the functions below, and in
``volr.engine.plan.channels``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.adjoints import return_cond, return_delta, return_exp
from volr.engine.fehlberg import run_cond_adaptive
from volr.engine.membranes import run_cond, run_delta, run_exp
from volr.engine.plan import channels
from volr.models.neurons import IFCondExp, IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from volr.engine.plan import Layer, Plan
    from volr.engine.surrogates import Surrogate
    from volr.models.neurons import NeuronModel


@dataclass(frozen=True, eq=False)
class Memory:
    """What a population leaves behind, flat ``[stimulus, step, unit]`` but for ``total``.

    ``drives`` are as many as ``channels``: first what arrives, then whatever the way back needs.
    ``total`` is ``[stimulus, unit]``. See ``volr.engine.membranes``.
    """

    drives: tuple[NDArray[Any], ...]
    membrane: NDArray[Any]
    state: NDArray[np.uint8]
    total: NDArray[Any]

    def part(self, first: int, last: int, values: int, units: int) -> Memory:
        """The stimuli ``first`` to ``last``, with ``values`` numbers each, ``units`` in total."""
        cut = slice(first * values, last * values)
        drives = tuple(each[cut] for each in self.drives)
        membrane = drives[0] if self.membrane is self.drives[0] else self.membrane[cut]
        total = self.total[first * units : last * units]
        return Memory(drives, membrane, self.state[cut], total)


def empty_memory(neuron: NeuronModel, values: int, units: int, dtype: np.dtype[Any]) -> Memory:
    """Room for ``values`` numbers, ``units`` in total."""
    drives = tuple(np.empty(values, dtype) for _ in channels(neuron))
    # A conductance is not a membrane: it needs a place of its own.
    membrane = np.empty(values, dtype) if isinstance(neuron, IFCondExp) else drives[0]
    return Memory(drives, membrane, np.empty(values, np.uint8), np.empty(units, dtype))


def bytes_per_value(neuron: NeuronModel, dtype: np.dtype[Any]) -> int:
    """Memory of a neuron in a step."""
    return dtype.itemsize * (len(channels(neuron)) + isinstance(neuron, IFCondExp)) + 1


def lift_of(plan: Plan) -> float:
    """What 1 nA of constant current adds to ``lift``: see ``volr.engine.membranes``."""
    match plan.neuron:
        case IFCurrDelta() | IFCurrExp():
            return plan.neuron.rise(plan.dt)
        case IFCondExp():
            return 1.0 / plan.neuron.cm


def lifts_of(
    plan: Plan, parameters: Mapping[str, NDArray[Any]], dtype: np.dtype[Any]
) -> dict[str, NDArray[Any]]:
    """What the constant currents of each layer add to its membranes in a step, ``[unit]``."""
    factor, offset = lift_of(plan), plan.neuron.i_offset
    return {
        # In float64 first: float32 would round twice.
        layer.name: (factor * (offset + parameters[layer.bias].astype(np.float64))).astype(dtype)
        for layer in plan.layers
    }


@dataclass(frozen=True)
class _Numbers:
    """What all kernels want of a layer, as numbers of the arrays' type."""

    threshold: Any
    keep: Any
    back: Any
    hold: bool
    refractory: int
    mean: Any


def _numbers(plan: Plan, layer: Layer, kind: type[np.floating[Any]]) -> _Numbers:
    neuron = plan.neuron
    soft = neuron.reset == "subtract"
    fires_at = neuron.fires_at(single=kind is np.float32)
    return _Numbers(
        threshold=kind(fires_at - neuron.v_rest if layer.spiking else math.inf),
        keep=kind(soft),
        back=kind(-neuron.theta if soft else neuron.v_reset - neuron.v_rest),
        hold=not soft,
        refractory=neuron.refractory_steps(plan.dt),
        mean=kind(0.0 if layer.spiking else 1.0 / plan.steps),
    )


_NOTHING = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}


def run(
    plan: Plan,
    layer: Layer,
    memory: Memory,
    lift: NDArray[Any],
    stimuli: int,
    *,
    differentiable: bool,
) -> None:
    """All steps of a population; ``lift`` is that of each neuron.

    Where there are two forms of a neuron model, the one that simulators run and one that is smooth,
    ``differentiable`` is the latter.
    """
    kernel, arguments = call_of(plan, layer, memory, lift, stimuli, differentiable=differentiable)
    kernel(*arguments)


def call_of(
    plan: Plan,
    layer: Layer,
    memory: Memory,
    lift: NDArray[Any],
    stimuli: int,
    *,
    differentiable: bool,
) -> tuple[Callable[..., None], tuple[Any, ...]]:
    """The kernel that ``run`` calls for a population, and all that it is given."""
    kind = lift.dtype.type
    n = _numbers(plan, layer, kind)
    neuron, dt = plan.neuron, plan.dt
    decay = kind(neuron.decay(dt))
    common = (n.threshold, n.keep, n.back, n.hold, n.refractory, n.mean)
    drive, *others = memory.drives
    state, total = memory.state, memory.total
    match neuron:
        case IFCurrDelta():
            return run_delta, (drive, state, total, lift, stimuli, plan.steps, decay, *common)
        case IFCurrExp():
            return run_exp, (
                drive,
                others[0] if others else _NOTHING[lift.dtype],
                state,
                total,
                lift,
                stimuli,
                plan.steps,
                decay,
                *_currents(neuron, dt, kind),
                *common,
            )
        case IFCondExp() if not differentiable:
            return run_cond_adaptive, (
                drive,
                others[0],
                memory.membrane,
                state,
                total,
                lift,
                stimuli,
                plan.steps,
                dt,
                1.0 / neuron.tau_m,
                (neuron.e_rev_E - neuron.v_rest, neuron.e_rev_I - neuron.v_rest),
                (neuron.tau_syn_E, neuron.tau_syn_I),
                neuron.cm,
                *common,
            )
        case IFCondExp():
            return run_cond, (
                drive,
                others[0],
                memory.membrane,
                state,
                total,
                lift,
                stimuli,
                plan.steps,
                tuple(map(kind, quadrature(neuron, dt))),
                *common,
            )


def _currents(
    neuron: IFCurrExp, dt: float, kind: type[np.floating[Any]]
) -> tuple[Any, Any, Any, Any]:
    decay_e, decay_i = neuron.synaptic_decays(dt)
    rise_e, rise_i = neuron.synaptic_rises(dt)
    return kind(decay_e), kind(decay_i), kind(rise_e), kind(rise_i)


def run_back(
    plan: Plan,
    layer: Layer,
    memory: Memory,
    lift: NDArray[Any],
    returned: NDArray[Any] | None,
    weight_of_total: NDArray[Any],
    stimuli: int,
    surrogate: Surrogate,
    window: int,
) -> NDArray[Any]:
    """All steps backwards: ``memory.drives`` become derivatives; returns that by ``lift``."""
    kind = lift.dtype.type
    n = _numbers(plan, layer, kind)
    neuron, dt = plan.neuron, plan.dt
    bias = np.zeros_like(lift)
    drive, *others = memory.drives
    given = _NOTHING[lift.dtype] if returned is None else returned
    per_width = 1.0 / (surrogate.width * neuron.theta)
    height = surrogate.height / neuron.theta
    common = (
        *(n.keep, n.hold, n.refractory, n.mean),
        *(surrogate.code, n.threshold, kind(per_width), kind(height)),
    )
    decay = kind(neuron.decay(dt))
    match neuron:
        case IFCurrDelta():
            return_delta(
                drive,
                memory.state,
                given,
                weight_of_total,
                bias,
                stimuli,
                plan.steps,
                window,
                decay,
                *common,
            )
        case IFCurrExp():
            return_exp(
                drive,
                others[0] if others else _NOTHING[lift.dtype],
                memory.state,
                given,
                weight_of_total,
                bias,
                stimuli,
                plan.steps,
                window,
                decay,
                *_currents(neuron, dt, kind),
                *common,
            )
        case IFCondExp():
            return_cond(
                drive,
                others[0],
                memory.membrane,
                memory.state,
                given,
                weight_of_total,
                bias,
                lift,
                stimuli,
                plan.steps,
                window,
                tuple(map(kind, quadrature(neuron, dt))),
                n.back,
                *common,
            )
    return bias


def quadrature(neuron: IFCondExp, dt: float) -> tuple[float, ...]:
    """The constants of a step of ``IFCondExp``, 23 numbers.

    leak, E_E, E_I (from rest), decay_E, decay_I, then for each of three times t, 0 and the two
    nodes: weight, e^(−t/τ_E)/c_m, e^(−t/τ_I)/c_m, and the integrals from t to dt of leak, and of
    e^(−t/τ_E)/c_m and e^(−t/τ_I)/c_m.
    """
    leak, cm = 1.0 / neuron.tau_m, neuron.cm
    taus = neuron.tau_syn_E, neuron.tau_syn_I
    numbers = [leak, neuron.e_rev_E - neuron.v_rest, neuron.e_rev_I - neuron.v_rest]
    numbers += [math.exp(-dt / tau) for tau in taus]
    offset = 0.5 / math.sqrt(3.0)
    for weight, t in ((0.0, 0.0), (0.5, 0.5 - offset), (0.5, 0.5 + offset)):
        start = t * dt
        numbers.append(weight * dt)
        numbers += [math.exp(-start / tau) / cm for tau in taus]
        numbers.append(leak * (dt - start))
        numbers += [tau * (math.exp(-start / tau) - math.exp(-dt / tau)) / cm for tau in taus]
    return tuple(numbers)
