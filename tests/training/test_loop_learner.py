"""The loop's learner: measured counts forwards, the rate model backwards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.oracles import PlainSimulator, chain, fork, random_parameters

from volr.backends.base import Record, Recordings
from volr.engine.reference import simulate
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.parameters import bias_name
from volr.models.samples import Samples
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.training import SpikingSettings
from volr.training.backpropagation import TensorSamples
from volr.training.loop_learner import LoopLearner, input_counts
from volr.training.losses import losses
from volr.training.rate_model import LEAST, TAIL, charge, current_unit, membrane_slope
from volr.training.spiking_units import SHARPNESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike
    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.models.model import Readout, SpikingModel
    from volr.models.spike_trains import SpikeTrains
    from volr.network import Network

NETWORK = fork(5, 4, 3, 2)
INPUTS = np.random.default_rng(1).random((7, 5))
LABELS = np.array([0, 1, 1, 0, 1, 0, 0])
SAMPLES = Samples(INPUTS, LABELS)
DURATION = 40.0


class Counting(PlainSimulator):
    """Remembers how many stimuli, and how large a network, each run had."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, int]] = []

    def run(
        self, model: SpikingModel, stimuli: ArrayLike | SpikeTrains, **others: Any
    ) -> Recordings:
        self.runs.append((len(np.asarray(stimuli)), model.network.neuron_count))
        return super().run(model, stimuli, **others)


def learner(settings: SpikingSettings, network: Network = NETWORK) -> LoopLearner:
    return LoopLearner(network, settings, Counting(), seed=0)


def runs(made: LoopLearner) -> list[tuple[int, int]]:
    assert isinstance(made.simulator, Counting)
    return made.simulator.runs


def drawn(seed: int = 2, bias: float = 0.9) -> dict[str, Floats]:
    """Parameters in units of training, with which populations spike, and some neurons do not."""
    return random_parameters(NETWORK, np.random.default_rng(seed), weight=0.25, bias=bias)


def tensors(values: dict[str, Floats]) -> dict[str, Tensor]:
    """Float32, and leaves."""
    return {
        name: torch.tensor(value, dtype=torch.float32, requires_grad=True)
        for name, value in values.items()
    }


def f(z: Floats) -> Floats:
    return TAIL * np.logaddexp(0.0, z / TAIL)


def where_on_the_curve(z: Floats, spikes: Floats) -> Floats:
    """The higher of z and f⁻¹(spikes), which is nowhere for a silent neuron; not below where f′ is
    as small as it may be.
    """
    with np.errstate(divide="ignore"):
        found = np.maximum(z, TAIL * np.log(np.expm1(spikes / TAIL)))
    return np.maximum(found, TAIL * np.log(LEAST / (1.0 - LEAST)))


def modelled_loss(
    start: dict[str, Floats], measured: dict[str, Floats], settings: SpikingSettings
) -> Callable[[dict[str, Floats]], float]:
    """Loss and penalty of the rate model as a function of parameters, through what was measured."""
    neuron = settings.neuron
    middle = (neuron.v_thresh + neuron.v_reset) / 2.0
    lift = (middle - neuron.v_rest) / (neuron.v_thresh - neuron.v_reset)

    def charges(name: str, values: dict[str, Floats], counts: dict[str, Floats]) -> Floats:
        z = (values[f"{name}.bias"] - lift) * DURATION / neuron.tau_m
        for p in NETWORK.projections:
            if p.target == name:
                z = z + counts[p.source] @ values[f"{p.source}->{name}.weight"].T
        return z

    def loss(values: dict[str, Floats]) -> float:
        counts = dict(measured)
        penalty = 0.0
        for name in ("dense_1", "dense_2", "dense_3"):
            before = charges(name, start, measured)
            moved = charges(name, values, counts) - before
            if settings.readout == "membrane" and name == "dense_3":
                # The response of a leaky integrator to a constant current, averaged over time.
                time = np.linspace(0.0, DURATION, 20_001)
                share = float(np.mean(1.0 - np.exp(-time / neuron.tau_m)))
                theta = neuron.v_thresh - neuron.v_reset
                counts[name] = measured[name] + moved * theta * share * neuron.tau_m / DURATION
                continue
            point = where_on_the_curve(before, measured[name])
            counts[name] = measured[name] + f(point + moved) - f(point)
            if name != "dense_3":
                floor = settings.rate_floor * DURATION / 1000.0
                missing = np.maximum(1.0 - counts[name].mean(axis=0) / floor, 0.0)
                penalty += settings.rate_penalty * float(np.mean(missing**2))
        # With conductances populations may be as fast as a transfer makes them.
        rate = 1000.0 if isinstance(neuron, IFCondExp) else settings.input_coding.rate_max
        full = rate * DURATION / 1000.0
        scale = full if settings.readout == "count" else neuron.v_thresh - neuron.v_reset
        z = SHARPNESS * counts["dense_3"] / scale
        right = z[np.arange(len(z)), LABELS]
        return float(np.mean(np.log(np.exp(z).sum(axis=1)) - right)) + penalty

    return loss


