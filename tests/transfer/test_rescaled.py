"""A ReLU network whose hidden units are rescaled has the same transfer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.needs import needs_numba

import volr
from volr.backends import ENGINE
from volr.backends.base import Record
from volr.backends.reference import activations
from volr.models.coding import decode_counts
from volr.models.model import ArtificialModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.transfer import TransferSettings, transfer_ann
from volr.transfer.scaling import scales

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.models.samples import Data
    from volr.network import Network
    from volr.transfer import Transfer

pytestmark = needs_numba

PROGRAMS = {
    "chain": "dense 64 32 ⦶ dense 32 10",
    "parallel": "dense 64 32 ⦶ (dense 32 16 ⊖ dense 32 12) ⦶ dense 28 10",
}
NEURONS: dict[str, NeuronModel] = {
    "delta": IFCurrDelta(),
    "currents": IFCurrExp(),
    "conductances": IFCondExp(),
}


@lru_cache(maxsize=1)
def digits() -> Data:
    return volr.task("digits").load(seed=0)


@lru_cache(maxsize=2)
def trained(program: str) -> ArtificialModel:
    """Random features, and outputs that are fitted to the labels by ridge regression."""
    network, rng = volr.to_network(program), np.random.default_rng(4)
    values: dict[str, Floats] = {}
    for projection in network.projections:
        target, source = network[projection.target].size, network[projection.source].size
        values[f"{projection.name}.weight"] = rng.normal(0.0, np.sqrt(2 / source), (target, source))
        values[f"{projection.target}.bias"] = rng.normal(0.0, 0.1, target)
    [output] = network.outputs
    model = ArtificialModel(network, values)
    sources = [projection.source for projection in network.incoming[output]]
    shown = activations(model, digits().train.inputs)
    features = np.concatenate([shown[name] for name in sources], axis=1)
    features = np.hstack([features, np.ones((len(features), 1))])
    wanted = np.eye(10)[digits().train.labels]
    penalty = 0.1 * np.eye(features.shape[1])
    fitted = np.asarray(
        np.linalg.solve(features.T @ features + penalty, features.T @ wanted).T, dtype=np.float64
    )
    values[f"{output}.bias"] = fitted[:, -1]
    first = 0
    for name in sources:
        values[f"{name}->{output}.weight"] = fitted[:, first : first + network[name].size]
        first += network[name].size
    return ArtificialModel(network, values)


def with_units_times(model: ArtificialModel, factors: Mapping[str, Floats]) -> ArtificialModel:
    """The same function; by hand, unit by unit."""
    values = {name: np.array(value) for name, value in model.parameters.items()}
    for name, each in factors.items():
        for unit, factor in enumerate(each):
            for projection in model.network.projections:
                if projection.target == name:
                    values[f"{projection.name}.weight"][unit] *= factor
                if projection.source == name:
                    values[f"{projection.name}.weight"][:, unit] /= factor
            values[f"{name}.bias"][unit] *= factor
    return ArtificialModel(model.network, values)


def hidden(network: Network) -> dict[str, int]:
    return {p.name: p.size for p in network.layers if p.name not in network.outputs}


def moved(model: ArtificialModel, settings: TransferSettings, *, by_unit: bool = True) -> Transfer:
    train = digits().train
    shown = activations(model, train.inputs)
    scale = None if by_unit else scales(model.network, shown, settings)
    with ENGINE.start() as engine:
        return transfer_ann(model, train, engine, settings, scale=scale)


def accuracy(done: Transfer) -> float:
    test = digits().test
    with ENGINE.start() as engine:
        labels, _ = decode_counts(
            engine.run(done.model, test.inputs, seed=1).output_values(done.model)
        )
    return float((labels == test.labels).mean())


@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS)
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_rescaled_units_keep_the_accuracy(program: str, neuron: NeuronModel) -> None:
    model, rng = trained(program), np.random.default_rng(5)
    settings = TransferSettings(neuron=neuron, rounds=1, samples=200)
    before = moved(model, settings)
    right = accuracy(before)
    # Random features are no good ones; chance is 0.1.
    assert right > 0.7
    mean = activations(model, digits().train.inputs)["dense_1"].mean(axis=0)
    one = np.ones(len(mean))
    one[mean.argmax()] = 50.0
    every = {n: 10.0 ** rng.uniform(-3.0, 3.0, size) for n, size in hidden(model.network).items()}
    for factors in ({"dense_1": one}, every):
        other = with_units_times(model, factors)
        done = moved(other, settings)
        assert accuracy(done) == pytest.approx(right, abs=0.01)
        # What a unit's full rate stands for went along.
        for name, each in factors.items():
            np.testing.assert_allclose(done.scales[name], before.scales[name] * each, rtol=1e-9)
    # One scale for each population is another matter.
    assert accuracy(moved(other, settings, by_unit=False)) < right - 0.2


@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS)
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_powers_of_two_give_the_very_same_spiking_network(
    program: str, neuron: NeuronModel
) -> None:
    model, rng = trained(program), np.random.default_rng(6)
    settings = TransferSettings(neuron=neuron, rounds=1, samples=50, dt=1.0)
    factors = {
        name: np.asarray(2.0 ** rng.integers(-10, 11, size), dtype=np.float64)
        for name, size in hidden(model.network).items()
    }
    before, after = moved(model, settings), moved(with_units_times(model, factors), settings)
    for name, values in before.model.parameters.items():
        np.testing.assert_array_equal(after.model.parameters[name], values)
    record = Record(counts=tuple(hidden(model.network)) + model.network.outputs)
    with ENGINE.start() as engine:
        found = [
            engine.run(done.model, digits().test.inputs[:50], record=record).counts
            for done in (before, after)
        ]
    for name, counts in found[0].items():
        np.testing.assert_array_equal(found[1][name], counts)
