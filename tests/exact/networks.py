"""Random networks of whole numbers, of all layers, and whether first spikes tell their numbers.

Weights are such that most activations are neither 0 nor all levels, or, now and then, as large as
they may be.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from tests.shaped_programs import random_shaped_program

from volr.backends.reference import activations
from volr.engine.simulation import ready, simulate
from volr.errors import VolrError
from volr.exact.decoding import telling, told
from volr.exact.first_spikes import to_first_spikes
from volr.exact.sums import largest_sums, window_size
from volr.language import to_network
from volr.models.activations import SINGLE_WHOLE, Staircase
from volr.models.first_spike import unsuited
from volr.models.model import ArtificialModel
from volr.models.parameters import bias_name, parameter_shapes, unit_biases, weight_name
from volr.network.subgraph import depths

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel
    from volr.network import Network

DEEPEST = 8
LEVELS = (2, 3, 5, 8, 16, 31, 64, 256)


@dataclass
class Tally:
    """What was compared, and in how many networks of which kind; ``wrong`` are their programs."""

    networks: int = 0
    by_spikes: int = 0
    single: int = 0
    between: int = 0
    events: int = 0
    integers: int = 0
    differ: int = 0
    depths: Counter[int] = field(default_factory=Counter[int])
    connectors: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])

    def table(self) -> list[str]:
        """What was compared, in lines."""
        ran = f"{self.by_spikes:,} spike by spike, {self.single:,} of them in single precision"
        return [
            f"networks   {self.networks:,}: {ran}",
            "depth      " + ", ".join(f"{n}: {count}" for n, count in sorted(self.depths.items())),
            "connectors "
            + ", ".join(f"{name} {count}" for name, count in sorted(self.connectors.items())),
            f"events     {self.events:,}",
            f"integers   {self.integers:,}, of which {self.between:,} are neither 0 nor all levels",
            f"differ     {self.differ:,}",
            *self.wrong,
        ]


def random_network(random: Random) -> Network:
    """A network that first spikes can run, with at most ``DEEPEST`` layers in a row."""
    while True:
        text = random_shaped_program(random).text if random.random() < 0.4 else _chain(random)
        try:
            network = to_network(text)
        except VolrError:
            continue
        if len(depths(network)) - 1 <= DEEPEST and not unsuited(network):
            return network


def _chain(random: Random) -> str:
    """Layers in a row, some of them twofold. Not every one fits: then it is no program."""
    channels, y, x = random.randint(1, 3), random.randint(5, 9), random.randint(4, 8)
    parts = [f"conv [{channels} {y} {x}] {random.randint(1, 5)} {random.choice(['2', '[3 2]'])}"]
    parts += [_middle(random) for _ in range(random.randint(0, DEEPEST - 2))]
    parts.append(
        random.choice(
            [
                f"dense _ {random.randint(1, 20)}",
                "(dense _ 5 ⊖ dense _ 3)",
                "(dense _ 4 ⦶ ((dense _ 7 ⦶ dense _ 4) ⊕ id _))",
                "(dense _ 3 ⊖ (dense _ 9 ⦶ dense _ 2))",
            ]
        )
    )
    return " ⦶ ".join([*parts, f"dense _ {random.randint(1, 4)}"])


def _middle(random: Random) -> str:
    return random.choice(
        [
            f"conv _ {random.randint(1, 5)} 2 pad:{random.randint(0, 1)}",
            f"conv _ 4 [2 1] stride:[{random.randint(1, 2)} 1]",
            f"maxpool _ 2 stride:{random.randint(1, 2)}",
            "avgpool _ [1 2]",
            "avgpool _ 3 stride:1",
            "(conv _ 3 3 pad:1 ⦶ conv _ 3 3 pad:1)",
            "(conv _ 3 3 pad:1 ⊕ conv _ 3 1)",
            "((conv _ 3 3 pad:1 ⦶ conv _ 3 3 pad:1) ⊕ conv _ 3 1)",
            "((conv _ 3 3 pad:1 ⦶ conv _ 3 3 pad:1) ⊕ id _)",
            "(maxpool _ 2 ⊕ avgpool _ 2)",
        ]
    )


def random_staircase(network: Network, random: Random) -> ArtificialModel:
    """A staircase network of random whole numbers; a model of it is always small enough."""
    levels = random.choice(LEVELS)
    step = 2 * random.randrange(min(500, (SINGLE_WHOLE // 4 - 1) // (2 * (levels + 1)))) + 1
    # Of what is largest, so many levels: from hardly one to as many as there may be.
    reach = random.choice((0.5, 2.0, 6.0, 1e9))
    rng = np.random.default_rng(random.randrange(2**32))
    values: dict[str, Floats] = {}
    shapes = parameter_shapes(network)
    for population in network.layers:
        incoming = network.incoming[population.name]
        if population.merge == "max":
            values |= {weight_name(each): np.ones(shapes[weight_name(each)]) for each in incoming}
            continue
        drawn = {weight_name(each): rng.normal(size=shapes[weight_name(each)]) for each in incoming}
        name = bias_name(population)
        if name in shapes:
            values[name] = np.rint(rng.normal(size=shapes[name]) * step * levels / 4)
        bias = np.abs(unit_biases(population, values)).max()
        without = {**drawn, name: np.zeros(shapes[name])} if name in shapes else drawn
        sums = largest_sums(network, without, population, levels)
        # A membrane goes down to −10^6 mV, and a level is 1 mV, or half of it.
        room = min(reach * levels * step * 4.0, 0.9 * min(SINGLE_WHOLE, 1e6 * step) - bias)
        factor = room / max(float(sums.max()), 1e-9)
        for each in incoming:
            per = window_size(each)
            whole = np.trunc(factor * drawn[weight_name(each)] / per)
            values[weight_name(each)] = (per * whole).astype(np.float64)
    return ArtificialModel(network, values, Staircase(levels, step))


def random_stimuli(model: ArtificialModel, count: int, seed: int) -> Floats:
    """Values in [0, 1], some of which are 0 or 1, or on an edge between two levels."""
    rng = np.random.default_rng(seed)
    size = count, model.network.input_size
    assert isinstance(model.activation, Staircase)
    levels = model.activation.levels
    edges = (np.floor(rng.random(size) * levels) + 0.5) / levels
    choice = rng.integers(0, 6, size)
    found = np.select([choice == 0, choice == 1, choice == 2], [0.0, 1.0, edges], rng.random(size))
    return np.asarray(found, np.float64)


def compare(model: ArtificialModel, stimuli: Floats, tally: Tally) -> SpikingModel:
    """Hold the engine's whole numbers against those of the network, and count."""
    spiking = to_first_spikes(model)
    expected = activations(model, stimuli)
    prepared = ready(spiking)
    names = telling(spiking)
    run = simulate(prepared, stimuli, spikes=names)
    finals = {name: run.totals[name] for name in model.network.outputs}
    found, error = told(spiking, run.spikes, finals)
    wrong = sum(int((found[name] != expected[name]).sum()) for name in found) + (error != 0.0)
    tally.networks += 1
    tally.by_spikes += bool(prepared.programs)
    tally.single += bool(prepared.programs) and prepared.programs[0].dtype == np.float32
    tally.integers += sum(each.size for each in found.values())
    assert isinstance(model.activation, Staircase)
    inner = [expected[name] for name in names]
    tally.between += sum(int(((x > 0) & (x < model.activation.levels)).sum()) for x in inner)
    # Each neuron of a source sends one spike over each of its synapses, the clock's included.
    tally.events += len(stimuli) * sum(map(spiking.network.synapses, spiking.network.projections))
    tally.differ += wrong
    tally.depths[len(depths(model.network)) - 1] += 1
    tally.connectors.update(
        part.name for each in model.network.projections for part in each.connector.parts
    )
    if wrong:
        tally.wrong.append(f"{wrong} of {model.network.source}, {model.activation}")
    return spiking


def fuzz(count: int, seed: int, *, stimuli: int) -> Tally:
    """Compare ``count`` random networks, each with so many stimuli."""
    random, tally = Random(seed), Tally()
    for _ in range(count):
        model = random_staircase(random_network(random), random)
        compare(model, random_stimuli(model, stimuli, random.randrange(2**32)), tally)
    return tally
