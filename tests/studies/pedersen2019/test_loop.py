"""The original's loop: its gradient, its clipping, and that it is a function of the seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from studies.pedersen2019.loop import backpropagated, train_original
from studies.pedersen2019.recipe import ORIGINAL, recipe_initial
from studies.pedersen2019.transfer import NEURON, stripped, unscaled
from tests.needs import needs_nest, needs_numba
from tests.oracles import PlainSimulator, chain, fork, random_parameters

from volr.backends.base import Record
from volr.backends.engine import EngineSimulator
from volr.backends.nest import NestSimulator
from volr.errors import TrainingError
from volr.models.model import ArtificialModel
from volr.models.samples import Samples
from volr.transfer import TransferSettings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from studies.pedersen2019.loop import LoopTraining

    from volr.backends.base import Progress, Recordings, Simulator
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import SpikeTrains

SHORT = TransferSettings(neuron=NEURON, dt=1.0, duration=25.0)
NETWORK = fork(3, 4, 2, 3)


def start(seed: int = 0) -> ArtificialModel:
    found = recipe_initial(NETWORK, ORIGINAL, seed)
    assert found is not None
    return found


def samples(count: int = 70) -> Samples:
    random = np.random.default_rng(1)
    return Samples(random.random((count, 3)), random.integers(0, 3, count))


def test_where_counts_are_relus_the_gradient_is_autograds() -> None:
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(3)
    weights = random_parameters(NETWORK, random, weight=0.4, bias=0.0)
    names = [name for name in weights if name.endswith("weight")]
    leaves = {name: torch.tensor(weights[name], requires_grad=True) for name in names}
    shown = {"input": torch.tensor(random.random((9, 3)))}
    for name in ("dense_1", "dense_2"):
        shown[name] = torch.relu(shown["input"] @ leaves[f"input->{name}.weight"].T)
    shown["dense_3"] = torch.relu(
        sum(shown[name] @ leaves[f"{name}->dense_3.weight"].T for name in ("dense_1", "dense_2"))
    )
    labels = random.integers(0, 3, 9)
    expected = torch.nn.functional.cross_entropy(shown["dense_3"], torch.tensor(labels))
    torch.autograd.backward(expected)
    counts = {name: each.detach().numpy() for name, each in shown.items()}
    assert (counts["dense_1"] == 0).any()
    loss, gradients = backpropagated(NETWORK, weights, counts, labels)
    assert loss == pytest.approx(expected.item())
    assert set(gradients) == set(names)
    for name in names:
        np.testing.assert_allclose(gradients[name], leaves[name].grad.numpy(), atol=1e-12)


def test_counts_far_apart_do_not_overflow() -> None:
    network = chain(2, 2)
    counts = {"input": np.array([[3, 4]]), "dense_1": np.array([[9000, 1]])}
    weights = {"input->dense_1.weight": np.ones((2, 2))}
    loss, gradients = backpropagated(network, weights, counts, np.array([1]))
    assert np.isfinite(loss)
    np.testing.assert_allclose(gradients["input->dense_1.weight"], [[3, 4], [-3, -4]])


def test_an_update_is_the_gradient_at_what_the_simulator_counted() -> None:
    # One batch: 64 of 64 samples, in whatever order.
    given, begun = samples(64), start()
    trained = train_original(begun, given, PlainSimulator(), SHORT, 0)
    model = unscaled(stripped(begun, ORIGINAL), SHORT)
    trace = PlainSimulator().run(
        model, given.inputs, record=Record(tuple(each.name for each in NETWORK.populations))
    )
    loss, gradients = backpropagated(NETWORK, begun.parameters, trace.counts, given.labels)
    assert trained.losses == pytest.approx((loss,))
    assert any(each.any() for each in gradients.values())
    for name, gradient in gradients.items():
        expected = begun.parameters[name] - 0.1 * gradient
        np.testing.assert_allclose(trained.weights.parameters[name], expected, atol=1e-12)
    for name, each in unscaled(stripped(trained.weights, ORIGINAL), SHORT).parameters.items():
        np.testing.assert_array_equal(trained.model.parameters[name], each)


class Counting(PlainSimulator):
    """Knows how many stimuli it was asked for, run by run."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(
        self,
        model: SpikingModel,
        stimuli: ArrayLike | SpikeTrains,
        *,
        record: Record = Record(),
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        self.sizes.append(len(np.asarray(stimuli)))
        return super().run(model, stimuli, record=record, seed=seed, first=first, progress=progress)


def test_stimuli_that_are_the_same_are_simulated_once() -> None:
    corners = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]])[np.arange(70) % 2]
    counting = Counting()
    told: list[tuple[int, int]] = []
    trained = train_original(
        start(),
        Samples(corners, np.arange(70) % 2),
        counting,
        SHORT,
        0,
        epochs=2,
        progress=lambda done, total, _: told.append((done, total)),
    )
    # Batches of 64 and 6, twice.
    assert counting.sizes == [2, 2, 2, 2]
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert len(trained.losses) == 4


def test_weights_are_clipped_and_biases_left_alone() -> None:
    weights = {
        name: each * 150.0 if name.endswith("weight") else each + 2.0
        for name, each in start().parameters.items()
    }
    begun = ArtificialModel(NETWORK, weights)
    trained = train_original(begun, samples(), PlainSimulator(), SHORT, 0)
    values = trained.weights.parameters
    assert max(np.abs(each).max() for each in weights.values()) > 150.0
    for name, each in values.items():
        if name.endswith("weight"):
            assert np.abs(each).max() <= 100.0
        else:
            np.testing.assert_array_equal(each, weights[name])
    assert any((np.abs(each) == 100.0).any() for each in values.values())
    assert not any(
        each.any() for name, each in trained.model.parameters.items() if name.endswith("bias")
    )


def test_the_seed_draws_the_order() -> None:
    made = [train_original(start(), samples(), PlainSimulator(), SHORT, seed) for seed in (1, 1, 2)]
    assert made[0].losses == made[1].losses
    assert made[0].losses != made[2].losses


def test_samples_have_to_fit() -> None:
    with pytest.raises(TrainingError, match="4 values, and the network takes 3"):
        train_original(
            start(), Samples(np.zeros((2, 4)), np.array([0, 1])), PlainSimulator(), SHORT, 0
        )


@needs_numba
@needs_nest
def test_on_nest_it_learns_what_it_does_on_the_engine() -> None:
    def trained(simulator: Simulator) -> LoopTraining:
        return train_original(start(5), samples(), simulator, SHORT, 3)

    on_engine = trained(EngineSimulator())
    with NestSimulator(1) as nest:
        on_nest = trained(nest)
    assert on_engine.losses == on_nest.losses
    for name, each in on_engine.weights.parameters.items():
        np.testing.assert_array_equal(on_nest.weights.parameters[name], each)
