"""Networks, neurons and stimuli that the tests of the engine share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.oracles import chain, fork, random_parameters

from volr.models.coding import Poisson
from volr.models.model import Readout, SpikingModel
from volr.network import Network, Population, Projection
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.engine.schedule import Schedule

# Two inputs, the second one first; projections that skip populations, from an input and from a
# hidden one to the same target, in no order; an input that is read as it is; and populations of one
# tile and of two, for either float type.
SKIP = Network(
    populations=tuple(
        Population(name, (size,))
        for name, size in {"left": 9, "right": 6, "first": 11, "second": 70, "last": 5}.items()
    ),
    projections=(
        Projection("second", "last"),
        Projection("left", "last"),
        Projection("left", "first"),
        Projection("first", "last"),
        Projection("right", "second"),
        Projection("first", "second"),
    ),
    inputs=("right", "left"),
    outputs=("last",),
)
# The same with an output that also feeds another, and an input that is an output.
ODD = replace(SKIP, outputs=("last", "left", "first"))
NETWORKS = {"chain": chain(7, 5, 3), "fork": fork(6, 4, 5, 3), "skip": SKIP}

NEURONS: dict[str, NeuronModel] = {
    "delta": IFCurrDelta(v_reset=-63.0, i_offset=0.1),
    "exp": IFCurrExp(v_reset=-67.0, i_offset=0.1),
    "exp two decays": IFCurrExp(v_reset=-63.0, tau_syn_E=3.0, tau_syn_I=7.0),
    "cond": IFCondExp(v_reset=-63.0, tau_syn_E=3.0, tau_syn_I=7.0, e_rev_I=-75.0),
}
# What makes small networks spike, in the unit of each.
WEIGHTS = {"delta": 4.0, "exp": 1.5, "exp two decays": 1.5, "cond": 0.04}


def spiking_model(
    kind: str,
    network: Network,
    *,
    delay: int = 1,
    readout: Readout = "count",
    steps: int = 25,
    seed: int = 0,
    coding: Any = Poisson(400.0),
    **changes: Any,
) -> SpikingModel:
    """A model in steps of 0.5 ms, some of whose weights are 0; ``changes`` are the neuron's."""
    rng = np.random.default_rng(seed)
    values = random_parameters(network, rng, weight=WEIGHTS[kind], bias=0.3)
    for name, value in values.items():
        if name.endswith("weight"):
            value[rng.random(value.shape) < 0.1] = 0.0
    return SpikingModel(
        network=network,
        parameters=values,
        neuron=replace(NEURONS[kind], **changes),
        coding=coding,
        dt=0.5,
        duration=0.5 * steps,
        delay=0.5 * delay,
        readout=readout,
    )


def random_spikes(
    schedule: Schedule, batch: int, *, seed: int = 1, density: float = 0.2
) -> NDArray[np.uint8]:
    """0 or 1, ``[time, batch, unit]``, for the inputs side by side."""
    width = sum(size for _, size in schedule.inputs)
    drawn = np.random.default_rng(seed).random((schedule.steps, batch, width))
    return (drawn < density).astype(np.uint8)


def apart(schedule: Schedule, spikes: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
    """The spikes ``[time, batch, unit]`` of each input."""
    ends = np.cumsum([size for _, size in schedule.inputs])[:-1]
    parts = np.split(spikes, ends, axis=2)
    return {name: part for (name, _), part in zip(schedule.inputs, parts, strict=True)}
