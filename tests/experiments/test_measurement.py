"""What is measured of a model, against loops in NumPy over what the equations give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.oracles import PlainSimulator, chain, fork, random_parameters, simulate_delta

from volr.backends.reference import REFERENCE
from volr.experiments import measurement
from volr.experiments.measurement import measure_artificial, measure_spiking
from volr.models.coding import Poisson, poisson_spikes
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Data, Samples
from volr.neurons import IFCurrDelta

if TYPE_CHECKING:
    from volr.checks.arrays import Floats, Integers
    from volr.network import Network

CLASSES = 3
SHOWN = 40


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    # Fewer than there are stimuli, so that it matters which are looked at.
    monkeypatch.setattr(measurement, "LOOKED_AT", 25)


def data() -> Data:
    """Stimuli with zeros in them, and labels at random."""
    rng = np.random.default_rng(3)
    inputs = np.where(rng.random((SHOWN, 5)) < 0.4, 0.0, rng.random((SHOWN, 5)))
    samples = Samples(inputs, rng.integers(0, CLASSES, SHOWN))
    return Data(samples, samples, CLASSES)


def parameters(network: Network, *, weight: float, bias: float) -> dict[str, Floats]:
    """Weights of which a third are 0."""
    rng = np.random.default_rng(0)
    values = random_parameters(network, rng, weight=weight, bias=bias)
    return {
        name: np.where(rng.random(each.shape) < 1 / 3, 0.0, each) if "->" in name else each
        for name, each in values.items()
    }


def operations(network: Network, values: dict[str, Floats], events: dict[str, Floats]) -> float:
    """Of all stimuli: events ``[batch, unit]``, each times the weights behind it that are not 0."""
    found = 0.0
    for projection in network.projections:
        weights = values[f"{projection.source}->{projection.target}.weight"]
        for stimulus in events[projection.source]:
            for source, count in enumerate(stimulus):
                for target in range(network[projection.target].size):
                    if weights[target, source] != 0:
                        found += count
    return found


def confusion(labels: Integers, answers: Integers) -> tuple[tuple[int, ...], ...]:
    table = [[0] * CLASSES for _ in range(CLASSES)]
    for label, answer in zip(labels, answers, strict=True):
        table[int(label)][int(answer)] += 1
    return tuple(map(tuple, table))


@pytest.mark.parametrize("network", [chain(5, 4, CLASSES), fork(5, 2, 4, CLASSES)])
def test_an_artificial_model(network: Network) -> None:
    values = parameters(network, weight=-0.5, bias=0.3)
    model, shown = ArtificialModel(network, values), data()
    found = measure_artificial(model, shown, REFERENCE)
    outputs: list[Floats] = []
    active = {
        population.name: np.zeros((25, population.size)) for population in network.populations
    }
    for index, stimulus in enumerate(shown.test.inputs):
        at = {"input": stimulus}
        for layer in network.layers:
            z = values[f"{layer.name}.bias"].copy()
            for projection in network.projections:
                if projection.target == layer.name:
                    weights = values[f"{projection.source}->{projection.target}.weight"]
                    z += weights @ at[projection.source]
            at[layer.name] = z if layer.name in network.outputs else np.maximum(z, 0)
        outputs.append(at[network.outputs[0]])
        if index < 25:
            for name, each in at.items():
                active[name][index] = each != 0
    answers = np.argmax(outputs, axis=1)
    assert found.accuracy == (answers == shown.test.labels).mean()
    assert (found.ties, found.over_time) == (0.0, ())
    assert found.confusion == confusion(shown.test.labels, answers)
    activity = found.activity
    assert activity.spikes == pytest.approx(
        {n: each.sum(axis=1).mean() for n, each in active.items()}
    )
    assert activity.effective == pytest.approx(operations(network, values, active) / 25)
    sizes = {population.name: population.size for population in network.populations}
    assert activity.dense == sum(sizes[p.source] * sizes[p.target] for p in network.projections)
    zeros = [(active[layer.name] == 0).ravel() for layer in network.layers]
    assert activity.sparsity == pytest.approx(np.concatenate(zeros).mean())
    assert 0 < activity.sparsity < 1
    assert activity.effective < activity.dense


@pytest.mark.parametrize("network", [chain(5, 4, CLASSES), fork(5, 2, 4, CLASSES)])
def test_a_spiking_model(network: Network) -> None:
    values = parameters(network, weight=6.0, bias=0.4)
    steps = 30
    model = SpikingModel(
        network=network,
        parameters=values,
        neuron=IFCurrDelta(),
        coding=Poisson(300.0),
        dt=1.0,
        duration=float(steps),
        delay=1.0,
    )
    shown = data()
    reported: list[int] = []
    found = measure_spiking(model, shown, PlainSimulator(), seed=6, progress=reported.append)
    given = poisson_spikes(Poisson(300.0), 1.0, steps, shown.test.inputs, seed=6)
    spikes, _ = simulate_delta(model, given=given)
    counts = spikes[network.outputs[0]].sum(axis=0)
    labels = shown.test.labels
    answers = [int(np.argmax(each)) for each in counts]
    assert found.accuracy == np.mean(np.array(answers) == labels)
    tied = [sum(each == max(stimulus) for each in stimulus) > 1 for stimulus in counts.tolist()]
    assert found.ties == np.mean(tied)
    assert 0 < found.ties < 1
    assert found.confusion == confusion(labels, np.array(answers))
    assert len(found.over_time) == steps
    for step in range(steps):
        so_far = [spikes[network.outputs[0]][: step + 1, b].sum(axis=0) for b in range(SHOWN)]
        right = [np.argmax(each) == label for each, label in zip(so_far, labels, strict=True)]
        assert found.over_time[step] == np.mean(right)
    assert found.over_time[-1] == found.accuracy
    assert len(set(found.over_time)) > 3
    first = {name: each[:, :25].sum(axis=0).astype(float) for name, each in spikes.items()}
    activity = found.activity
    assert activity.spikes == pytest.approx(
        {n: each.sum(axis=1).mean() for n, each in first.items()}
    )
    assert activity.effective == pytest.approx(operations(network, values, first) / 25)
    sizes = {population.name: population.size for population in network.populations}
    synapses = sum(sizes[p.source] * sizes[p.target] for p in network.projections)
    assert activity.dense == synapses * steps
    silent = [~spikes[layer.name][:, :25].reshape(steps * 25, -1) for layer in network.layers]
    assert activity.sparsity == pytest.approx(np.concatenate(silent, axis=1).mean())
    assert sum(reported) == SHOWN


def test_outputs_that_are_read_as_membranes_have_no_course() -> None:
    network = chain(5, 4, CLASSES)
    model = SpikingModel(
        network=network,
        parameters=parameters(network, weight=6.0, bias=0.4),
        readout="membrane",
        dt=1.0,
        delay=1.0,
        duration=20.0,
    )
    shown = data()
    found = measure_spiking(model, shown, PlainSimulator(), seed=0)
    means = PlainSimulator().run(model, shown.test.inputs).output_values(model)
    assert found.accuracy == np.mean(means.argmax(axis=1) == shown.test.labels)
    assert found.over_time == ()
    assert found.activity.spikes[network.outputs[0]] == 0.0
