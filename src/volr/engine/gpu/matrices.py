"""The engine in PyTorch, on any device: dense matrix products over all steps at once.

A projection is one product ``[time · batch, pre]`` × ``[pre, post]``, shifted by the delay. Time is
then gone through population by population: by the loop of ``volr.engine.gpu.recurrence``, or on
CUDA, where Triton is installed, by the fused kernels of ``volr.engine.gpu.fused``.

The derivatives are those of ``volr.engine.gpu.recurrence``. With a ``window``, moreover, a spike
that is emitted in one window and arrives in a later one is held to be constant, though the weight
that it goes through is not.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from volr.engine.gpu.connectors import arriving
from volr.engine.gpu.recurrence import unroll
from volr.engine.readout import Response
from volr.engine.surrogates import Surrogate
from volr.errors import DataError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from volr.engine.schedule import Layer, Schedule
    from volr.neurons import NeuronModel


def respond(
    schedule: Schedule,
    values: Mapping[str, Tensor],
    spikes: Tensor,
    *,
    surrogate: Surrogate = Surrogate(),
    window: int | None = None,
    trace: bool = False,
    fused: bool | None = None,
) -> Response:
    """Run a schedule on the input spikes ``[time, batch, unit]``, all inputs side by side.

    ``values`` are the parameters by our names, weights in the shape of their connector and in the
    neuron's unit, and biases ``[unit]`` or ``[channel]`` in nA, of one float type and on one
    device, which the response shares.
    ``window`` truncates backpropagation through time; None is the whole of it. ``trace`` keeps
    spikes and membranes. ``fused`` says whether the fused kernels run; None: where they can.
    Raises ``DataError`` for spikes of another shape.
    """
    width = sum(size for _, size in schedule.inputs)
    if spikes.ndim != 3 or len(spikes) != schedule.steps or spikes.shape[2] != width:
        raise DataError(
            f"the spikes have the shape {list(spikes.shape)}, the schedule takes "
            f"[{schedule.steps}, batch, {width}]"
        )
    if window is not None and window < 1:
        raise DataError(f"the window is {window} steps, not at least 1")
    like = next(iter(values.values()), spikes)
    given = spikes.to(like.device, like.dtype)
    parts = torch.split(given, [size for _, size in schedule.inputs], dim=2)
    sent = {name: part for (name, _), part in zip(schedule.inputs, parts, strict=True)}
    counts: dict[str, Tensor] = {}
    membranes: dict[str, Tensor] = {}
    traced: dict[str, Tensor] = {}
    potentials: dict[str, Tensor] = {}
    for layer in schedule.layers:
        emitted, v = recurrence(
            layer.neuron,
            schedule.dt,
            _drives(layer, values, sent, window),
            _currents(layer, values, given),
            spiking=layer.spiking,
            surrogate=surrogate,
            window=window,
            fused=fused,
        )
        if layer.spiking:
            sent[layer.name] = emitted
            counts[layer.name] = emitted.sum(dim=0)
        else:
            membranes[layer.name] = v[-1] if layer.last else v.mean(dim=0)
        if trace:
            potentials[layer.name] = v
            if layer.spiking:
                traced[layer.name] = emitted
    return Response(counts, membranes, traced, potentials)


def recurrence(
    neuron: NeuronModel,
    dt: float,
    drives: Sequence[Tensor],
    current: Tensor,
    *,
    spiking: bool,
    surrogate: Surrogate,
    window: int | None,
    fused: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """``volr.engine.gpu.recurrence.unroll``, by the fused kernels where they can run or must."""
    if fused is None:
        known = drives[0].dtype in {torch.float32, torch.float64}
        fused = drives[0].is_cuda and known and find_spec("triton") is not None
    if fused:
        from volr.engine.gpu import fused as kernels

        run = kernels.unroll
    else:
        run = unroll
    return run(neuron, dt, drives, current, spiking=spiking, surrogate=surrogate, window=window)


def _in_flight(spikes: Tensor, delay: int, window: int | None) -> Tensor:
    """What arrives of the spikes: those of all steps but the last ones, without derivative where
    they leave their window.
    """
    arriving = spikes[: max(len(spikes) - delay, 0)]
    if window is None or not arriving.requires_grad:
        return arriving
    step = torch.arange(len(arriving), device=arriving.device)
    stays = step // window == (step + delay) // window
    return torch.where(stays[:, None, None], arriving, arriving.detach())


def _currents(layer: Layer, values: Mapping[str, Tensor], like: Tensor) -> Tensor:
    """The biases by unit: those of a channel are the same, and a layer may have none."""
    found = values.get(layer.bias)
    if found is None:
        return like.new_zeros(layer.size)
    return found if len(found) == layer.size else found.repeat_interleave(layer.size // len(found))


def _drives(
    layer: Layer, values: Mapping[str, Tensor], sent: Mapping[str, Tensor], window: int | None
) -> list[Tensor]:
    """What arrives at a layer, ``[time, batch, unit]`` for each channel of its neurons.

    ``sent`` are the spikes ``[time, batch, unit]`` of each population.
    """
    flying = {
        (term.source, term.delay): _in_flight(sent[term.source], term.delay, window)
        for term in layer.terms
    }
    drives: list[Tensor] = []
    if len(layer.channels) > 1 and (mixed := [term for term in layer.terms if term.mixes]):
        raise UnsupportedError(
            f"the engine on a GPU lacks the connector '{mixed[0].connector}' into "
            f"{layer.neuron.name}, whose synapses are excitatory or inhibitory: where pools "
            "overlap, several synapses are one",
            help="--device cpu, or device='cpu' in Python",
        )
    for sign in layer.channels:
        products = [
            _from_start(
                arriving(
                    term,
                    _part(values[term.weight], sign, layer.neuron),
                    flying[term.source, term.delay],
                ),
                len(sent[term.source]),
            )
            for term in layer.terms
        ]
        drives.append(torch.stack(products).sum(dim=0) if len(products) > 1 else products[0])
    return drives


def _from_start(arriving: Tensor, steps: int) -> Tensor:
    """What arrives in the last of ``steps`` steps, ``[time, batch, unit]``, in all of them."""
    return functional.pad(arriving, (0, 0, 0, 0, steps - len(arriving), 0))


def _part(weight: Tensor, sign: int, neuron: NeuronModel) -> Tensor:
    """The weights that a channel takes, as what they add to it; 0 counts as excitatory."""
    if sign == 0:
        return weight
    if sign > 0:
        return torch.where(weight >= 0, weight, 0.0)
    negative = torch.where(weight < 0, weight, 0.0)
    return -negative if neuron.has_conductances else negative
