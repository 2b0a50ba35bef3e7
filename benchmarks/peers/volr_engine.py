"""Volr's own engine, on spikes ``[time, batch, unit]`` as bool, from which it makes its lists."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from peers.windowed import Windowed
from volr.engine.autograd import respond
from volr.engine.cpu.buffers import empty_batch
from volr.engine.cpu.passes import forwards
from volr.engine.encoding import Spikes
from volr.engine.simulation import ready, simulate_encoded
from volr.models.model import SpikingModel
from volr.models.parameters import parameter_shapes, weight_name
from volr.network import Network, Population, Projection
from volr.network.connectors import AllToAll, AveragePool, Convolution, Pooled
from volr.neurons import IFCurrDelta

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peers.windowed import Synapses
    from volr.network.connectors import Connector

DT = 1.0


class Volr:
    """``IFCurrDelta`` in thresholds instead of mV, in float32; on a GPU its dense path."""

    name: ClassVar[str] = "volr"
    note: ClassVar[str] = "spikes take a step from layer to layer, as in NEST"
    latency: ClassVar[int] = 1

    def __init__(self, weights: Sequence[Synapses], decay: float, device: str = "cpu") -> None:
        model = _model(weights, decay)
        self._ready = ready(model, np.float32)
        self._on_cpu = device == "cpu"
        self._values = {
            name: torch.tensor(
                array, dtype=torch.float32, device=device, requires_grad=name.endswith("weight")
            )
            for name, array in model.parameters.items()
        }

    def prepare(self, spikes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """See ``Engine``: nothing is done beforehand."""
        return spikes

    def forward(self, given: NDArray[np.bool_]) -> Tensor:
        """See ``Engine``."""
        if not self._on_cpu:
            with torch.no_grad():
                return self._counts(given)
        schedule = replace(self._ready.schedule, steps=len(given))
        found = simulate_encoded(
            replace(self._ready, schedule=schedule), Spikes(given.view(np.uint8))
        )
        return torch.from_numpy(found.totals[schedule.outputs[0]])

    def step(self, given: NDArray[np.bool_], wanted: Tensor) -> None:
        """See ``Engine``."""
        torch.nn.functional.mse_loss(self._counts(given), wanted).backward()

    def spikes(self, given: NDArray[np.bool_]) -> list[NDArray[np.bool_]] | None:
        """See ``Engine``."""
        steps, stimuli, _ = given.shape
        schedule, encoded = replace(self._ready.schedule, steps=steps), Spikes(given.view(np.uint8))
        batch = empty_batch(schedule, stimuli, self._ready.dtype, encoded.density())
        tiles, lifts = self._ready.tiles, self._ready.lifts
        forwards(schedule, encoded, tiles, lifts, batch, 0, stimuli, differentiable=False)
        return [
            (batch.memory[layer.name].state.reshape(stimuli, steps, -1).swapaxes(0, 1) & 1) != 0
            for layer in schedule.layers
        ]

    def forget(self) -> None:
        """See ``Engine``."""
        for value in self._values.values():
            value.grad = None

    def _counts(self, given: NDArray[np.bool_]) -> Tensor:
        schedule = replace(self._ready.schedule, steps=len(given))
        counts = respond(schedule, self._values, Spikes(given.view(np.uint8))).counts
        return counts[schedule.outputs[0]]


def _model(weights: Sequence[Synapses], decay: float) -> SpikingModel:
    """Of one step; how many there are is seen from the spikes."""
    first = weights[0]
    shapes = [first.source if isinstance(first, Windowed) else (first.shape[1],)]
    shapes += [each.target if isinstance(each, Windowed) else (len(each),) for each in weights]
    populations = tuple(Population(f"layer_{i}", shape) for i, shape in enumerate(shapes))
    projections = tuple(
        Projection(a.name, b.name, _connector(each))
        for each, (a, b) in zip(weights, pairwise(populations), strict=True)
    )
    names = populations[0].name, populations[-1].name
    network = Network(populations, projections, (names[0],), (names[1],))
    neuron = IFCurrDelta(
        v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_m=-DT / math.log(decay), tau_refrac=0.0
    )
    parameters = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
    for projection, each in zip(projections, weights, strict=True):
        array = each.weights if isinstance(each, Windowed) else each
        parameters[weight_name(projection)] = array.astype(np.float64)
    return SpikingModel(
        network=network,
        parameters=parameters,
        neuron=neuron,
        dt=DT,
        duration=DT,
        delay=DT,
    )


def _connector(synapses: Synapses) -> Connector:
    if not isinstance(synapses, Windowed):
        return AllToAll()
    window = synapses.weights.shape[2:]
    inner = Convolution(window) if window else AllToAll()
    return Pooled((AveragePool((synapses.pool,) * 2),), inner) if synapses.pool > 1 else inner
