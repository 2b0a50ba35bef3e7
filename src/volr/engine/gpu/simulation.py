"""Spiking models on another device than the processor: ``volr.engine.simulation`` through PyTorch.

Everything is computed in float64, by matrix products. Their sums have another order than the
engine's. So a membrane that equals the threshold up to rounding may be on the other side of it, and
there may be a spike more or less. NEST's solver for conductances runs on the processor only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from volr.engine.cpu.work import slices
from volr.engine.encoding import after_reset, encode
from volr.engine.gpu import matrices
from volr.engine.schedule import schedule_of
from volr.engine.simulation import Result, empty_result, record_inputs
from volr.errors import UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from volr.engine.schedule import Schedule
    from volr.engine.simulation import Progress
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli

# Stimuli that are run at once, and the most memory for what their neurons do.
_CHUNK, _CHUNK_BYTES = 1024, 1_000_000_000


def simulate(
    model: SpikingModel,
    stimuli: Stimuli,
    device: str,
    *,
    seed: int = 0,
    first: int = 0,
    layers: tuple[str, ...] | None = None,
    counts: tuple[str, ...] = (),
    spikes: tuple[str, ...] = (),
    membranes: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Result:
    """As ``volr.engine.simulation.simulate``. Raises ``UnsupportedError`` for conductances, and
    ``ModelError`` where there is not the memory for what is recorded.
    """
    if any(model.neuron_of(each.name).has_conductances for each in model.network.layers):
        raise UnsupportedError(
            "if_cond_exp is simulated with NEST's solver, which runs on the processor alone",
            help="--device cpu, or device='cpu' in Python",
        )
    schedule, count = schedule_of(model), len(stimuli)
    for layer in schedule.layers:
        if layer.units is not None:
            raise UnsupportedError(
                f"the neurons of {layer.name} differ by unit, and a GPU runs populations whose "
                "neurons are all alike",
                help="--device cpu, or device='cpu' in Python",
            )
    result = empty_result(schedule, count, layers, counts, spikes, membranes)
    values = {
        name: torch.as_tensor(np.array(value, np.float64)).to(device)
        for name, value in model.parameters.items()
    }
    for start, last in slices(count, _together(schedule)):
        part, number = stimuli[start:last], first + start
        shown = encode(schedule, model.coding, part, seed=seed, first=number)
        record_inputs(result, schedule, shown, start, last)
        given = torch.as_tensor(shown.spelled_out()).to(device)
        with torch.no_grad():
            found = matrices.respond(schedule, values, given, trace=bool(spikes or membranes))
        for layer in schedule.layers:
            name = layer.name
            if name in result.totals:
                result.totals[name][start:last] = _array((found.counts | found.membranes)[name])
            if name in result.spikes or name in result.membranes:
                potentials = _array(found.potentials[name])
                if layer.spiking:
                    fired = _array(found.spikes[name]) != 0
                else:
                    fired = np.zeros(potentials.shape, np.bool_)
                if name in result.spikes:
                    result.spikes[name][:, start:last] = fired
                if name in result.membranes:
                    after = after_reset(layer.neurons, potentials, fired)
                    result.membranes[name][:, start:last] = after
        if progress is not None:
            progress(last - start)
    return result


def _together(schedule: Schedule) -> int:
    # What arrives, spikes and membranes of a neuron in a step, and as much on the way.
    each = 6 * 8 * schedule.steps * sum(schedule.sizes.values())
    return max(1, min(_CHUNK, _CHUNK_BYTES // each))


def _array(values: Tensor) -> NDArray[Any]:
    return values.cpu().numpy()
