"""From a neuron model to the kernels that run it, and to the numbers they want.

This is where a new neuron model joins the engine: with a row in ``KERNELS``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from volr.engine.cpu.adjoints import return_cond, return_delta, return_exp
from volr.engine.cpu.fehlberg import run_cond_adaptive
from volr.engine.cpu.membranes import run_cond, run_delta, run_exp
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from volr.engine.cpu.buffers import Memory
    from volr.engine.schedule import Layer, Schedule
    from volr.engine.surrogates import Surrogate


def lift_of(neuron: NeuronModel, dt: float) -> float:
    """What 1 nA of constant current adds to ``lift``: see ``volr.engine.cpu.membranes``."""
    return 1.0 / neuron.cm if neuron.has_conductances else neuron.rise(dt)


def lifts_of(
    schedule: Schedule, parameters: Mapping[str, NDArray[Any]], dtype: np.dtype[Any]
) -> dict[str, NDArray[Any]]:
    """What the constant currents of each layer add to its membranes in a step, ``[unit]``."""

    def lifts(layer: Layer) -> NDArray[Any]:
        # In float64 first: float32 would round twice.
        neurons = layer.neurons
        offset = neurons.of(lambda each: each.i_offset)
        currents = offset + biases_of(layer, parameters).astype(np.float64)
        return (neurons.of(lambda each: lift_of(each, schedule.dt)) * currents).astype(dtype)

    return {layer.name: lifts(layer) for layer in schedule.layers}


def biases_of(layer: Layer, parameters: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """The biases by unit: of a channel all are the same, and a layer may have none."""
    found = parameters.get(layer.bias)
    if found is None:
        return np.zeros(layer.size)
    return found if len(found) == layer.size else np.repeat(found, layer.size // len(found))


@dataclass(frozen=True)
class _Numbers:
    """What all kernels want of a layer, as numbers of the arrays' type."""

    threshold: Any
    keep: Any
    back: Any
    hold: bool
    refractory: int
    mean: Any


def _numbers(schedule: Schedule, layer: Layer, kind: type[np.floating[Any]]) -> _Numbers:
    neuron = layer.neuron
    soft = neuron.reset == "subtract"
    fires_at = neuron.fires_at(single=kind is np.float32)
    return _Numbers(
        threshold=kind(fires_at - neuron.v_rest if layer.spiking else math.inf),
        keep=kind(soft),
        back=kind(-neuron.theta if soft else neuron.v_reset - neuron.v_rest),
        hold=not soft,
        refractory=neuron.refractory_steps(schedule.dt),
        mean=kind(0.0 if layer.spiking else 1.0 / schedule.steps),
    )


_NOTHING = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}

# A kernel, and all that it is given.
_Call: TypeAlias = "tuple[Callable[..., None], tuple[Any, ...]]"


@dataclass(frozen=True)
class _Population:
    """A population in memory, and the time steps for its kernels."""

    neuron: Any
    dt: float
    steps: int
    memory: Memory
    lift: NDArray[Any]
    stimuli: int
    numbers: _Numbers

    @property
    def kind(self) -> type[np.floating[Any]]:
        return self.lift.dtype.type

    @property
    def inhibition(self) -> NDArray[Any]:
        """What arrives in the second channel; nothing where there is one."""
        drives = self.memory.drives
        return drives[1] if len(drives) > 1 else _NOTHING[self.lift.dtype]

    @property
    def outcome(self) -> tuple[Any, ...]:
        """Where what happens is written, and how much there is of it."""
        return self.memory.state, self.memory.total, self.lift, self.stimuli, self.steps

    @property
    def threshold(self) -> tuple[Any, ...]:
        n = self.numbers
        return n.threshold, n.keep, n.back, n.hold, n.refractory, n.mean

    @property
    def decay(self) -> Any:
        return self.kind(self.neuron.decay(self.dt))

    @property
    def currents(self) -> tuple[Any, ...]:
        """Of both synaptic currents, what is left after a step, and what they add in it."""
        numbers = *self.neuron.synaptic_decays(self.dt), *self.neuron.synaptic_rises(self.dt)
        return tuple(map(self.kind, numbers))

    @property
    def nodes(self) -> tuple[Any, ...]:
        return tuple(map(self.kind, quadrature(self.neuron, self.dt)))


@dataclass(frozen=True)
class _Return:
    """What goes back into a population: derivatives by its membranes and by its total."""

    given: NDArray[Any]
    weight_of_total: NDArray[Any]
    bias: NDArray[Any]
    window: int
    surrogate: tuple[Any, ...]


def _delta(of: _Population) -> _Call:
    return run_delta, (of.memory.drives[0], *of.outcome, of.decay, *of.threshold)


def _exp(of: _Population) -> _Call:
    drives = of.memory.drives[0], of.inhibition
    return run_exp, (*drives, *of.outcome, of.decay, *of.currents, *of.threshold)


def _cond(of: _Population) -> _Call:
    arrays = *of.memory.drives, of.memory.membrane
    return run_cond, (*arrays, *of.outcome, of.nodes, *of.threshold)


