"""Training with a simulator in the loop: what it learns, and that simulators agree."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.needs import needs, needs_nest, needs_numba
from tests.oracles import PlainSimulator, chain, random_parameters

from volr.backends import ENGINE, simulator
from volr.backends.base import Record
from volr.backends.brian2 import BRIAN2, Brian2Simulator
from volr.backends.nest import start as start_nest
from volr.backends.pynn import PYNN_NEST, PYNN_NEURON, PynnSimulator, translation
from volr.errors import TrainingError
from volr.experiments.datasets.logic import load_logic, nand, xor
from volr.experiments.evaluation import evaluate
from volr.models.model import SpikingModel
from volr.models.samples import Samples
from volr.neurons import IFCondExp, IFCurrExp, NeuronModel
from volr.training import SpikingSettings, TrainingSettings, settings_of, train_in_loop
from volr.training.in_loop import EPOCHS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from volr.backends.base import Simulator, SpikingBackend
    from volr.checks.arrays import Floats, Integers
    from volr.training import Training

BRIEF = TrainingSettings(epochs=2, candidates=2, batch_size=25, seed=3)


def clouds(count: int) -> Samples:
    """Random stimuli, labelled by the largest of the first few values."""
    inputs = np.random.default_rng(8).random((count, 5))
    return Samples(inputs, inputs[:, :3].argmax(axis=1))


def start_of(neuron: NeuronModel) -> SpikingModel:
    network = chain(5, 6, 3)
    values = random_parameters(network, np.random.default_rng(2), weight=0.02, bias=0.8)
    return SpikingModel(
        network=network, parameters=values, neuron=neuron, dt=1.0, delay=2.0, duration=20.0
    )


@needs_nest
@needs_numba
def test_the_engine_and_nest_give_the_same_model_whatever_the_processes() -> None:
    spiking = SpikingSettings(neuron=IFCurrExp(), duration=30.0)

    def trained(started: AbstractContextManager[Simulator]) -> dict[str, Floats]:
        with started as running:
            found = train_in_loop(chain(5, 9, 3), clouds(60), running, BRIEF, spiking)
        return dict(found.model.parameters)

    one, two, engine = (trained(w) for w in (start_nest(1), start_nest(2), simulator("engine")))
    for name, value in engine.items():
        np.testing.assert_array_equal(one[name], value)
        np.testing.assert_array_equal(two[name], value)
        assert value.std() > 0


@needs_numba
@pytest.mark.parametrize(
    ("truth", "neuron"), [(xor, IFCurrExp()), (nand, IFCondExp())], ids=["xor", "nand"]
)
def test_logic_is_learned(
    truth: Callable[[Integers, Integers], Integers], neuron: NeuronModel
) -> None:
    data = load_logic(truth, 4)
    settings = TrainingSettings(learning_rate=0.02, epochs=20, candidates=8, seed=4)
    with simulator("engine") as engine:
        spiking = SpikingSettings(neuron=neuron)
        trained = train_in_loop(chain(2, 4, 2), data.train, engine, settings, spiking)
    assert trained.candidates == 8
    assert trained.dead == {"dense_1": 0}
    assert evaluate(trained.model, data.test, ENGINE).accuracy == 1.0


def xor_in(running: Simulator) -> Training[SpikingModel]:
    """Trained in two dozen updates; a neuron that rests for a step is one that NEURON can run."""
    settings = TrainingSettings(epochs=2, batch_size=40, learning_rate=0.15, candidates=8, seed=2)
    spiking = SpikingSettings(neuron=IFCurrExp(tau_refrac=1.0), duration=30.0)
    return train_in_loop(chain(2, 4, 2), load_logic(xor, 4).train, running, settings, spiking)


@lru_cache(maxsize=1)
def xor_in_the_reference() -> Training[SpikingModel]:
    return xor_in(PlainSimulator())


def needing(backend: SpikingBackend, start: Callable[[], object]) -> pytest.ParameterSet:
    return pytest.param(start, id=backend.name, marks=needs(*backend.requires))


@pytest.mark.parametrize(
    "start",
    [
        needing(BRIAN2, partial(Brian2Simulator, 1)),
        needing(PYNN_NEST, partial(PynnSimulator, translation.NEST, 1)),
        needing(PYNN_NEURON, partial(PynnSimulator, translation.NEURON, 1)),
    ],
)
def test_any_simulator_can_be_in_the_loop(
    start: Callable[[], AbstractContextManager[Simulator]],
) -> None:
    with start() as running:
        trained = xor_in(running)
    assert trained.history[-1].loss < 0.5 * trained.history[0].loss
    # What it has learned is the truth table, wherever it runs.
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    counts = PlainSimulator().run(trained.model, corners).counts["dense_2"]
    assert counts.argmax(axis=1).tolist() == [0, 1, 1, 0]
    # The spikes are those of the reference, and so is all that they taught.
    expected = xor_in_the_reference()
    assert trained.history == expected.history
    for name, value in expected.model.parameters.items():
        np.testing.assert_array_equal(trained.model.parameters[name], value)


@needs_numba
def test_a_dead_population_comes_back_without_any_penalty() -> None:
    # A ReLU's derivative would be 0 for good.
    dead = start_of(IFCurrExp())
    values = {**dead.parameters, "dense_1.bias": np.full(6, -0.5)}
    dead = SpikingModel(
        network=dead.network,
        parameters=values,
        neuron=dead.neuron,
        dt=1.0,
        delay=1.0,
        duration=30.0,
    )
    settings = TrainingSettings(epochs=10, learning_rate=0.03)
    with simulator("engine") as engine:
        hidden = Record(counts=("dense_1",))
        counts = engine.run(dead, clouds(300).inputs, record=hidden).counts["dense_1"]
        trained = train_in_loop(
            dead.network,
            clouds(300),
            engine,
            settings,
            settings_of(dead, rate_penalty=0.0),
            start=dead,
        )
    assert counts.sum() == 0
    assert trained.dead["dense_1"] <= 3
    assert trained.rates["dense_1"] > 10
    assert trained.history[-1].loss < 0.8 * trained.history[0].loss


def test_it_goes_on_from_a_model_and_keeps_that_where_nothing_is_better() -> None:
    start = start_of(IFCurrExp())
    settings = TrainingSettings(epochs=1, learning_rate=1e-12, batch_size=40)
    trained = train_in_loop(start.network, clouds(40), PlainSimulator(), settings, start=start)
    assert trained.kept_epoch == 0
    assert trained.model is start
    assert (trained.candidates, len(trained.history)) == (1, 1)


def test_there_are_enough_updates_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volr.training.in_loop.UPDATES", 24)
    start = start_of(IFCurrExp())
    settings = TrainingSettings(batch_size=20, validation=0.5)
    trained = train_in_loop(start.network, clouds(120), PlainSimulator(), settings, start=start)
    # Three updates an epoch.
    assert len(trained.history) == 8 > EPOCHS


def test_divergence_is_an_error() -> None:
    settings = TrainingSettings(epochs=3, learning_rate=1e30, batch_size=5, loss="mse")
    with pytest.raises(TrainingError, match="training diverged in epoch"):
        train_in_loop(chain(5, 4, 3), clouds(40), PlainSimulator(), settings)


def test_what_does_not_fit_is_refused_before_anything_runs() -> None:
    start = start_of(IFCurrExp())
    with pytest.raises(TrainingError, match="is of another network"):
        train_in_loop(chain(5, 4, 3), clouds(40), PlainSimulator(), start=start)
    with pytest.raises(TrainingError, match="another neuron, coding, readout or timing"):
        train_in_loop(
            start.network, clouds(40), PlainSimulator(), BRIEF, SpikingSettings(), start=start
        )
    with pytest.raises(TrainingError, match="a stimulus has 5 values"):
        train_in_loop(chain(4, 3), clouds(40), PlainSimulator())
