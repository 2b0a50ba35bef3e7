"""One population over time, in PyTorch: from what arrives to spikes and membranes.

The update is that of ``volr.neurons``, V counted from v_rest. Backwards,

- dS/dV is the surrogate, and 0 in a refractory neuron;
- the reset is held to be constant: hard, V ← V (1 − S) + (v_reset − v_rest) S, and subtracting,
  V ← V − (v_thresh − v_reset) S, where S is detached;
- under a hard reset nothing flows through the membrane of a refractory neuron, which is constant;
- with a ``window`` of W steps, the whole state is detached between the steps k W − 1 and k W.

What arrives comes as one drive ``[time, batch, unit]`` for each of the neuron's ``channels``.
``IFCondExp`` takes the smooth step of its docstring, not the one that tries steps as NEST does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import torch
from torch import Tensor
from torch.autograd import Function

from volr.engine.gpu.conductances import moved
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.engine.surrogates import Surrogate


# From V − v_rest, the synapses' states and what arrives in a step, to both after it.
Advance: TypeAlias = Callable[
    [Tensor, tuple[Tensor, ...], tuple[Tensor, ...]], tuple[Tensor, tuple[Tensor, ...]]
]


def synapses(neuron: NeuronModel) -> int:
    """How many states of synapses a neuron has: currents or conductances."""
    return 0 if neuron.moves_at_once else len(neuron.channels)


def unroll(
    neuron: NeuronModel,
    dt: float,
    drives: Sequence[Tensor],
    current: Tensor,
    *,
    spiking: bool,
    surrogate: Surrogate,
    window: int | None,
) -> tuple[Tensor, Tensor]:
    """Spikes, 0 or 1, and V − v_rest before the reset, mV, both ``[time, batch, unit]``.

    ``drives`` are ``[time, batch, unit]``, one for each channel of the neuron, in the unit of its
    weights (conductances are positive); ``current`` ``[unit]`` is the biases, nA. Neurons that are
    not ``spiking`` emit nothing and are not reset.
    """
    advance = _advance(neuron, dt, current)
    refractory = neuron.refractory_steps(dt)
    single = drives[0].dtype == torch.float32
    threshold = neuron.fires_at(single=single) - neuron.v_rest
    reset = neuron.v_reset - neuron.v_rest
    hard = neuron.reset == "hard"
    v = torch.zeros_like(drives[0][0])
    state = tuple(torch.zeros_like(v) for _ in range(synapses(neuron)))
    left = torch.zeros_like(v, dtype=torch.int32)
    spikes: list[Tensor] = []
    membranes: list[Tensor] = []
    for step, arriving in enumerate(zip(*(drive.unbind(0) for drive in drives), strict=True)):
        if window is not None and step % window == 0:
            v, state = v.detach(), tuple(each.detach() for each in state)
        before, (v, state) = v, advance(v, state, arriving)
        active = left == 0
        if spiking and refractory and hard:
            v = torch.where(active, v, before)
        membranes.append(v)
        if not spiking:
            continue
        emitted = _spike(v, threshold, neuron.theta, surrogate)
        if refractory:
            emitted = torch.where(active, emitted, 0.0)
        fired = emitted.detach() > 0
        v = torch.where(fired, reset, v) if hard else v - neuron.theta * emitted.detach()
        left = torch.where(fired, refractory, (left - 1).clamp(min=0))
        spikes.append(emitted)
    potentials = torch.stack(membranes)
    if not spiking:
        return potentials.new_zeros(()).expand_as(potentials), potentials
    return torch.stack(spikes), potentials


def _advance(neuron: NeuronModel, dt: float, current: Tensor) -> Advance:
    return ADVANCES[type(neuron)](neuron, dt, current)


def _delta(neuron: IFCurrDelta, dt: float, current: Tensor) -> Advance:
    a, push = neuron.decay(dt), neuron.rise(dt) * (neuron.i_offset + current)

    def advance(
        v: Tensor, state: tuple[Tensor, ...], arriving: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        return v * a + push + arriving[0], state

    return advance


def _currents(neuron: IFCurrExp, dt: float, current: Tensor) -> Advance:
    a, push = neuron.decay(dt), neuron.rise(dt) * (neuron.i_offset + current)
    rises, decays = neuron.synaptic_rises(dt), neuron.synaptic_decays(dt)

    def advance(
        v: Tensor, state: tuple[Tensor, ...], arriving: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        v = v * a
        for rise, flowing in zip(rises, state, strict=False):
            v = v + flowing * rise
        return v + push, tuple(
            decay * flowing + more
            for decay, flowing, more in zip(decays, state, arriving, strict=False)
        )

    return advance


def _conductances(neuron: IFCondExp, dt: float, current: Tensor) -> Advance:
    total = neuron.i_offset + current
    decay_e, decay_i = neuron.synaptic_decays(dt)

    def advance(
        v: Tensor, state: tuple[Tensor, ...], arriving: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        g_e, g_i = state
        v = moved(neuron, dt, v, g_e, g_i, total)
        return v, (decay_e * g_e + arriving[0], decay_i * g_i + arriving[1])

    return advance


ADVANCES: Mapping[type[NeuronModel], Callable[[Any, float, Tensor], Advance]] = {
    IFCurrDelta: _delta,
    IFCurrExp: _currents,
    IFCondExp: _conductances,
}


def slope(v: Tensor, threshold: float, theta: float, surrogate: Surrogate) -> Tensor:
    """dS/dV, 1/mV, at ``v``, mV; see ``volr.engine.surrogates``."""
    x = (v - threshold).abs() / (surrogate.width * theta)
    height = surrogate.height / theta
    match surrogate.shape:
        case "triangle":
            return height * (1.0 - x).clamp(min=0.0)
        case "rectangle":
            return height * (x < 1.0).to(v.dtype)
        case "fast_sigmoid":
            return height / ((1.0 + x) * (1.0 + x))
        case "atan":
            return height / (1.0 + x * x)


class _Spike(Function):
    @staticmethod
    def forward(
        ctx: Any, v: Tensor, threshold: float, theta: float, surrogate: Surrogate
    ) -> Tensor:
        ctx.save_for_backward(v)
        ctx.membrane = threshold, theta, surrogate
        return (v >= threshold).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        (v,) = ctx.saved_tensors
        return grad_outputs[0] * slope(v, *ctx.membrane), None, None, None


# 1 where a membrane is at the threshold or above it, else 0; its derivative is the surrogate.
_spike = cast("Callable[..., Tensor]", _Spike.apply)  # pyright: ignore[reportUnknownMemberType]