@pytest.mark.parametrize(
    ("neuron", "readout"),
    [(IFCurrDelta(v_reset=-68.0), "count"), (IFCurrExp(), "membrane"), (IFCondExp(), "count")],
    ids=["delta", "membrane", "cond"],
)
def test_the_gradient_is_the_rate_models_at_the_measured_rates(
    neuron: NeuronModel, readout: Readout
) -> None:
    settings = SpikingSettings(
        neuron=neuron,
        # Fast enough that every input spikes, with conductances too.
        coding=ConstantCurrent(500.0),
        duration=DURATION,
        readout=readout,
        rate_floor=200.0,
        rate_penalty=0.5,
    )
    some = drawn()
    # One that fires for some stimuli only, one that is nearly silent, and one far from a spike.
    some["dense_1.bias"][:2] = [-1.5, -4.0]
    some["dense_3.bias"][0] = -12.0
    made, values = learner(settings), tensors(some)
    answer = made.answer(values, made.part(SAMPLES).inputs, 1)
    loss = losses("cross_entropy", answer.logits, torch.tensor(LABELS)).mean() + answer.penalty
    loss.backward()

    start = {name: value.detach().double().numpy() for name, value in values.items()}
    trace = simulate(made.model(values), INPUTS)
    measured = {name: spikes.sum(axis=0).astype(float) for name, spikes in trace.spikes.items()}
    if readout == "membrane":
        measured["dense_3"] = trace.membranes["dense_3"].mean(axis=0) - neuron.v_rest
    modelled = modelled_loss(start, measured, settings)
    assert loss.item() == pytest.approx(modelled(start), rel=1e-5)
    # Silent neurons and firing ones, and both sides of the floor.
    assert (measured["dense_1"] == 0).any()
    assert (measured["dense_1"] > 3).any()
    assert 0 < torch.as_tensor(answer.penalty).item() < 1.0

    step = 1e-5
    for name, value in start.items():
        found = values[name].grad
        assert found is not None
        assert (found != 0).all()
        for index in np.ndindex(value.shape):
            up, down = value.copy(), value.copy()
            up[index] += step
            down[index] -= step
            slope = modelled({**start, name: up}) - modelled({**start, name: down})
            assert float(found[index]) == pytest.approx(slope / (2 * step), rel=2e-3, abs=2e-6)


def test_a_silent_neuron_still_learns() -> None:
    values = drawn()
    values["input->dense_1.weight"] *= 0.2
    values["dense_1.bias"][:] = -3.0
    made, leaves = learner(SpikingSettings(rate_penalty=0.0, duration=DURATION)), tensors(values)
    assert simulate(made.model(leaves), INPUTS).spikes["dense_1"].sum() == 0
    answer = made.answer(leaves, made.part(SAMPLES).inputs, 1)
    losses("cross_entropy", answer.logits, torch.tensor(LABELS)).mean().backward()
    found = leaves["dense_1.bias"].grad
    assert found is not None
    assert (found != 0).all()


def test_a_stimulus_that_occurs_again_is_simulated_once() -> None:
    made = learner(SpikingSettings(duration=DURATION))
    rows = torch.tensor([3, 0, 3, 3, 6, 0])
    inputs = made.part(SAMPLES).inputs
    repeated = made.answer(tensors(drawn()), inputs[rows], 1).logits
    assert torch.equal(repeated, made.answer(tensors(drawn()), inputs, 1).logits[rows])
    assert [stimuli for stimuli, _ in runs(made)] == [3, 7]


def test_random_input_is_drawn_anew_for_every_batch_from_the_seed() -> None:
    def batches() -> list[Tensor]:
        made = learner(SpikingSettings(coding=Poisson(400.0), dt=1.0, duration=DURATION))
        inputs = made.part(SAMPLES).inputs[[0, 0, 1]]
        return [made.answer(tensors(drawn()), inputs, 1).logits for _ in range(2)]

    first, second = batches()
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    assert all(map(torch.equal, batches(), [first, second]))


