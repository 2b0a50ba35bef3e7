"""Counts of operations against sums by hand and against explicit loops over synapses."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.oracles import chain

from volr.backends.reference import activations
from volr.experiments.costs.counting import Counter
from volr.language import to_network
from volr.models.activations import Staircase
from volr.models.coding import Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import parameter_shapes

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.experiments.costs.result import PopulationOperations
    from volr.network import Network

CONVOLUTION = "conv [2 5 4] 3 [3 2] stride:[2 1] pad:[1 0] ⦶ dense _ 2"


def parameters(network: Network, zeros: float = 0.3) -> dict[str, Floats]:
    """Random ones, some of them 0; the weights of identities and windows are 1."""
    random = np.random.default_rng(0)
    found: dict[str, Floats] = {}
    for name, shape in parameter_shapes(network).items():
        found[name] = np.where(random.random(shape) < zeros, 0.0, random.normal(size=shape))
    for each in network.projections:
        if not each.connector.trained:
            found[f"{each.name}.weight"] = np.ones(1)
    return found


def spiking(program: str, zeros: float = 0.3) -> SpikingModel:
    network = to_network(program)
    values = parameters(network, zeros)
    return SpikingModel(network=network, parameters=values, coding=Poisson(100.0), duration=20.0)


def by_name(counter: Counter, stimuli: int) -> dict[str, PopulationOperations]:
    return {each.population: each for each in counter.operations(stimuli)}


def test_a_dense_network_by_hand() -> None:
    values = {
        "input->dense_1.weight": np.array([[1.0, 0.0, 2.0], [-1.0, 3.0, 0.0]]),
        "dense_1.bias": np.zeros(2),
        "dense_1->dense_2.weight": np.array([[1.0, 0.0], [0.5, 1.0], [0.0, 2.0]]),
        "dense_2.bias": np.ones(3),
    }
    model = ArtificialModel(chain(3, 2, 3), values)
    # Hidden sums: (0.5, −0.5) and (2, 1.5), so the values (0.5, 0) and (2, 1.5).
    stimuli = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 1.0]])
    counter = Counter(model)
    counter.add_values(activations(model, stimuli))
    found = by_name(counter, 2)
    given = found["input"]
    assert (given.active, given.size, given.dense) == (3 / 2, 3, 6)
    # Each of three values not 0 is in two products, of which 2, 1 and 1 have a weight other than 0.
    assert (given.synaptic, given.macs, given.acs) == (6 / 2, 4 / 2, 0)
    hidden = found["dense_1"]
    assert (hidden.active, hidden.synaptic, hidden.dense) == (3 / 2, 9 / 2, 6)
    # The first hidden neuron is active twice and has 2 weights, the second once.
    assert (hidden.macs, hidden.acs) == ((2 + 2 + 2) / 2, 0)
    output = found["dense_2"]
    assert (output.synaptic, output.macs, output.acs, output.dense) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("stimuli", "binary"),
    [
        ([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], True),
        ([[1.0, 0.0, 1.0], [0.0, 0.5, 1.0]], False),
    ],
)
def test_values_of_nothing_but_0_and_1_are_accumulated(
    stimuli: list[list[float]], *, binary: bool
) -> None:
    network = chain(3, 2)
    model = ArtificialModel(network, {n: np.ones(s) for n, s in parameter_shapes(network).items()})
    counter = Counter(model)
    # In any chunks: one value decides for all stimuli, the earlier ones too.
    for row in stimuli:
        counter.add_values(activations(model, np.array([row])))
    given = by_name(counter, 1)["input"]
    assert (given.acs, given.macs) == ((given.synaptic, 0) if binary else (0, given.synaptic))
    assert given.synaptic == 2 * np.count_nonzero(stimuli)


def conv_operations(sent: Floats, weights: Floats, *, every: bool) -> int:
    """Products of the kernel in ``CONVOLUTION`` for counts ``[2, 5, 4]`` at its inputs."""
    found = 0
    for o, y, x in itertools.product(range(3), range(3), range(3)):
        for i, dy, dx in itertools.product(range(2), range(3), range(2)):
            row, column = 2 * y + dy - 1, x + dx
            if 0 <= row < 5 and 0 <= column < 4 and (every or weights[o, i, dy, dx] != 0):
                found += int(sent[i, row, column])
    return found


def test_a_convolution_with_padding_against_explicit_loops() -> None:
    network = to_network(CONVOLUTION)
    values = parameters(network)
    model = ArtificialModel(network, values)
    kernel = values["input->conv_1.weight"]
    random = np.random.default_rng(1)
    stimuli = np.where(random.random((4, 40)) < 0.5, 0.0, random.random((4, 40)))
    counter = Counter(model)
    counter.add_values(activations(model, stimuli))
    given = by_name(counter, 1)["input"]
    sent = (stimuli != 0).sum(axis=0).reshape(2, 5, 4)
    assert given.macs == conv_operations(sent, kernel, every=False)
    assert given.synaptic == conv_operations(sent, kernel, every=True)
    assert given.dense == conv_operations(np.ones((2, 5, 4)), kernel, every=True)
    assert given.macs < given.synaptic < 4 * given.dense

    # The same kernel with spikes: as many as there are, in 40 steps.
    of_spikes = spiking(CONVOLUTION)
    counts = {each.name: np.zeros((4, each.size), np.int64) for each in network.populations}
    counts["input"] = random.integers(0, 5, (4, 40))
    counter = Counter(of_spikes)
    counter.add_spikes(counts)
    given = by_name(counter, 1)["input"]
    sent = counts["input"].sum(axis=0).reshape(2, 5, 4)
    assert (given.acs, given.macs) == (conv_operations(sent, kernel, every=False), 0)
    assert given.synaptic == conv_operations(sent, kernel, every=True)
    assert given.dense == 40 * conv_operations(np.ones((2, 5, 4)), kernel, every=True)
    assert given.active == sent.sum()


def test_an_artificial_network_multiplies_means_and_a_spike_goes_through_each_synapse() -> None:
    program = "avgpool [2 5 6] [2 3] ⦶ dense _ 4"
    network = to_network(program)
    values = {name: np.ones(shape) for name, shape in parameter_shapes(network).items()}
    # One of a window's six neurons, and a row that no window reaches.
    stimuli = np.zeros((1, 2, 5, 6))
    stimuli[0, 0, 0, 2] = stimuli[0, 1, 4, 5] = 1.0
    model = ArtificialModel(network, values)
    counter = Counter(model)
    counter.add_values(activations(model, stimuli.reshape(1, -1)))
    given = by_name(counter, 1)["input"]
    # A mean of 1/6 makes products, though what it is a mean of is 0 or 1.
    assert (given.active, given.macs, given.acs, given.dense) == (2, 4, 0, 8 * 4)

    counter = Counter(spiking(program, zeros=0.0))
    counts = {each.name: np.zeros((1, each.size), np.int64) for each in network.populations}
    counts["input"] = stimuli.reshape(1, -1).astype(np.int64)
    counter.add_spikes(counts)
    given = by_name(counter, 1)["input"]
    assert (given.active, given.acs, given.dense) == (2, 4, 40 * 48 * 4)


def test_the_largest_of_windows_costs_an_artificial_network_nothing() -> None:
    program = "conv [1 3 4] 2 1 ⦶ maxpool _ [1 2] ⦶ dense _ 6"
    network = to_network(program)
    model = ArtificialModel(network, parameters(network))
    counter = Counter(model)
    counter.add_values(activations(model, np.random.default_rng(1).random((3, 12))))
    found = by_name(counter, 3)["conv_1"]
    assert found.active > 0
    assert (found.synaptic, found.macs, found.acs, found.dense) == (0, 0, 0, 0)
    # In a spiking network a synapse leads from each neuron to its window.
    counter = Counter(spiking(program))
    counter.add_spikes({p.name: np.ones((1, p.size), np.int64) for p in network.populations})
    found = by_name(counter, 1)["conv_1"]
    assert (found.active, found.synaptic, found.acs, found.dense) == (24, 24, 24, 40 * 24)


def test_an_identity_with_another_weight_than_1_multiplies() -> None:
    network = to_network("dense 3 4 ⦶ (dense 4 4 ⊕ id 4) ⦶ dense 4 2")
    (through,) = [each for each in network.projections if not each.connector.trained]
    for weight, products in ((1.0, 16), (5.0, 16 + 4)):
        values = {name: np.ones(shape) for name, shape in parameter_shapes(network).items()}
        values[f"{through.name}.weight"] = np.array([weight])
        model = ArtificialModel(network, values, Staircase(4, 1))
        counter = Counter(model)
        counter.add_values(activations(model, np.ones((1, 3))))
        found = by_name(counter, 1)[through.source]
        assert (found.active, found.macs, found.dense) == (4, products, products)


def test_several_projections_from_one_population_add_up_and_each_is_counted_by_its_own_kind() -> (
    None
):
    network = to_network("dense 3 2 ⊖ (dense 3 4 ⦶ dense 4 1)")
    values = {name: np.ones(shape) for name, shape in parameter_shapes(network).items()}
    model = ArtificialModel(network, values)
    counter = Counter(model)
    counter.add_values(activations(model, np.array([[1.0, 0.0, 1.0]])))
    found = by_name(counter, 1)
    assert (found["input"].acs, found["input"].macs, found["input"].dense) == (2 * 6, 0, 18)
    hidden = next(each for name, each in found.items() if each.size == 4 and name != "input")
    # Its values are 3: 2 inputs and the bias.
    assert (hidden.acs, hidden.macs) == (0, 4)
