"""How often the values of a network are sent, and through how many synapses.

What each neuron sends is added up over stimuli. It is multiplied by the neuron's own number of
synapses at the end, so all counts are exact: neurons at the border of a map have fewer synapses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.experiments.costs.result import PopulationOperations
from volr.models.model import SpikingModel
from volr.models.parameters import weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats, Integers
    from volr.models.model import Model
    from volr.network import Projection


@dataclass(eq=False)
class _Way:
    """A projection whose operations count.

    Value k of those that it reads, ``[n]``, was ``active`` so often. It is in ``every`` synapses or
    products, of which the ``effective`` ones have another weight than 0. ``binary`` says that no
    other values than 0, 1 and −1 have been read.
    """

    projection: Projection
    every: Integers
    effective: Integers
    active: Integers
    binary: bool = True


class Counter:
    """Counts what a model sends, chunk by chunk."""

    def __init__(self, model: Model) -> None:
        self._network = model.network
        self._spiking = isinstance(model, SpikingModel)
        self._steps = model.steps if isinstance(model, SpikingModel) else 1
        self._active = {each.name: 0 for each in model.network.populations}
        self._ways: list[_Way] = []
        for each in model.network.projections:
            weights = model.parameters[weight_name(each)]
            if self._spiking or each.connector.trained or (weights != 1.0).any():
                self._ways.append(self._way(each, weights))

    def _way(self, projection: Projection, weights: Floats) -> _Way:
        connector, ends = projection.connector, self._network.ends(projection)
        # A spike goes through every synapse. An artificial network takes means once, and then
        # multiplies these.
        count = connector.fan_out if self._spiking else connector.products
        every = count(np.ones_like(weights), *ends)
        return _Way(projection, every, count(weights, *ends), np.zeros_like(every))

    def add_spikes(self, counts: Mapping[str, Integers]) -> None:
        """Add the spikes of each population, ``[batch, unit]``."""
        for name, spikes in counts.items():
            self._active[name] += int(spikes.sum())
        for way in self._ways:
            way.active += counts[way.projection.source].sum(axis=0)

    def add_values(self, sent: Mapping[str, Floats]) -> None:
        """Add the values that each population sends, ``[batch, unit]``."""
        for name, values in sent.items():
            self._active[name] += int(np.count_nonzero(values))
        for way in self._ways:
            source, _ = self._network.ends(way.projection)
            read = way.projection.connector.read(sent[way.projection.source], source)
            way.active += np.count_nonzero(read, axis=0)
            way.binary = way.binary and bool(((read == 0) | (np.abs(read) == 1)).all())

    def active(self, populations: tuple[str, ...]) -> int:
        """The spikes of these populations, or their values other than 0, of all stimuli so far."""
        return sum(self._active[name] for name in populations)

    def operations(self, stimuli: int) -> tuple[PopulationOperations, ...]:
        """What each population sends, and what that sets off, as the mean of so many stimuli."""
        found: list[PopulationOperations] = []
        for population in self._network.populations:
            ways = [each for each in self._ways if each.projection.source == population.name]
            effective = [(int(each.active @ each.effective), each.binary) for each in ways]
            found.append(
                PopulationOperations(
                    population=population.name,
                    size=population.size,
                    active=self._active[population.name] / stimuli,
                    synaptic=sum(int(each.active @ each.every) for each in ways) / stimuli,
                    macs=sum(some for some, binary in effective if not binary) / stimuli,
                    acs=sum(some for some, binary in effective if binary) / stimuli,
                    dense=self._steps * sum(int(each.every.sum()) for each in ways),
                )
            )
        return tuple(found)
