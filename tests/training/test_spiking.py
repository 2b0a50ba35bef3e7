"""Training of spiking networks: what it refuses, what it learns, and where that runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from tests.needs import needs_nest
from tests.oracles import PlainSimulator, chain, random_parameters

from volr.backends import ENGINE, NEST
from volr.engine.cpu import work
from volr.engine.reference import simulate
from volr.engine.surrogates import Surrogate
from volr.errors import ModelError, TrainingError
from volr.experiments.datasets.logic import load_logic, xor
from volr.experiments.evaluation import evaluate
from volr.models.coding import ConstantCurrent, Poisson, decode_counts
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Samples
from volr.network import Network, Population, Projection
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp
from volr.training import SpikingSettings, TrainingSettings, settings_of, train_snn
from volr.training.spiking import FINE_EPOCHS
from volr.training.spiking_units import SHARPNESS, TAUGHT_SHARPNESS
from volr.transfer import TransferSettings, transfer_ann

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

DATA = load_logic(xor, 1)
NETWORK = chain(2, 4, 2)
QUICK = TrainingSettings(epochs=60, candidates=4, seed=1)
BRIEF = TrainingSettings(epochs=2, candidates=2, seed=3)


def clouds(count: int, units: int = 5, classes: int = 3) -> Samples:
    """Random stimuli, labelled by the largest of the first few values."""
    inputs = np.random.default_rng(8).random((count, units))
    return Samples(inputs, inputs[:, :classes].argmax(axis=1))


def transferred(samples: Samples, seed: int = 5) -> SpikingModel:
    network = chain(5, 7, 3)
    values = random_parameters(network, np.random.default_rng(seed), weight=0.4, bias=0.1)
    return transfer_ann(
        ArtificialModel(network, values),
        samples,
        PlainSimulator(),
        TransferSettings(neuron=IFCurrDelta(), dt=1.0, duration=30.0, rounds=0),
    ).model


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dt": 0.0}, "dt is 0.0 ms, not above 0"),
        ({"dt": 0.3}, "duration 50 ms is not a whole number of steps of 0.3 ms"),
        ({"dt": 1.0, "delay": 1.5}, "delay 1.5 ms is not a whole number of steps of 1 ms"),
        ({"duration": float("nan")}, "duration is nan ms"),
        ({"duration": 2e6}, "more than 1,000,000 steps"),
        ({"dt": 1.0, "coding": Poisson(1500.0)}, "a step of 1 ms allows 1000 Hz"),
        ({"window": 0}, "window is 0, below 1"),
        ({"rate_floor": -1.0}, "rate_floor is -1.0, not 0 or more"),
        ({"rate_penalty": float("inf")}, "rate_penalty is inf, not 0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError, match="training cannot start: ") as caught:
        SpikingSettings(**settings)
    assert said in caught.value.message


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(TrainingError) as caught:
        SpikingSettings(window=-2, rate_floor=-1.0, rate_penalty=-1.0)
    assert all(word in caught.value.message for word in ("window", "rate_floor", "rate_penalty"))


def test_what_does_not_fit_is_refused_before_anything_runs() -> None:
    samples = clouds(40)
    start = transferred(samples)
    with pytest.raises(TrainingError, match="is of another network"):
        train_snn(chain(5, 6, 3), samples, start=start)
    with pytest.raises(TrainingError, match="another neuron, coding, readout or timing"):
        train_snn(start.network, samples, BRIEF, SpikingSettings(), start=start)
    with pytest.raises(TrainingError, match="a stimulus has 2 values"):
        train_snn(start.network, DATA.train)
    with pytest.raises(TrainingError, match="readout is 'spikes', not one of count, membrane"):
        train_snn(NETWORK, DATA.train, BRIEF, SpikingSettings(readout="spikes"))  # type: ignore[arg-type]


def test_an_output_that_is_an_input_is_refused_by_name() -> None:
    both = Network(
        populations=(Population("in", (2,)), Population("out", (3,))),
        projections=(Projection("in", "out"),),
        inputs=("in",),
        outputs=("out", "in"),
    )
    with pytest.raises(TrainingError, match="the output 'in' is an input as well") as caught:
        train_snn(both, DATA.train, BRIEF)
    assert "train_in_loop" in str(caught.value.help)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"neuron": "if_curr_exp"}, "neuron is 'if_curr_exp', not one of IFCurrDelta"),
        ({"surrogate": "atan"}, "surrogate is 'atan', not a Surrogate"),
        ({"window": 1.5}, "window is 1.5, not a whole number"),
        ({"rate_floor": "5"}, "rate_floor is '5', not a number"),
        ({"readout": 1}, "readout is 1, not a text"),
    ],
)
def test_settings_of_other_types_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError) as caught:
        SpikingSettings(**settings)
    assert said in caught.value.message


@pytest.mark.filterwarnings("error")
def test_a_start_that_overflows_float32_is_refused_by_name() -> None:
    samples = clouds(40)
    start = transferred(samples)
    values = dict(start.parameters)
    values["dense_1->dense_2.weight"] = values["dense_1->dense_2.weight"] * 1e39
    with pytest.raises(TrainingError, match=r"dense_1->dense_2\.weight reaches .*e\+40"):
        train_snn(start.network, samples, BRIEF, start=replace(start, parameters=values))


def test_what_memory_does_not_hold_is_refused_by_population(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("volr.system.memory.available", lambda: 500_000_000)
    # 20 million weights, more than 20 bytes each.
    wide = Samples(np.zeros((20, 4000)), np.zeros(20, dtype=int))
    with pytest.raises(ModelError, match=r"to train this network: .*for input->dense_1\.weight"):
        train_snn(chain(4000, 5000, 2), wide)
    # 64 stimuli of 40,000 steps.
    long = SpikingSettings(dt=1.0, duration=40_000.0)
    with pytest.raises(ModelError, match=r"64 stimuli of 40,000 steps at once: .*for dense_1"):
        train_snn(chain(2, 1000, 2), DATA.train, BRIEF, long)


@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_divergence_is_an_error(readout: str) -> None:
    settings = replace(BRIEF, learning_rate=1e38, loss="mse")
    spiking = SpikingSettings(readout=readout)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="training diverged in epoch 1") as caught:
        train_snn(NETWORK, DATA.train, settings, spiking)
    assert caught.value.help == "lower the learning rate, which is 1e+38"


def test_the_same_seed_gives_the_same_parameters_whatever_the_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = clouds(300)

    def trained(seed: int, threads: int) -> dict[str, Floats]:
        monkeypatch.setattr(work, "cores", lambda: threads)
        work._pool.cache_clear()
        # More than one slice of stimuli in an update.
        settings = TrainingSettings(epochs=2, batch_size=100, candidates=2, seed=seed)
        return dict(train_snn(chain(5, 70, 3), samples, settings).model.parameters)

    one, three, other = trained(0, 1), trained(0, 3), trained(1, 1)
    work._pool.cache_clear()
    for name, value in one.items():
        np.testing.assert_array_equal(three[name], value)
        assert not np.array_equal(other[name], value)


@pytest.mark.parametrize(
    ("spiking", "least"),
    [
        (SpikingSettings(neuron=IFCurrDelta()), 1.0),
        (SpikingSettings(neuron=IFCurrDelta(reset="subtract"), duration=30.0), 1.0),
        (SpikingSettings(neuron=IFCurrDelta(), readout="membrane", duration=30.0), 1.0),
        (SpikingSettings(neuron=IFCurrExp()), 0.95),
        (SpikingSettings(neuron=IFCondExp(), delay=2.0), 0.75),
        (SpikingSettings(neuron=IFCurrDelta(), coding=Poisson(1000.0), dt=1.0), 0.9),
        (
            SpikingSettings(neuron=IFCurrDelta(), surrogate=Surrogate("triangle", 1.0), window=20),
            0.75,
        ),
    ],
    ids=["delta", "subtract", "membrane", "exp", "cond", "poisson", "window"],
)
def test_xor_is_learned(spiking: SpikingSettings, least: float) -> None:
    # Not all of 60 epochs' networks get all the way; no linear one is right for more than 3 of 4.
    trained = train_snn(NETWORK, DATA.train, QUICK, spiking)
    assert trained.history[-1].loss < 0.8 * trained.history[0].loss
    assert settings_of(trained.model) == replace(
        SpikingSettings(),
        neuron=spiking.neuron,
        coding=spiking.input_coding,
        dt=spiking.dt,
        duration=spiking.duration,
        delay=spiking.delay_ms,
        readout=spiking.readout,
    )
    found = evaluate(trained.model, DATA.test, ENGINE, seed=1)
    assert found.accuracy >= least


@needs_nest
@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_what_is_trained_runs_on_nest_unchanged(readout: str) -> None:
    spiking = SpikingSettings(duration=30.0, readout=readout)  # type: ignore[arg-type]
    model = train_snn(chain(5, 9, 3), clouds(200), BRIEF, spiking).model
    samples = clouds(150)
    found = [evaluate(model, samples, backend) for backend in (ENGINE, NEST)]
    assert found[0].correct == found[1].correct
    assert found[0].ties == found[1].ties
    assert 50 < found[0].correct <= 150


def test_fine_tuning_begins_where_the_model_is() -> None:
    samples = clouds(120)
    start = transferred(samples)
    settings = TrainingSettings(epochs=1, learning_rate=1e-12, validation=0.0, batch_size=120)
    trained = train_snn(start.network, samples, settings, start=start)
    # The cross-entropy of the transferred model's counts, from the reference.
    counts = simulate(start, samples.inputs).spikes["dense_2"].sum(axis=0)
    logits = SHARPNESS * counts / (500.0 * 0.030)
    right = logits[np.arange(120), samples.labels]
    loss = np.mean(np.log(np.exp(logits).sum(axis=1)) - right)
    assert trained.history[0].loss == pytest.approx(loss, rel=1e-5)
    for name, value in start.parameters.items():
        np.testing.assert_allclose(trained.model.parameters[name], value, rtol=1e-5, atol=1e-7)
    assert settings_of(trained.model) == settings_of(start)
    assert (trained.candidates, trained.candidate) == (1, 0)


def test_a_teachers_answers_are_learned_instead_of_the_labels() -> None:
    samples = clouds(120)
    start = transferred(samples)
    values = random_parameters(start.network, np.random.default_rng(5), weight=0.4, bias=0.1)
    teacher = ArtificialModel(start.network, values)
    settings = TrainingSettings(epochs=1, learning_rate=1e-12, validation=0.0, batch_size=120)
    # All the same label: it is of no account.
    blind = Samples(samples.inputs, np.zeros(120, dtype=int))
    trained = train_snn(start.network, blind, settings, start=start, teacher=teacher)
    hidden = np.maximum(
        samples.inputs @ values["input->dense_1.weight"].T + values["dense_1.bias"], 0.0
    )
    z = hidden @ values["dense_1->dense_2.weight"].T + values["dense_2.bias"]
    ranked = np.sort(z, axis=1)
    zero = min(np.median(ranked[:, -2]), np.percentile(ranked[:, -1], 1.0))
    # No count is below 0.
    above = np.maximum(z - zero, 0.0)
    sharp = np.exp(TAUGHT_SHARPNESS * above / np.percentile(ranked[:, -1] - zero, 99.0))
    probability = sharp / sharp.sum(axis=1, keepdims=True)
    counts = simulate(start, samples.inputs).spikes["dense_2"].sum(axis=0)
    logits = TAUGHT_SHARPNESS * counts / (500.0 * 0.030)
    surprise = np.log(np.exp(logits).sum(axis=1, keepdims=True)) - logits
    expected = (probability * surprise).sum(axis=1).mean()
    assert trained.history[0].loss == pytest.approx(expected, rel=1e-4)


def test_a_teacher_that_does_not_fit_is_refused() -> None:
    samples = clouds(40)
    network = chain(4, 3, 2)
    values = random_parameters(network, np.random.default_rng(5), weight=0.4, bias=0.1)
    settings = TrainingSettings(loss="mse")
    with pytest.raises(TrainingError) as caught:
        train_snn(chain(5, 7, 3), samples, settings, teacher=ArtificialModel(network, values))
    assert "the teacher has 4 inputs and 2 outputs, the network 5 and 3" in caught.value.message
    assert "a teacher's answers are probabilities, and the loss is mse" in caught.value.message


def test_fine_tuning_makes_transferred_models_better_in_a_few_epochs() -> None:
    samples = clouds(2000)

    def accuracy(model: SpikingModel) -> float:
        labels, _ = decode_counts(PlainSimulator().run(model, samples.inputs).output_values(model))
        return float((labels == samples.labels).mean())

    gains: list[float] = []
    for seed in range(5):
        start = transferred(samples, seed)
        trained = train_snn(start.network, samples, TrainingSettings(seed=2), start=start)
        assert len(trained.history) == FINE_EPOCHS
        gains.append(accuracy(trained.model) - accuracy(start))
    # One model may be as good as its start, but not all of them.
    assert np.mean(gains) > 0.002
    assert min(gains) > -0.005


def test_the_penalty_revives_a_population_that_is_dead() -> None:
    network, samples = chain(5, 7, 3), clouds(200)
    values = random_parameters(network, np.random.default_rng(6), weight=0.3, bias=0.01)
    # So far below the threshold that no stimulus gets there.
    values["dense_1.bias"] = np.full(7, -0.8)
    start = SpikingModel(
        network=network,
        parameters=values,
        neuron=IFCurrDelta(),
        dt=1.0,
        delay=1.0,
        duration=30.0,
    )
    assert simulate(start, samples.inputs).spikes["dense_1"].sum() == 0
    settings = TrainingSettings(epochs=10, learning_rate=0.03)
    own = settings_of(start)
    left = train_snn(network, samples, settings, replace(own, rate_penalty=0.0), start=start)
    revived = train_snn(network, samples, settings, own, start=start)
    assert revived.dead == {"dense_1": 0}
    assert revived.rates["dense_1"] > left.rates["dense_1"]
    assert left.dead["dense_1"] > 0


def test_the_model_is_made_of_the_settings() -> None:
    spiking = SpikingSettings(
        neuron=IFCurrExp(tau_m=15.0, reset="subtract", tau_refrac=1.0),
        coding=ConstantCurrent(200.0),
        dt=0.5,
        duration=20.0,
        delay=1.0,
        readout="membrane",
    )
    trained = train_snn(NETWORK, DATA.train, BRIEF, spiking)
    assert settings_of(trained.model) == spiking
    assert trained.model.network == NETWORK
    assert set(trained.rates) == {"dense_1"}
