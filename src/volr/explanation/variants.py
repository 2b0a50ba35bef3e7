"""The spiking model without one or several of its mechanisms.

reset       reset by subtraction
refractory  no refractoriness
transient   the stimulus begins earlier, and spikes are counted once all layers have begun
driving     currents of the same charge instead of conductances
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Record
from volr.backends.populations import nonspiking
from volr.explanation.causes import DYNAMIC
from volr.explanation.synapses import with_each_synapse
from volr.models.parameters import weight_name
from volr.network.subgraph import depths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from volr.backends.base import Simulator
    from volr.checks.arrays import Floats
    from volr.explanation.causes import Dynamic
    from volr.explanation.wiring import Wiring
    from volr.models.model import SpikingModel

# A count that begins in the middle of a run depends on the membranes at that moment. Over so many
# durations this matters less.
_WINDOWS = 3
# The longest wait, in durations, for a membrane that hardly leaks.
_LONGEST_LEAD = 5
# The most bytes of spike trains in one batch.
_KEPT = 64_000_000


def mechanisms(model: SpikingModel) -> tuple[Dynamic, ...]:
    """The mechanisms that the model has."""
    has: dict[Dynamic, bool] = {
        "reset": model.neuron.reset == "hard",
        "refractory": model.neuron.refractory_steps(model.dt) > 0,
        "transient": True,
        "driving": model.neuron.has_conductances,
    }
    return tuple(each for each in DYNAMIC if has[each])


def subsets(mechanisms: tuple[Dynamic, ...]) -> Iterator[frozenset[Dynamic]]:
    """All sets of mechanisms that are left in, the whole set first."""
    for size in range(len(mechanisms), -1, -1):
        yield from map(frozenset, itertools.combinations(mechanisms, size))


def variant(
    model: SpikingModel, without: frozenset[Dynamic], wirings: Mapping[str, Wiring]
) -> SpikingModel:
    """The model without these mechanisms; ``transient`` is not part of a model."""
    neuron = model.neuron
    if "driving" in without and neuron.has_conductances:
        model = with_each_synapse(model)
    values = dict(model.parameters)
    if "driving" in without and neuron.has_conductances:
        twin = neuron.with_currents()
        excitation, inhibition = twin.synapse_units
        for wiring in wirings.values():
            for block in wiring.blocks:
                weights = values[weight_name(block.projection)]
                unit = np.where(weights < 0, inhibition, excitation)
                values[weight_name(block.projection)] = block.charges * unit
        neuron = twin
    if "reset" in without:
        neuron = replace(neuron, reset="subtract")
    if "refractory" in without:
        neuron = replace(neuron, tau_refrac=0.0)
    return replace(model, neuron=neuron, parameters=values)


def run(
    model: SpikingModel,
    stimuli: Floats,
    simulator: Simulator,
    *,
    late: bool,
    seed: int,
    progress: Callable[[int], None] | None,
) -> dict[str, Floats]:
    """Spike counts ``[batch, unit]`` of every population, or mean membranes (mV) if these are read.

    ``late`` counts over the last three durations of a longer stimulus, divided by three and
    rounded. The first spikes reach the last layer before these by half a duration or more, and by
    τ_m, at most ``_LONGEST_LEAD`` durations.
    """
    network = model.network
    spiking = tuple(p.name for p in network.populations if model.is_spiking(p.name))
    membranes = nonspiking(model)
    if not late:
        record = Record(counts=spiking)
        found = simulator.run(model, stimuli, record=record, seed=seed, progress=progress)
        counts = {name: found.counts[name].astype(np.float64) for name in spiking}
        return {**counts, **{name: found.means[name] for name in membranes}}
    settled = min(model.neuron.tau_m, _LONGEST_LEAD * model.duration)
    lead = round(max(0.5 * model.duration, settled) / model.dt)
    lead += (len(depths(network)) - 1) * model.delay_steps
    longer = replace(model, duration=(lead + _WINDOWS * model.steps) * model.dt)
    record = Record(counts=(), spikes=spiking, membranes=membranes)
    batch = max(1, _KEPT // (longer.steps * network.neuron_count))
    parts: list[dict[str, Floats]] = []
    for first in range(0, len(stimuli), batch):
        some = stimuli[first : first + batch]
        found = simulator.run(longer, some, record=record, seed=seed, progress=progress)
        part = {n: np.rint(found.spikes[n][lead:].sum(axis=0) / _WINDOWS) for n in spiking}
        means = {name: found.membranes[name][lead:].mean(axis=0) for name in membranes}
        rest = model.neuron.v_rest
        parts.append({**part, **{name: mean - rest for name, mean in means.items()}})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
