"""The engine in PyTorch: a network of spiking neurons as one differentiable function.

On the CPU this is the engine's own kernels, forwards and backwards; on any other device the dense
path of ``volr.engine.gpu.matrices``. Both compute the same, derivatives included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from volr.engine.cpu.buffers import empty_batch, neuron_steps, put_back, slice_size
from volr.engine.cpu.connectors import in_tiles
from volr.engine.cpu.dynamics import lift_of, lifts_of
from volr.engine.cpu.passes import backwards, forwards
from volr.engine.cpu.work import compiled, everywhere, slices
from volr.engine.readout import Response
from volr.engine.surrogates import Surrogate
from volr.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.engine.cpu.buffers import Batch
    from volr.engine.encoding import Encoded
    from volr.engine.schedule import Schedule


def respond(
    schedule: Schedule,
    values: Mapping[str, Tensor],
    encoded: Encoded,
    *,
    surrogate: Surrogate = Surrogate(),
    window: int | None = None,
) -> Response:
    """Run a network on ``encoded`` stimuli; differentiable in ``values``, the parameters by name.

    Weights are in the shape of their connector, ``[post, pre]`` of ``AllToAll``, and biases
    ``[unit]`` or ``[channel]``; all float32 or all float64 and on one device. Derivatives of spikes
    are those of the ``surrogate``, and nothing flows back from one ``window`` of steps to an
    earlier one; None is full backpropagation through time. A response can be gone back through
    once. Raises ``DataError`` for spikes of another shape.
    """
    width = sum(size for _, size in schedule.inputs)
    if encoded.shape != (schedule.steps, len(encoded), width):
        raise DataError(
            f"the spikes have the shape {[*encoded.shape]}, the schedule takes "
            f"[{schedule.steps}, batch, {width}]"
        )
    if window is not None and window < 1:
        raise DataError(f"the window is {window} steps, not at least 1")
    names = tuple(values)
    device = values[names[0]].device
    if device.type != "cpu":
        from volr.engine.gpu import matrices

        spikes = torch.as_tensor(encoded.spelled_out()).to(device)
        return matrices.respond(schedule, values, spikes, surrogate=surrogate, window=window)
    totals = cast(
        "tuple[Tensor, ...]",
        _Respond.apply(  # pyright: ignore[reportUnknownMemberType]
            schedule,
            encoded,
            surrogate,
            window or schedule.steps,
            names,
            torch.is_grad_enabled(),
            *values.values(),
        ),
    )
    answers = dict(zip((layer.name for layer in schedule.layers), totals, strict=True))
    return Response(
        counts={each.name: answers[each.name] for each in schedule.layers if each.spiking},
        membranes={each.name: answers[each.name] for each in schedule.layers if not each.spiking},
    )


class _Respond(torch.autograd.Function):
    """Totals ``[batch, unit]`` of all layers, from parameters; see ``respond``."""

    @staticmethod
    def forward(
        ctx: Any,
        schedule: Schedule,
        encoded: Encoded,
        surrogate: Surrogate,
        window: int,
        names: tuple[str, ...],
        recorded: bool,
        *values: Tensor,
    ) -> tuple[Tensor, ...]:
        arrays = _arrays(names, values)
        dtype = next(iter(arrays.values())).dtype
        lifts = lifts_of(schedule, arrays, dtype)
        kinds = schedule.kinds, schedule.connectors
        kind = (*kinds, dtype, type(encoded), max(schedule.sizes.values()) > 2**16)

        def warm_up() -> None:
            batch = _forwards(schedule, encoded.part(0, 1), arrays, lifts)
            by_total = {layer.name: np.zeros((1, layer.size), dtype) for layer in schedule.layers}
            backwards(schedule, arrays, lifts, batch, by_total, surrogate, window)

        if len(encoded):
            compiled(("train", *kind), warm_up)
        batch = _forwards(schedule, encoded, arrays, lifts)
        ctx.what = (schedule, surrogate, window, names)
        ctx.kept = (lifts, batch)
        # Of layers that the loss does not look at: zeros of PyTorch's would wake its threads, which
        # then keep a core busy, waiting for more.
        ctx.set_materialize_grads(False)
        # PyTorch notices when somebody writes to these before the way back.
        ctx.save_for_backward(*values)
        totals = tuple(
            torch.as_tensor(batch.memory[layer.name].total.reshape(-1, layer.size).copy())
            for layer in schedule.layers
        )
        if not (recorded and any(ctx.needs_input_grad)):
            put_back(batch)
        return totals

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *by_total: Tensor | None
    ) -> tuple[Any, ...]:
        schedule, surrogate, window, names = ctx.what
        arrays = _arrays(names, ctx.saved_tensors)
        if ctx.kept is None:
            raise RuntimeError(
                "the engine's memory of this response has been used up: it can be gone back "
                "through once, and retain_graph does not keep it"
            )
        lifts, batch = ctx.kept
        ctx.kept = None
        dtype = next(iter(arrays.values())).dtype
        wanted = {
            layer.name: np.zeros((batch.stimuli, layer.size), dtype)
            if each is None
            else np.ascontiguousarray(each.numpy(), dtype=dtype)
            for layer, each in zip(schedule.layers, by_total, strict=True)
        }
        found = backwards(schedule, arrays, lifts, batch, wanted, surrogate, window)
        put_back(batch)
        gradients = dict(found.weights)
        for layer in schedule.layers:
            if (bias := arrays.get(layer.bias)) is None:
                continue
            factor = dtype.type(lift_of(layer.neuron, schedule.dt))
            by_unit = found.lifts[layer.name] * factor
            # By channel, each is that of all its units.
            one = len(bias) == layer.size
            gradients[layer.bias] = by_unit if one else by_unit.reshape(len(bias), -1).sum(axis=1)
        return (None,) * 6 + tuple(torch.as_tensor(gradients[name]) for name in names)


def _arrays(names: tuple[str, ...], values: tuple[Tensor, ...]) -> dict[str, NDArray[Any]]:
    return {
        name: np.ascontiguousarray(value.detach().numpy())
        for name, value in zip(names, values, strict=True)
    }


def _forwards(
    schedule: Schedule,
    encoded: Encoded,
    arrays: Mapping[str, NDArray[Any]],
    lifts: Mapping[str, NDArray[Any]],
) -> Batch:
    dtype = next(iter(arrays.values())).dtype
    batch = empty_batch(schedule, len(encoded), dtype, encoded.density())
    tiles = in_tiles(schedule, arrays)

    def work(part: tuple[int, int]) -> None:
        forwards(schedule, encoded, tiles, lifts, batch, *part, differentiable=True)

    size = len(encoded) * neuron_steps(schedule)
    everywhere(work, slices(len(encoded), slice_size(schedule)), size=size)
    return batch