def _cond_adaptive(of: _Population) -> _Call:
    neuron = of.neuron
    arrays = *of.memory.drives, of.memory.membrane
    taus = neuron.tau_syn_E, neuron.tau_syn_I
    equation = of.dt, 1.0 / neuron.tau_m, neuron.pulls, taus, neuron.cm
    return run_cond_adaptive, (*arrays, *of.outcome, *equation, *of.threshold)


def _delta_back(of: _Population, by: _Return) -> _Call:
    memory = of.memory
    arrays = memory.drives[0], memory.state, by.given, by.weight_of_total, by.bias
    return return_delta, (*arrays, of.stimuli, of.steps, by.window, of.decay, *by.surrogate)


def _exp_back(of: _Population, by: _Return) -> _Call:
    memory = of.memory
    arrays = memory.drives[0], of.inhibition, memory.state, by.given, by.weight_of_total, by.bias
    extent = of.stimuli, of.steps, by.window
    return return_exp, (*arrays, *extent, of.decay, *of.currents, *by.surrogate)


def _cond_back(of: _Population, by: _Return) -> _Call:
    memory = of.memory
    arrays = *memory.drives, memory.membrane, memory.state, by.given, by.weight_of_total, by.bias
    extent = of.lift, of.stimuli, of.steps, by.window
    return return_cond, (*arrays, *extent, of.nodes, of.numbers.back, *by.surrogate)


@dataclass(frozen=True)
class _Kernels:
    """How the engine runs a neuron model.

    ``forward`` is what simulators run, ``smooth`` what is differentiated, and ``backward`` its
    derivatives.
    """

    forward: Callable[[_Population], _Call]
    smooth: Callable[[_Population], _Call]
    backward: Callable[[_Population, _Return], _Call]


KERNELS: Mapping[type[NeuronModel], _Kernels] = {
    IFCurrDelta: _Kernels(_delta, _delta, _delta_back),
    IFCurrExp: _Kernels(_exp, _exp, _exp_back),
    IFCondExp: _Kernels(_cond_adaptive, _cond, _cond_back),
}


def _population(
    schedule: Schedule, layer: Layer, memory: Memory, lift: NDArray[Any], stimuli: int
) -> _Population:
    numbers = _numbers(schedule, layer, lift.dtype.type)
    return _Population(layer.neuron, schedule.dt, schedule.steps, memory, lift, stimuli, numbers)


def forward(
    schedule: Schedule,
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
    if layer.units is None:
        kernel, arguments = call_of(
            schedule, layer, memory, lift, stimuli, differentiable=differentiable
        )
        kernel(*arguments)
        return
    # The kernels have one number for all units, so each kind of neurons has a turn.
    for part, units in layer.kinds():
        own = memory.of_units(units, layer.size)
        forward(schedule, part, own, lift[units], stimuli, differentiable=differentiable)
        memory.put_units(own, units, layer.size)


def call_of(
    schedule: Schedule,
    layer: Layer,
    memory: Memory,
    lift: NDArray[Any],
    stimuli: int,
    *,
    differentiable: bool,
) -> tuple[Callable[..., None], tuple[Any, ...]]:
    """The kernel that ``forward`` calls for a population, and all that it is given."""
    kernels = KERNELS[type(layer.neuron)]
    call = kernels.smooth if differentiable else kernels.forward
    return call(_population(schedule, layer, memory, lift, stimuli))


def backward(
    schedule: Schedule,
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
    of = _population(schedule, layer, memory, lift, stimuli)
    n, kind, theta = of.numbers, of.kind, layer.neuron.theta
    by = _Return(
        given=_NOTHING[lift.dtype] if returned is None else returned,
        weight_of_total=weight_of_total,
        bias=np.zeros_like(lift),
        window=window,
        surrogate=(
            *(n.keep, n.hold, n.refractory, n.mean),
            *(surrogate.code, n.threshold),
            *(kind(1.0 / (surrogate.width * theta)), kind(surrogate.height / theta)),
        ),
    )
    kernel, arguments = KERNELS[type(layer.neuron)].backward(of, by)
    kernel(*arguments)
    return by.bias


def quadrature(neuron: IFCondExp, dt: float) -> tuple[float, ...]:
    """The constants of a step of ``IFCondExp``, 23 numbers.

    leak, E_E, E_I (from rest), decay_E, decay_I, then for each of three times t, 0 and the two
    nodes: weight, e^(−t/τ_E)/c_m, e^(−t/τ_I)/c_m, and the integrals from t to dt of leak, and of
    e^(−t/τ_E)/c_m and e^(−t/τ_I)/c_m.
    """
    numbers = [1.0 / neuron.tau_m, *neuron.pulls, *neuron.synaptic_decays(dt)]
    for weight, at in zip((0.0, 0.5, 0.5), neuron.instants(dt), strict=False):
        numbers += [weight * dt, *(left / neuron.cm for left in at.left), at.leak, *at.spent]
    return tuple(numbers)
