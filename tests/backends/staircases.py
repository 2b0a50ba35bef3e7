"""Networks of whole numbers, stimuli at the edges, and integers as Python computes them."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from tests.backends import kernels

from volr.language import to_network
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel
from volr.models.parameters import bias_name, parameter_shapes, unit_biases, weight_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.checks.arrays import Floats, Integers
    from volr.network import Network, Population, Projection

POOLS = to_network(
    """
conv [1 17 20] 2 [3 2] pad:[1 0] ⦶ avgpool _ 3 ⦶ avgpool _ [2 5] stride:[3 1]
⦶ (avgpool _ 1 ⊖ conv _ 2 1 groups:2) ⦶ maxpool _ [2 1]
⦶ (dense _ 4 ⊕ (avgpool _ [1 2] ⦶ dense _ 4))
"""
)
"""Means of 3 × 3, of 2 × 5 that overlap, and of both; a population of means alone."""
DENSE = to_network("(dense 3 5 ⊖ dense 3 4) ⦶ (dense _ 6 ⊕ dense _ 6) ⦶ dense _ 3")

NETWORKS: Mapping[str, Network] = {**kernels.NETWORKS, "pools": POOLS, "dense": DENSE}
CASES = ((2, 2**22), (7, 41), (32, 1), (255, 2**22))
"""Levels, and a step, or the largest that there can be."""
TOP = 2**24 - 1


def all_shown(network: Network) -> Network:
    """The network with each population as an output, so that all its numbers can be compared."""
    outputs = (*network.outputs, *(each.name for each in network.layers))
    return replace(network, outputs=tuple(dict.fromkeys(outputs)))


@cache
def case(network: str, levels: int, step: int) -> tuple[ArtificialModel, Floats, Integers]:
    """A model whose populations are all shown, stimuli, and its outputs as integers."""
    model = whole_model(all_shown(NETWORKS[network]), staircase(levels, step))
    stimuli = stimuli_of(model)
    return model, stimuli, logits_of(model, stimuli)


def staircase(levels: int, step: int) -> Staircase:
    """The staircase of so many levels, with the largest step up to this one."""
    most = (2**22 - 1) // (levels + 1)
    return Staircase(levels, min(step, most - 1 + most % 2))


def whole_model(network: Network, activation: Staircase, seed: int = 0) -> ArtificialModel:
    """Whole numbers of both signs. The largest sum that each layer can have is 2^24 − 1, or little
    less; most units have a smaller one.
    """
    random = np.random.default_rng(seed)
    values: dict[str, Floats] = {
        name: random.integers(-2, 5, shape).astype(np.float64)
        for name, shape in parameter_shapes(network).items()
    }
    for each in network.projections:
        divisor = each.connector.divisor
        # An identity passes on what it gets, or the means of it.
        step = divisor * max(1, round(activation.step / divisor))
        fixed = 1.0 if network[each.target].merge == "max" else step
        name = weight_name(each)
        values[name] = divisor * values[name] if each.connector.trained else np.full(1, fixed)
    for population in network.layers:
        name, incoming = bias_name(population), network.incoming[population.name]
        if name not in values:
            continue
        sums = partial(_largest, network, values, activation.levels)
        trained = [each for each in incoming if each.connector.trained]
        fixed = sums([each for each in incoming if not each.connector.trained], population)
        own = sums(trained, population) + np.abs(unit_biases(population, values))
        most = int((TOP - fixed.max()) // max(1.0, own.max()))
        for each in (*map(weight_name, trained), name):
            count, axes = values[each].shape[0], values[each].ndim
            # The first unit or channel has the largest factor.
            factors = np.geomspace(most, max(1.0, most / 20), count).round()
            values[each] = values[each] * factors.reshape(-1, *[1] * (axes - 1))
    return ArtificialModel(network, values, activation)


def _largest(
    network: Network,
    values: Mapping[str, Floats],
    levels: int,
    projections: Iterable[Projection],
    population: Population,
) -> Floats:
    """The largest sum that projections can bring to each neuron, ``[post]``."""
    found = np.zeros(population.size)
    for projection in projections:
        weights = np.abs(values[weight_name(projection)])
        for each in projection.connector.entries(*network.ends(projection)):
            np.add.at(found, each.post, each.factor * weights.flat[each.index] * levels)
    return found.round()


def stimuli_of(model: ArtificialModel, count: int = 40) -> Floats:
    """Random ones; those at the edges of levels, and the numbers next to these; zeros and ones."""
    assert isinstance(model.activation, Staircase)
    levels, random = model.activation.levels, np.random.default_rng(7)
    ranks = random.integers(1, levels + 1, (count, model.network.input_size))
    edges = (ranks - 0.5) / levels
    near = (np.nextafter(edges, 0.0), edges, np.nextafter(edges, 1.0))
    single = edges.astype(np.float32)
    beside = (np.nextafter(single, np.float32(0)), np.nextafter(single, np.float32(1)))
    kinds = np.stack([*near, *beside, random.random(edges.shape)])
    chosen = np.take_along_axis(kinds, random.integers(0, len(kinds), (1, *edges.shape)), 0)[0]
    chosen[0], chosen[1] = 0.0, 1.0
    return chosen


def integers_of(model: ArtificialModel, stimuli: Floats) -> dict[str, Integers]:
    """The sums of every layer and what the inputs send, ``[batch, unit]``, in whole numbers alone.

    Synapses are taken one by one, and inputs as fractions.
    """
    network, activation = model.network, model.activation
    assert isinstance(activation, Staircase)
    sent: dict[str, Integers] = {}
    first = 0

    def level(x: float) -> int:
        exact = Fraction(float(np.float32(x))) * activation.levels
        return math.floor(exact + Fraction(1, 2))

    whole = np.vectorize(level, otypes=[np.int64])(stimuli)
    for name in network.inputs:
        sent[name] = whole[:, first : first + network[name].size]
        first += network[name].size
    shown = dict(sent)
    for population in network.layers:
        is_sum = population.merge == "sum"
        biases = unit_biases(population, model.parameters).astype(np.int64)
        z = np.tile(biases if is_sum else np.full(population.size, -(2**60)), (len(stimuli), 1))
        for each in network.incoming[population.name]:
            ends, divisor = network.ends(each), each.connector.divisor
            weights = model.parameters[weight_name(each)].astype(np.int64) // divisor
            for some in each.connector.entries(*ends):
                arriving = weights.flat[some.index] * sent[each.source][:, some.pre]
                merge = np.add if is_sum else np.maximum
                merge.at(z.T, some.post, arriving.T)
        shown[population.name] = z
        steps = (2 * z + activation.step) // (2 * activation.step)
        sent[population.name] = np.clip(steps, 0, activation.levels) if is_sum else z
    return shown


def logits_of(model: ArtificialModel, stimuli: Floats) -> Integers:
    """The outputs side by side."""
    shown = integers_of(model, stimuli)
    return np.concatenate([shown[name] for name in model.network.outputs], axis=1)
