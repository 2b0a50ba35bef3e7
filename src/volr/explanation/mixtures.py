"""A network of which some populations are quantised, and the others are not.

Every population has its values twice: as the trained network has them, and in levels, of which unit
i has the height s_i. A quantised population computes with levels and is rounded; any other one
computes with real values. So with none quantised this is the trained network, and with all of them
the staircase network, to the last digit.

The heights are found from the numbers of both networks. Of unit i with the weights w of its
synapses and those of the staircase network, m, a step of the grid is worth

    u_i = Σ s_q w m / Σ m²,    the least squares of s_q w = u_i m    (biases count too)

and s_i = σ u_i, where σ is the step of the staircase. Outputs share one u.

The whole numbers are those of the trained network if they differ from s_q w/u_i by rounding alone,
so by at most

    t = n/2 + |m| δ_q,    δ_i² = Σ t²/Σ m²    (Cauchy and Schwarz, of Σ (s_q w/u_i − m) m)

where n is the number of neurons in a pool's window, and δ how far a height can be off, relative to
itself. A network that was trained on after its quantisation fails this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.reference import program_of
from volr.errors import ModelError
from volr.exact.sums import staircase_of, window_size
from volr.models.coding import by_input
from volr.models.parameters import by_unit, unit_biases, weight_name
from volr.network.scaling import has_channels
from volr.quantisation.heights import of_largest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.reference import Program
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.network import Network, Population

# What double precision itself may take off sums of squares, relative to them.
_PRECISION = 1e-12


@dataclass(frozen=True, eq=False)
class Values:
    """The values of a population, ``[batch, unit]``: as they are, and in levels."""

    real: Floats
    levels: Floats


@dataclass(frozen=True, eq=False)
class Mixture:
    """Both networks, and the ``heights`` ``[unit]`` of every population."""

    network: Network
    trained: Program
    quantised: Program
    heights: Mapping[str, Floats]

    @property
    def players(self) -> tuple[str, ...]:
        """The populations that quantisation changes, from the inputs on: all but those that pass on
        the largest of what arrives.
        """
        layers = [each.name for each in self.network.layers if each.merge == "sum"]
        return (*self.network.inputs, *layers)

    def values(
        self, stimuli: Floats, on: frozenset[str], known: Mapping[str, Values] | None = None
    ) -> dict[str, Values]:
        """The values of every population, of which those that are ``on`` are quantised.

        ``known`` are those of some populations, from a mixture that is the same up to them.
        """
        found = dict(known or {})
        for name, shown in by_input(self.network, stimuli).items():
            found.setdefault(name, self._taken(name, shown, is_on=name in on))
        for trained, quantised in zip(self.trained.steps, self.quantised.steps, strict=True):
            name = trained.name
            if name in found:
                continue
            height = self.heights[name]
            if trained.takes_largest:
                found[name] = Values(
                    trained.sums({each: value.real for each, value in found.items()}),
                    quantised.sums({each: value.levels for each, value in found.items()}),
                )
            elif name in on:
                z = quantised.sums({each: value.levels for each, value in found.items()})
                levels = z if quantised.shows else quantised.activation(z)
                found[name] = Values(levels * height, levels)
            else:
                z = trained.sums({each: value.real for each, value in found.items()})
                real = z if trained.shows else trained.activation(z)
                found[name] = Values(real, real / height)
        return found

    def logits(self, values: Mapping[str, Values]) -> Floats:
        """The outputs side by side, ``[batch, unit]``, as the trained network has them."""
        return np.concatenate([values[name].real for name in self.network.outputs], axis=1)

    def _taken(self, name: str, shown: Floats, *, is_on: bool) -> Values:
        height = self.heights[name]
        if is_on:
            levels = self.quantised.taken(shown)
            return Values(levels * height, levels)
        return Values(shown, shown / height)


def mixture_of(ann: ArtificialModel, quantised: ArtificialModel) -> Mixture:
    """The mixture of a trained network and the staircase network that it became.

    Raises ``ModelError`` if the weights of the one are not those of the other in whole numbers.
    """
    heights = _heights(ann, quantised)
    return Mixture(ann.network, program_of(ann), program_of(quantised), heights)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Of each unit: Σ s w m, Σ m², Σ (s w)² and Σ t²."""

    both: Floats
    whole: Floats
    real: Floats
    rounded: Floats

    @property
    def unit(self) -> Floats:
        """What a step of the grid is worth. A unit without weights has none: 1 is as good."""
        return np.divide(self.both, self.whole, out=np.ones_like(self.both), where=self.whole > 0)

    @property
    def off(self) -> Floats:
        """How far ``unit`` can be off, relative to itself: δ."""
        most = np.ones_like(self.both)
        return np.sqrt(np.divide(self.rounded, self.whole, out=most, where=self.whole > 0))

    @property
    def is_rounded(self) -> bool:
        """Whether the whole numbers can be the real ones but for rounding."""
        rest = self.real - self.unit * self.both
        allowed = np.square(self.unit * (1.0 + self.off)) * self.rounded + _PRECISION * self.real
        # Where all weights became 0, they tell nothing.
        return bool((self.unit > 0).all() and ((rest <= allowed) | (self.whole == 0)).all())


