"""A network as a back end says that it holds it, in our names and units.

What ``volr verify`` compares with the model: asked of the running simulator, or parsed back out of
a written document, never remembered from the model that was handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from volr.models.arrays import Floats
    from volr.models.model import Model
    from volr.models.neurons import NeuronModel

Ends: TypeAlias = tuple[str, str]
"""Source and target of a projection."""


@dataclass(frozen=True)
class Cells:
    """The neurons of one population: ``kind`` and ``reset`` are names of ours, ``numbers`` our
    parameters but for ``i_offset``, which is among the biases.

    Parameters that the back end does not hold are left out; one that differs within the population
    is NaN. ``v_thresh`` is infinite where the neurons never spike.
    """

    kind: str
    reset: str = "hard"
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, kw_only=True)
class Readback:
    """What there is. Arrays are float64.

    ``populations``  sizes by name, those of the inputs among them, in the back end's order
    ``weights``      ``[post, pre]`` of each projection that there is, NaN for a missing synapse
    ``biases``       ``[unit]`` of each population but the inputs; of spiking neurons the whole
                     constant current, nA, i_offset included
    ``activations``  of an artificial network: the name of ours by hidden population
    ``cells``        of a spiking network: by population; an input that is no neuron is left out
    ``delays``       ms, of each projection, NaN where they differ; empty where there are none
    ``dt``           ms; None where the back end has no time
    ``precision``    the relative error with which it holds a number
    """

    populations: Mapping[str, int]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: Mapping[Ends, Floats]
    biases: Mapping[str, Floats]
    activations: Mapping[str, str] = field(default_factory=dict[str, str])
    cells: Mapping[str, Cells] = field(default_factory=dict[str, Cells])
    delays: Mapping[Ends, float] = field(default_factory=dict[Ends, float])
    dt: float | None = None
    precision: float = 1e-12


SINGLE = 2.0**-23
"""The precision of a back end that holds float32."""


def uniform(values: ArrayLike) -> float:
    """The one value that all have, NaN where they differ (by more than rounding)."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    same = flat.size > 0 and np.allclose(flat, flat[0], rtol=1e-12, atol=0.0)
    return float(flat[0]) if same else float("nan")


def expected(model: Model) -> Readback:
    """What a faithful back end holds: the model itself, in these words."""
    network = model.network
    weights = {(p.source, p.target): model.parameters[weight_name(p)] for p in network.projections}
    biases = {p.name: model.parameters[bias_name(p)] for p in network.layers}
    populations = {p.name: p.size for p in network.populations}
    match model:
        case ArtificialModel():
            hidden = {p.source for p in network.projections} - set(network.inputs)
            return Readback(
                populations=populations,
                inputs=network.inputs,
                outputs=network.outputs,
                weights=weights,
                biases=biases,
                activations={name: model.activation.name for name in populations if name in hidden},
            )
        case SpikingModel():
            return Readback(
                populations=populations,
                inputs=network.inputs,
                outputs=network.outputs,
                weights=weights,
                biases={name: model.neuron.i_offset + bias for name, bias in biases.items()},
                cells={
                    name: cells_of(model.neuron, model.dt, spiking=model.is_spiking(name))
                    for name in populations
                },
                delays=dict.fromkeys(weights, model.delay_steps * model.dt),
                dt=model.dt,
            )


def cells_of(neuron: NeuronModel, dt: float, *, spiking: bool = True) -> Cells:
    """What neurons are at the step ``dt``, ms; those that are not ``spiking`` only integrate."""
    numbers = {name: value for name, value in neuron.numbers.items() if name != "i_offset"}
    numbers["tau_refrac"] = neuron.refractory_steps(dt) * dt
    if not spiking:
        numbers["v_thresh"] = float("inf")
    return Cells(neuron.name, neuron.reset, numbers)
