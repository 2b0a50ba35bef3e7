"""``volr.engine.gpu.recurrence.unroll`` by the fused Triton kernels, with derivatives.

This file needs Triton. The kernels run on CUDA, or anywhere under ``TRITON_INTERPRET=1``.
"""

# pyright: reportMissingModuleSource=false

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from volr.engine.gpu.recurrence import synapses
from volr.engine.gpu.triton_conductances import backward_conductances, forward_conductances
from volr.engine.gpu.triton_kernels import backward_currents, forward_currents
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from triton import JITFunction

    from volr.engine.surrogates import Surrogate

# Neurons of one program, few, so that small layers still spread over the device.
_BLOCK, _WARPS = 64, 2


@dataclass(frozen=True, slots=True)
class _Run:
    """What is the same for all neurons of one population."""

    neuron: NeuronModel
    dt: float
    spiking: bool
    surrogate: Surrogate
    window: int | None


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
    """As ``volr.engine.gpu.recurrence.unroll``, for float32 and float64."""
    push = neuron.i_offset + current
    if not neuron.has_conductances:
        push = neuron.rise(dt) * push
    run = _Run(neuron, dt, spiking, surrogate, window)
    inhibition = drives[1] if len(drives) == 2 else None
    spikes, membranes = _unroll(run, drives[0], inhibition, push)
    if spikes is None:
        spikes = membranes.new_zeros(()).expand_as(membranes)
    return spikes, membranes


class _Unroll(Function):
    @staticmethod
    def forward(
        ctx: Any, run: _Run, drive: Tensor, inhibition: Tensor | None, push: Tensor
    ) -> tuple[Tensor | None, Tensor]:
        drive, push = drive.contiguous(), push.contiguous()
        membranes = torch.empty_like(drive)
        # What a kernel does not touch is another array, for Triton wants one.
        spikes = torch.empty_like(drive) if run.spiking else membranes
        stored = {"push": push, "spikes": spikes, "membranes": membranes}
        if run.neuron.has_conductances:
            stored |= {name: torch.empty_like(drive) for name in ("excited", "inhibited")}
        arriving = {
            "numbers": _numbers(run, drive),
            "drive": drive,
            "inhibition": drive if inhibition is None else inhibition.contiguous(),
        }
        shape = _shape(run, drive)
        if run.neuron.has_conductances:
            _launch(forward_conductances, drive, arriving | stored, shape)
        else:
            _launch(
                forward_currents,
                drive,
                arriving | stored,
                shape | {"channels": synapses(run.neuron)},
            )
        ctx.run, ctx.names, ctx.split = run, tuple(stored), inhibition is not None
        ctx.save_for_backward(*stored.values())
        ctx.set_materialize_grads(False)
        return (spikes if run.spiking else None), membranes

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor | None
    ) -> tuple[None, Tensor, Tensor | None, Tensor]:
        by_spikes, by_membranes = grad_outputs
        run: _Run = ctx.run
        stored: dict[str, Tensor] = dict(zip(ctx.names, ctx.saved_tensors, strict=True))
        membranes = stored["membranes"]
        by_drive = torch.empty_like(membranes)
        by_inhibition = torch.empty_like(membranes) if ctx.split else None
        by_push = membranes.new_empty(membranes.shape[1:])
        errors = {
            "numbers": _numbers(run, membranes),
            "by_spikes": membranes if by_spikes is None else by_spikes.contiguous(),
            "by_membranes": membranes if by_membranes is None else by_membranes.contiguous(),
            "by_drive": by_drive,
            "by_inhibition": by_drive if by_inhibition is None else by_inhibition,
            "by_push": by_push,
        }
        steps, cells = len(membranes), by_push.numel()
        shape = _shape(run, membranes) | {
            "last": (steps - 1) * cells,
            "scan": min(steps, run.neuron.refractory_steps(run.dt)),
            "window": run.window or steps,
            "from_spikes": by_spikes is not None,
            "from_membranes": by_membranes is not None,
            "shape": run.surrogate.code,
        }
        if run.neuron.has_conductances:
            _launch(backward_conductances, membranes, stored | errors, shape)
        else:
            del stored["push"], shape["units"]
            shape["channels"] = synapses(run.neuron)
            _launch(backward_currents, membranes, stored | errors, shape)
        return None, by_drive, by_inhibition, by_push.sum(dim=0)


_unroll = cast(
    "Callable[..., tuple[Tensor | None, Tensor]]",
    _Unroll.apply,  # pyright: ignore[reportUnknownMemberType]
)


def _launch(
    kernel: JITFunction[..., None],
    like: Tensor,
    arrays: dict[str, Tensor],
    shape: dict[str, int | bool],
) -> None:
    if like.numel() == 0:
        return
    # Without contraction into fused multiply-adds, spikes are those of the loop in PyTorch.
    with torch.cuda.device_of(like):
        grid = (-(-shape["cells"] // _BLOCK),)
        kernel[grid](**arrays, **shape, block=_BLOCK, num_warps=_WARPS, enable_fp_fusion=False)


def _shape(run: _Run, drive: Tensor) -> dict[str, int | bool]:
    """The numbers that all kernels are called with."""
    refractory = run.neuron.refractory_steps(run.dt)
    return {
        "cells": drive[0].numel(),
        "units": drive.shape[2],
        "steps": len(drive),
        "refractory": refractory,
        "spiking": run.spiking,
        "rests": refractory > 0,
        "hard": run.neuron.reset == "hard",
    }


def _numbers(run: _Run, like: Tensor) -> Tensor:
    """The constants in the order that the kernels read them, where and as the drive is."""
    return _constants(run.neuron, run.dt, run.surrogate, like.dtype, like.device)


@lru_cache(maxsize=64)
def _constants(
    neuron: NeuronModel, dt: float, surrogate: Surrogate, dtype: torch.dtype, device: torch.device
) -> Tensor:
    fires_at = neuron.fires_at(single=dtype == torch.float32)
    numbers = [fires_at - neuron.v_rest, neuron.v_reset - neuron.v_rest, neuron.theta]
    numbers += [surrogate.width * neuron.theta, surrogate.height / neuron.theta]
    numbers += NUMBERS[type(neuron)](neuron, dt)
    return torch.tensor(numbers, dtype=dtype, device=device)


def _of_delta(neuron: IFCurrDelta, dt: float) -> list[float]:
    return [neuron.decay(dt), 0.0, 0.0, 0.0, 0.0]


def _of_currents(neuron: IFCurrExp, dt: float) -> list[float]:
    return [neuron.decay(dt), *neuron.synaptic_rises(dt), *neuron.synaptic_decays(dt)]


def _of_conductances(neuron: IFCondExp, dt: float) -> list[float]:
    numbers = [neuron.cm / neuron.tau_m, 0.5 * dt / neuron.cm, *neuron.pulls]
    numbers += neuron.synaptic_decays(dt)
    for at in neuron.instants(dt):
        numbers += [*at.left, *at.spent, at.leak]
    return numbers


NUMBERS: Mapping[type[NeuronModel], Callable[[Any, float], list[float]]] = {
    IFCurrDelta: _of_delta,
    IFCurrExp: _of_currents,
    IFCondExp: _of_conductances,
}
"""The numbers of a neuron model, in the order in which the kernels read them."""