def _heights(ann: ArtificialModel, quantised: ArtificialModel) -> dict[str, Floats]:
    network, stairs = ann.network, staircase_of(quantised)
    found = {name: np.full(network[name].size, 1.0 / stairs.levels) for name in network.inputs}
    off = {name: np.zeros(network[name].size) for name in network.inputs}
    outputs: list[_Fit] = []
    for population in network.layers:
        name = population.name
        if population.merge == "max":
            found[name] = of_largest(network, population, found)
            off[name] = of_largest(network, population, off)
            continue
        fit = _fit(ann, quantised, population, found, off)
        if not fit.is_rounded:
            raise ModelError(
                f"the weights of {name} in the quantised network are not those of the ANN in whole "
                "numbers",
                help="give the ANN that was quantised; one that was trained with levels has none",
            )
        if name in network.outputs:
            outputs.append(fit)
        else:
            found[name], off[name] = stairs.step * fit.unit, fit.off
    # Outputs are compared with each other, so a step is worth the same in all of them.
    shared = sum(each.both.sum() for each in outputs) / sum(each.whole.sum() for each in outputs)
    return found | {name: np.full(network[name].size, shared) for name in network.outputs}


def _fit(
    ann: ArtificialModel,
    quantised: ArtificialModel,
    population: Population,
    heights: Mapping[str, Floats],
    off: Mapping[str, Floats],
) -> _Fit:
    """By unit, or by channel where all units of one have the same height.

    ``off`` is δ of the populations before it.
    """
    network = ann.network
    b, whole = (unit_biases(population, each.parameters) for each in (ann, quantised))
    sums = [b * whole, whole * whole, b * b, np.full(population.size, 0.25)]
    for each in network.incoming[population.name]:
        ends, s, d = network.ends(each), heights[each.source][None, :], off[each.source][None, :]
        w, m = (model.parameters[weight_name(each)] for model in (ann, quantised))
        one, half = np.ones_like(s), np.full_like(m, 0.5 * window_size(each))
        terms = (
            [(w * m, s)],
            [(m * m, one)],
            [(w * w, s * s)],
            [(half * half, one), (2.0 * half * np.abs(m), d), (m * m, d * d)],
        )
        for place, products in enumerate(terms):
            for weights, values in products:
                sums[place] = sums[place] + each.connector.apply(weights, values, *ends)[0]
    if has_channels(network, population.name):
        by_channel = [each.reshape(population.shape[0], -1).sum(axis=1) for each in sums]
        sums = [by_unit(population, each) for each in by_channel]
    return _Fit(*sums)
