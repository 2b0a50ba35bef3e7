"""A spiking network in training against NumPy: units, logits, penalty, activity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from tests.oracles import chain, fork, random_parameters

from volr.engine.reference import simulate
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Samples
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp
from volr.training import SpikingSettings, spiking_learner
from volr.training.spiking_learner import SpikingLearner
from volr.training.spiking_units import SHARPNESS, TAUGHT_SHARPNESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.engine.encoding import Encoded
    from volr.engine.readout import Response
    from volr.engine.schedule import Schedule
    from volr.models.model import Readout
    from volr.network import Network
    from volr.neurons import NeuronModel

NETWORK = fork(5, 4, 3, 2)
INPUTS = np.random.default_rng(1).random((7, 5))
SAMPLES = Samples(INPUTS, np.array([0, 1, 1, 0, 1, 0, 0]))


def learner(settings: SpikingSettings, network: Network = NETWORK) -> SpikingLearner:
    return SpikingLearner(network, settings, seed=0)


def drawn(network: Network = NETWORK) -> dict[str, Floats]:
    """Parameters in units of training, with which every population spikes."""
    return random_parameters(network, np.random.default_rng(2), weight=0.3, bias=0.9)


def tensors(values: dict[str, Floats]) -> dict[str, Tensor]:
    return {name: torch.tensor(value, dtype=torch.float32) for name, value in values.items()}


def test_the_model_has_the_parameters_in_its_own_units() -> None:
    made = learner(SpikingSettings(neuron=IFCurrExp(), dt=0.5, duration=20.0, delay=1.5))
    model = made.model(tensors(drawn()))
    assert (model.neuron, model.dt, model.duration, model.delay) == (IFCurrExp(), 0.5, 20.0, 1.5)
    for name, value in drawn().items():
        unit = 15.0 / 5.0 if name.endswith("weight") else 15.0 / 20.0
        np.testing.assert_allclose(model.parameters[name], unit * value, rtol=1e-6)


@pytest.mark.parametrize("readout", ["count", "membrane"])
@pytest.mark.parametrize(
    "neuron", [IFCurrDelta(reset="subtract"), IFCurrExp()], ids=["delta", "exp"]
)
def test_logits_and_penalty_are_those_of_the_reference(
    neuron: NeuronModel, readout: Readout
) -> None:
    settings = SpikingSettings(
        neuron=neuron,
        coding=ConstantCurrent(250.0),
        duration=40.0,
        readout=readout,
        rate_floor=160.0,
        rate_penalty=3.0,
    )
    made = learner(settings)
    values = tensors(drawn())
    answer = made.answer(values, made.part(SAMPLES).inputs, 1)

    trace = simulate(made.model(values), INPUTS)
    if readout == "count":
        full = 250.0 * 0.040
        expected = trace.spikes["dense_3"].sum(axis=0) / full
    else:
        expected = (trace.membranes["dense_3"].mean(axis=0) - neuron.v_rest) / 15.0
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(answer.logits.numpy(), SHARPNESS * expected, rtol=1e-4, atol=1e-5)

    penalty = 0.0
    for name in ("dense_1", "dense_2"):
        hertz = trace.spikes[name].sum(axis=0).mean(axis=0) / 0.040
        penalty += 3.0 * np.mean(np.maximum(1.0 - hertz / 160.0, 0.0) ** 2)
    assert penalty > 0
    assert float(answer.penalty) == pytest.approx(penalty, rel=1e-5)


def test_no_penalty_where_none_is_asked_for() -> None:
    for settings in (SpikingSettings(rate_penalty=0.0), SpikingSettings(rate_floor=0.0)):
        made = learner(settings)
        assert made.answer(tensors(drawn()), made.part(SAMPLES).inputs, 1).penalty == 0.0


def test_candidates_answer_as_if_each_were_alone() -> None:
    made = learner(SpikingSettings())
    inputs = made.part(SAMPLES).inputs
    each = [drawn(), {name: -0.5 * value for name, value in drawn().items()}]
    stacked = {name: torch.stack([tensors(e)[name] for e in each]) for name in each[0]}
    together = made.answer(stacked, inputs, 2)
    assert together.logits.shape == (2, 7, 2)
    for index, values in enumerate(each):
        alone = made.answer(tensors(values), inputs, 1)
        assert torch.equal(together.logits[index], alone.logits)
        assert torch.equal(torch.as_tensor(together.penalty)[index], torch.as_tensor(alone.penalty))


def test_random_input_is_drawn_anew_for_every_batch_from_the_seed() -> None:
    def batches() -> list[Tensor]:
        made = learner(SpikingSettings(coding=Poisson(400.0)))
        inputs = made.part(SAMPLES).inputs
        return [made.answer(tensors(drawn()), inputs, 1).logits for _ in range(2)]

    first, second = batches()
    assert not torch.equal(first, second)
    assert all(map(torch.equal, batches(), [first, second]))


def test_activity_is_counted_over_all_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    # In several chunks, the last of which is not full.
    monkeypatch.setattr("volr.training.spiking_learner._CHUNK", 3)
    values = drawn()
    values["input->dense_1.weight"][2] = -1.0
    values["dense_1.bias"][2] = -1.0
    made = learner(SpikingSettings(duration=40.0))
    assert made.chunk == 3
    found = made.activity(tensors(values), made.part(SAMPLES))
    spikes = simulate(made.model(tensors(values)), INPUTS).spikes
    assert found.dead == {"dense_1": 1, "dense_2": 0}
    for name in ("dense_1", "dense_2"):
        assert found.rates[name] == pytest.approx(spikes[name].sum(axis=0).mean() / 0.040)


def test_chunks_are_small_where_stimuli_are_large() -> None:
    assert learner(SpikingSettings()).chunk == 1024
    large = learner(SpikingSettings(duration=1000.0), chain(5, 3000, 2))
    assert large.chunk * sum(large.bytes_each.values()) < 300_000_000
    assert large.chunk >= 1


@pytest.mark.parametrize(
    "neuron", [IFCurrDelta(), IFCurrExp(), IFCondExp()], ids=["delta", "exp", "cond"]
)
def test_every_hidden_neuron_starts_alive(neuron: NeuronModel) -> None:
    network = chain(20, 30, 10, 3)
    samples = Samples(np.random.default_rng(3).random((100, 20)), np.zeros(100, dtype=int))
    made = learner(SpikingSettings(neuron=neuron), network)
    (start,) = made.starts(samples, 1, np.random.default_rng(4))
    found = made.activity(tensors(start), made.part(samples))
    assert found.dead["dense_1"] <= 6
    assert found.dead["dense_2"] <= 2
    assert 10 < found.rates["dense_1"] < 400


def test_a_start_is_the_model_in_units_of_training() -> None:
    settings = SpikingSettings(neuron=IFCurrExp())
    model = learner(settings).model(tensors(drawn()))
    made = SpikingLearner(NETWORK, settings, 0, model)
    (start,) = made.starts(SAMPLES, 1, np.random.default_rng(0))
    for name, value in drawn().items():
        np.testing.assert_allclose(start[name], value, rtol=1e-6)
    assert isinstance(model, SpikingModel)


@pytest.mark.parametrize("readout", ["count", "membrane"])
def test_a_teacher_says_how_probable_each_label_is(readout: Readout) -> None:
    values = random_parameters(NETWORK, np.random.default_rng(9), weight=0.5, bias=0.2)
    teacher = ArtificialModel(NETWORK, values)
    made = SpikingLearner(NETWORK, SpikingSettings(readout=readout), 0, teacher=teacher)
    part = made.part(SAMPLES).take(torch.tensor([2, 5]))
    relu = [
        np.maximum(INPUTS @ values[f"input->{name}.weight"].T + values[f"{name}.bias"], 0.0)
        for name in ("dense_1", "dense_2")
    ]
    z = values["dense_3.bias"] + sum(
        hidden @ values[f"{name}->dense_3.weight"].T
        for name, hidden in zip(("dense_1", "dense_2"), relu, strict=True)
    )
    # The runners-up's median is silence, unless nearly all winners are below it, and the winners'
    # 99th percentile is at rate_max, where a logit is TAUGHT_SHARPNESS. No count is below 0; a
    # membrane can be.
    low, high = np.sort(z, axis=1).T
    zero = min(np.median(low), np.percentile(high, 1.0))
    shown = z if readout == "membrane" else np.maximum(z - zero, 0.0)
    sharp = np.exp(TAUGHT_SHARPNESS * shown / np.percentile(high - zero, 99.0))
    expected = sharp / sharp.sum(axis=1, keepdims=True)
    assert part.taught is not None
    assert 1e-6 < expected[2].min() < 0.5
    np.testing.assert_allclose(part.taught.numpy(), expected[[2, 5]], rtol=1e-4)


def test_the_network_runs_on_its_device_and_all_else_on_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = learner(SpikingSettings(duration=20.0))
    inputs = made.part(SAMPLES).inputs
    expected = made.answer(tensors(drawn()), inputs, 1)
    # "meta" is a device without numbers: what is asked of it is answered by the engine.
    respond, seen = spiking_learner.respond, set[str]()

    def there(
        schedule: Schedule, values: Mapping[str, Tensor], encoded: Encoded, **told: Any
    ) -> Response:
        seen.update(value.device.type for value in values.values())
        return respond(schedule, made.form.to_model(tensors(drawn())), encoded, **told)

    monkeypatch.setattr(spiking_learner, "respond", there)
    made.device = "meta"
    found = made.answer(tensors(drawn()), inputs, 1)
    assert seen == {"meta"}
    np.testing.assert_array_equal(found.logits.numpy(), expected.logits.numpy())