@pytest.mark.parametrize("coding", [SpikingSettings().input_coding, Poisson(300.0)])
def test_the_inputs_counts_are_those_of_the_simulators(coding: Poisson) -> None:
    made = learner(SpikingSettings(coding=coding, duration=DURATION))
    model = made.model(tensors(drawn()))
    found = PlainSimulator().run(model, INPUTS, record=Record(counts=("input",)), seed=5)
    np.testing.assert_array_equal(input_counts(model, INPUTS, 5)["input"], found.counts["input"])
    assert found.counts["input"].max() > 5


@pytest.mark.parametrize("least", [0, 10**9], ids=["one after the other", "side by side"])
def test_candidates_answer_as_if_each_were_alone(
    least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("volr.training.side_by_side.MOST_SYNAPSES", least)
    made = learner(SpikingSettings(duration=DURATION))
    inputs = made.part(SAMPLES).inputs
    each = [drawn(2), drawn(3)]
    stacked = {name: torch.stack([tensors(e)[name] for e in each]) for name in each[0]}
    together = made.answer(stacked, inputs, 2)
    assert [neurons for _, neurons in runs(made)] == ([14, 14] if least == 0 else [5 + 2 * 9])
    assert made.slower(2) == (1.0 if least == 0 else 0.0)
    for index, values in enumerate(each):
        alone = made.answer(tensors(values), inputs, 1)
        assert torch.equal(together.logits[index], alone.logits)
        assert torch.equal(torch.as_tensor(together.penalty)[index], torch.as_tensor(alone.penalty))


def test_a_candidate_that_diverged_says_so_and_leaves_the_other_alone() -> None:
    made = learner(SpikingSettings(duration=DURATION))
    inputs = made.part(SAMPLES).inputs
    each = [tensors(drawn(2)), tensors(drawn(3))]
    stacked = {name: torch.stack([e[name] for e in each]).detach() for name in each[0]}
    for value in stacked.values():
        value[0] = float("nan")
    logits = made.answer(stacked, inputs, 2).logits
    assert logits[0].isnan().all()
    assert torch.equal(logits[1], made.answer(each[1], inputs, 1).logits)


def test_activity_is_that_of_the_first_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volr.training.loop_learner._LOOKED_AT", 4)
    values = drawn()
    values["dense_1.bias"][2] = -9.0
    made = learner(SpikingSettings(duration=DURATION))
    part = made.part(SAMPLES)
    found = made.activity(tensors(values), TensorSamples(part.inputs, part.labels))
    assert [stimuli for stimuli, _ in runs(made)] == [4]
    spikes = simulate(made.model(tensors(values)), INPUTS[:4]).spikes
    for name in ("dense_1", "dense_2"):
        counts = spikes[name].sum(axis=0)
        assert found.dead[name] == (counts.sum(axis=0) == 0).sum()
        assert found.rates[name] == pytest.approx(counts.mean() / 0.040, rel=1e-6)
    assert found.dead["dense_1"] > 0


def test_it_starts_as_training_in_the_engine_does() -> None:
    pytest.importorskip("numba")
    from volr.training.spiking_learner import SpikingLearner

    settings = SpikingSettings(neuron=IFCurrExp(), dt=0.5)
    network = chain(5, 8, 2)
    one, other = (
        made.starts(SAMPLES, 2, np.random.default_rng(4))
        for made in (learner(settings, network), SpikingLearner(network, settings, seed=0))
    )
    for name, value in one[1].items():
        np.testing.assert_array_equal(value, other[1][name])
        assert not np.array_equal(value, one[0][name]) or name.endswith("bias")


def test_without_leak_the_rate_model_is_the_limit_of_a_weak_leak() -> None:
    network, values = (
        NETWORK,
        random_parameters(NETWORK, np.random.default_rng(4), weight=1.0, bias=0.0),
    )
    counts = {
        name: torch.full((2, network[name].size), 3.0, dtype=torch.float64)
        for name in network.by_name
    }
    population = network.layers[0]
    found: list[tuple[Floats, float]] = []
    for tau_m in (math.inf, 1e6):
        neuron = IFCurrDelta(tau_m=tau_m, i_offset=0.2, cm=0.5, v_reset=-66.0)
        unit = current_unit(neuron, DURATION)
        told = {name: torch.tensor(value) for name, value in values.items()}
        # The same current, 0.3 nA, in units of either.
        told[bias_name(population)] = torch.full(
            (population.size,), 0.3 / unit, dtype=torch.float64
        )
        z = charge(network, population, told, counts, neuron, DURATION)
        found.append((z.numpy(), membrane_slope(neuron, DURATION)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-4)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-4) == 8.0
