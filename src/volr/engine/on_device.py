"""Spiking models on another device than the processor: ``volr.engine.simulation`` through PyTorch.

All is done in float64, by matrix products, whose sums have another order than the engine's: a
membrane that ends a step within rounding of the threshold may be on its other side, and with it a
spike. Conductances are integrated by NEST's solver on the processor alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from volr.engine import dense
from volr.engine.encoding import after_reset, encode
from volr.engine.plan import plan_of
from volr.engine.simulation import Result, input_membranes
from volr.engine.work import slices
from volr.errors import UnsupportedError
from volr.memory import check_room
from volr.models.neurons import IFCondExp

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from volr.engine.plan import Plan
    from volr.engine.simulation import Progress
    from volr.models.arrays import Floats
    from volr.models.model import SpikingModel

# Stimuli that are run at once, and the most memory for what their neurons do.
_CHUNK, _CHUNK_BYTES = 1024, 1_000_000_000


def simulate(
    model: SpikingModel,
    stimuli: Floats,
    device: str,
    *,
    seed: int = 0,
    counts: tuple[str, ...] = (),
    spikes: tuple[str, ...] = (),
    membranes: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Result:
    """As ``volr.engine.simulation.simulate``. Raises ``UnsupportedError`` for conductances, and
    ``ModelError`` where there is not the memory for what is recorded.
    """
    if isinstance(model.neuron, IFCondExp):
        raise UnsupportedError(
            "if_cond_exp is simulated with NEST's solver, which runs on the processor alone",
            help="--device cpu, or device='cpu' in Python",
        )
    plan, count = plan_of(model), len(stimuli)
    recorded = {name: plan.steps * count * plan.size(name) for name in spikes}
    for name in membranes:
        recorded[name] = recorded.get(name, 0) + 8 * plan.steps * count * plan.size(name)
    check_room(recorded, "for the recordings", help="record fewer populations or stimuli")
    values = {
        name: torch.as_tensor(np.array(value, np.float64)).to(device)
        for name, value in model.parameters.items()
    }
    layers = [layer.name for layer in plan.layers]
    totals = {name: np.empty((count, plan.size(name))) for name in (*layers, *counts)}
    kept = {name: np.empty((plan.steps, count, plan.size(name)), np.bool_) for name in spikes}
    traces = {name: np.empty((plan.steps, count, plan.size(name))) for name in membranes}
    for first, last in slices(count, _together(plan)):
        shown = encode(plan, model.coding, stimuli[first:last], seed=seed, first=first)
        given = shown.spelled_out()
        with torch.no_grad():
            found = dense.respond(
                plan, values, torch.as_tensor(given).to(device), trace=bool(spikes or membranes)
            )
        for name in layers:
            totals[name][first:last] = _array((found.counts | found.membranes)[name])
        for name in counts:
            totals[name][first:last] = given[:, :, plan.input_units(name)].sum(axis=0)
        for name in {*spikes, *membranes}:
            if name in layers:
                potentials = _array(found.potentials[name])
                silent = np.zeros(potentials.shape, np.bool_)
                fired = _array(found.spikes[name]) != 0 if name in found.spikes else silent
                ends = after_reset(plan.neuron, potentials, fired)
            else:
                units = plan.input_units(name)
                fired, ends = given[:, :, units] != 0, input_membranes(plan, shown, units)
            if name in kept:
                kept[name][:, first:last] = fired
            if name in traces:
                traces[name][:, first:last] = ends
        if progress is not None:
            progress(last - first)
    return Result(totals, kept, traces)


def _together(plan: Plan) -> int:
    # What arrives, spikes and membranes of a neuron in a step, and as much on the way.
    each = 6 * 8 * plan.steps * sum(plan.sizes.values())
    return max(1, min(_CHUNK, _CHUNK_BYTES // each))


def _array(values: Tensor) -> NDArray[Any]:
    return values.cpu().numpy()
