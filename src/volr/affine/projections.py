"""The projections of a foreign graph and their parameters, by the factors of its neurons.

What leads to a neuron is multiplied by a factor of the neuron's own. A kernel has one for each
channel. Where a kernel cannot have the factors, or a population of kernels the biases, that the
graph asks for, the first of its kernels is written out, with a weight for each synapse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.affine.shapes import is_identity
from volr.affine.terms import Weighted, factors_of_channels
from volr.models.parameters import bias_name, weight_name
from volr.network import AllToAll, Connector, Network, OneToOne, Population, Projection
from volr.network.connectors import Convolution, Pooled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.affine.skeleton import Skeleton
    from volr.affine.terms import Term
    from volr.checks.arrays import Floats


@dataclass(frozen=True)
class Projected:
    """A network, its parameters, and ``notes`` on what was written out.

    ``delays`` are those of projections, by name, in the unit of time of the graph; without those
    that are 0.
    """

    network: Network
    parameters: Mapping[str, Floats]
    delays: Mapping[str, float]
    notes: tuple[str, ...]


def projected(
    found: Skeleton,
    factors: Mapping[str, Floats],
    biases: Mapping[str, Floats],
    *,
    spiking: bool,
) -> Projected:
    """The network, and what is to be known of it.

    ``factors`` and ``biases`` ``[unit]`` are by population, those that take the largest aside. In a
    spiking network each population has biases. Raises ``NetworkError`` for no network,
    ``ModelError`` without memory.
    """
    populations = tuple(
        Population(each, shape, merge="max" if each in found.largest else "sum")
        for each, shape in found.shapes.items()
    )
    projections: list[Projection] = []
    values: dict[str, Floats] = {}
    delays: dict[str, float] = {}
    notes: list[str] = []
    offsets: dict[str, Floats] = {}
    for population in populations:
        if population.name in found.largest:
            source, windows = found.largest[population.name]
            made = Projection(source, population.name, windows)
            projections.append(made)
            values[weight_name(made)] = np.ones(1)
        if population.name not in found.forms:
            continue
        into = _Into(found, population, factors[population.name], biases[population.name], spiking)
        numbers: dict[str, int] = {}
        for term, connector, weights in into.settled():
            number = numbers[term.source] = numbers.get(term.source, 0) + 1
            made = Projection(term.source, population.name, connector, number=number)
            projections.append(made)
            values[weight_name(made)] = weights
            if term.delay:
                delays[made.name] = term.delay
        if into.bias is not None:
            offsets[bias_name(population)] = into.bias
        if into.why:
            notes.append(f"the weights into {population.name} are one by one, since {into.why}")
    network = Network(populations, tuple(projections), found.inputs, found.outputs)
    return Projected(network, values | offsets, delays, tuple(notes))


class _Into:
    """What leads into a population: ``bias`` as its parameter, and ``why`` a term is a matrix."""

    def __init__(
        self,
        found: Skeleton,
        population: Population,
        factor: Floats,
        bias: Floats,
        spiking: bool,
    ) -> None:
        self.found, self.population, self.factor = found, population, factor
        self.bias: Floats | None = bias
        self.spiking, self.why = spiking, ""

    def settled(self) -> list[tuple[Term, Connector, Floats]]:
        """Each term with its connector and weights."""
        terms = list(self.found.forms[self.population.name].terms)
        alone = len(terms) == 1
        parts = [self._settled(each, alone) for each in terms]
        if not self._is_biased([connector for _, connector, _ in parts]):
            self.why = "its biases differ within a channel, or it has no kernel"
            parts[0] = self._written_out(terms[0])
        return parts

    def _is_biased(self, connectors: list[Connector]) -> bool:
        """Make the biases those of a population that these lead to; whether that can be."""
        shape, count = self.population.shape, 0
        for each in connectors:
            count = max(count, each.bias_count(shape))
        if not count and self.spiking:
            count = shape[0]
        if count == self.population.size or self.bias is None:
            return True
        by_channel = factors_of_channels(self.bias, shape)
        if by_channel is None or (not count and by_channel.any()):
            return False
        self.bias = by_channel if count else None
        return True

    def _settled(self, term: Term, alone: bool) -> tuple[Term, Connector, Floats]:
        shape, factor = self.population.shape, self.factor
        source = self.found.shapes[term.source]
        if isinstance(term, Weighted):
            if not isinstance(term.connector, Convolution):
                self.found.room.take(*term.weights.shape)
                return term, _through(term, term.connector), _rows(term.weights, factor)
            by_channel = factors_of_channels(factor, shape)
            if by_channel is None:
                self.why = "its neurons differ within a channel"
                return self._written_out(term)
            axes = (1,) * (term.weights.ndim - 1)
            return (
                term,
                _through(term, term.connector),
                term.weights * by_channel.reshape(-1, *axes),
            )
        scaled = replace(term, scale=term.scale * factor)
        flat = len(source) == 1 and not term.pools
        # The language has no neurons of their own for pools and identities, but at the end.
        hidden = self.population.name in self.found.sources
        in_words = not alone or not (flat or hidden)
        if is_identity(scaled) and term.given == shape and in_words:
            return term, _through(term, OneToOne()), scaled.scale[:1]
        by_channel = factors_of_channels(scaled.scale, shape)
        if by_channel is not None and term.given == shape and len(shape) in {2, 3}:
            window = (1,) * (len(shape) - 1)
            kernel = Convolution(window, groups=shape[0])
            return term, _through(term, kernel), by_channel.reshape(-1, 1, *window)
        return self._written_out(term)

    def _written_out(self, term: Term) -> tuple[Term, Connector, Floats]:
        made = term.written_out(self.found.room)
        return made, AllToAll(), _rows(made.weights, self.factor)


def _rows(weights: Floats, factor: Floats) -> Floats:
    """The rows of a matrix, each times its factor."""
    return weights * factor[:, None]


def _through(term: Term, connector: Connector) -> Connector:
    return Pooled(term.pools, connector) if term.pools else connector
