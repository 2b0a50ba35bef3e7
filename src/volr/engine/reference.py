"""What a spiking network computes, as a plain NumPy program in float64: the specification.

Everything else that simulates is compared with it, NEST included. It is written to be read, not to
be fast: population by population, since a network has no cycles, and step by step.

One step of a population is the neuron's own ``step`` (``volr.neurons``). Within this file V is
relative to v_rest, as in NEST, so that rounding is alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.models.coding import input_drive
from volr.models.parameters import synapse_matrix, unit_biases
from volr.models.stimuli import given_stimuli

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans, Floats
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli
    from volr.network import Population
    from volr.neurons import NeuronModel
    from volr.neurons.base import Arriving


@dataclass(frozen=True)
class Trace:
    """All that happened in a simulation, by population.

    ``spikes`` bool ``[time, batch, unit]``; ``membranes`` float64 ``[time, batch, unit]`` in mV,
    after the step and its reset; ``tested`` the same before, as it was compared with the threshold.
    An input that is given as spikes has no membrane.
    """

    spikes: Mapping[str, Booleans]
    membranes: Mapping[str, Floats]
    tested: Mapping[str, Floats]


def simulate(model: SpikingModel, stimuli: Stimuli, *, seed: int = 0, first: int = 0) -> Trace:
    """Simulate each stimulus from rest, on its own: ``[batch, unit]``, values in [0, 1], or spike
    trains.

    ``seed``, and ``first``, the number of the first stimulus, matter to random codings only. Raises
    ``DataError`` for stimuli that do not fit.
    """
    stimuli = given_stimuli(model, stimuli)
    drive = input_drive(model, stimuli, seed=seed, first=first)
    spikes: dict[str, Booleans] = dict(drive.spikes)
    membranes: dict[str, Floats] = {}
    tested: dict[str, Floats] = {}
    for population in model.network.populations:
        name = population.name
        if name in drive.spikes:
            continue
        if name in drive.currents:
            currents = drive.currents[name]
        else:
            currents = np.tile(unit_biases(population, model.parameters), (len(stimuli), 1))
        arriving = _arriving(model, population, spikes, len(stimuli))
        run = _run(model, name, currents, arriving)
        spikes[name], membranes[name], tested[name] = run
    return Trace(spikes, membranes, tested)


def _arriving(
    model: SpikingModel, population: Population, spikes: Mapping[str, Booleans], batch: int
) -> Arriving:
    """What arrives in each step, both parts ``[time, batch, unit]``.

    A spike of step k arrives in step k + d, where d is the delay of the projection.
    """
    shape = (model.steps, batch, population.size)
    positive, negative = np.zeros(shape), np.zeros(shape)
    for projection in model.network.incoming[population.name]:
        d = model.delay_steps_of(projection)
        weights = synapse_matrix(model.network, projection, model.parameters)
        sent = spikes[projection.source][: max(model.steps - d, 0)].astype(np.float64)
        positive[d:] += sent @ np.maximum(weights, 0.0).T
        negative[d:] += sent @ np.minimum(weights, 0.0).T
    return positive, negative


def _run(
    model: SpikingModel, name: str, currents: Floats, arriving: Arriving
) -> tuple[Booleans, Floats, Floats]:
    """Spikes and membranes (mV), after and before the reset, of one population.

    ``currents`` are in nA, ``[batch, unit]``.
    """
    positive, negative = arriving
    units = model.units_of(name)
    if len(units.kinds) > 1:
        found = tuple(np.empty(positive.shape, kind) for kind in (np.bool_, float, float))
        for neuron, which in units.units(positive.shape[2]):
            some = positive[..., which], negative[..., which]
            parts = _alike(model, name, neuron, currents[:, which], some)
            for whole, part in zip(found, parts, strict=True):
                whole[..., which] = part
        spikes, membranes, tested = found
        return spikes, membranes, tested
    return _alike(model, name, units.first, currents, arriving)


def _alike(
    model: SpikingModel, name: str, neuron: NeuronModel, currents: Floats, arriving: Arriving
) -> tuple[Booleans, Floats, Floats]:
    """The same of units that have the same neuron."""
    dt, (positive, negative) = model.dt, arriving
    threshold = neuron.fires_at() - neuron.v_rest if model.is_spiking(name) else np.inf
    refractory_steps = neuron.refractory_steps(dt)
    bound = threshold if neuron.reset == "hard" else np.inf
    spikes = np.empty(positive.shape, dtype=np.bool_)
    membranes = np.empty(positive.shape)
    tested = np.empty(positive.shape)

    v = np.zeros(currents.shape)
    state = neuron.initial(dt, currents.shape)
    left = np.zeros(currents.shape, dtype=np.int64)  # refractory steps
    for k in range(model.steps):
        held = (left > 0) & (neuron.reset == "hard")
        arrive = (positive[k], negative[k])
        moved, state = neuron.step(dt, v, state, neuron.i_offset + currents, arrive, held, bound)
        v = np.where(held, v, moved)
        tested[k] = neuron.v_rest + v
        spike = (left == 0) & (v >= threshold)
        after = neuron.v_reset - neuron.v_rest if neuron.reset == "hard" else v - neuron.theta
        v = np.where(spike, after, v)
        left = np.where(spike, refractory_steps, np.maximum(left - 1, 0))
        spikes[k], membranes[k] = spike, neuron.v_rest + v
    return spikes, membranes, tested
