"""Stairs in training: their values and gradients by formula, and networks that learn with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.quantisation.test_heights import model_of

from volr.backends.reference import forward
from volr.backends.torch.plan import logits, plan_of
from volr.errors import TrainingError, UnsupportedError
from volr.language import to_network
from volr.models.activations import ReLU, Staircase, Tanh
from volr.models.samples import Samples
from volr.training import SpikingSettings, TrainingSettings, train_ann, train_snn
from volr.training.artificial_learner import ArtificialLearner
from volr.training.stairs import Stairs
from volr.training.trained_pass import TrainedPass

RESIDUAL = "conv [1 5 6] 3 3 ⦶ ((conv _ 3 3 pad:1) ⊕ id _) ⦶ maxpool _ 2 ⦶ dense _ 4 ⦶ dense _ 2"


def separable(count: int = 300) -> Samples:
    inputs = np.random.default_rng(0).random((count, 3))
    return Samples(inputs, (inputs[:, 0] + inputs[:, 1] > 2 * inputs[:, 2]).astype(np.int64))


def test_the_heights_are_by_unit_or_channel_and_shared_along_identities() -> None:
    stairs = Stairs.of(to_network(RESIDUAL), 8)
    assert dict(stairs.names) == {
        "conv_1": ("conv_1.height", 3),
        "conv_2": ("conv_1.height", 3),
        "dense_4": ("dense_4.height", 4),
    }
    beside = Stairs.of(to_network("(dense 4 4 ⊕ id 4) ⦶ dense 4 2"), 8)
    assert dict(beside.names) == {"dense_1": ("dense_1.height", 1)}


@pytest.mark.parametrize("candidates", [1, 3])
def test_values_and_gradients_are_those_of_the_formulas(candidates: int) -> None:
    network = to_network("dense 2 3 ⦶ dense 3 2")
    stairs, plan = Stairs.of(network, 4), plan_of(network, ReLU())
    step = plan.steps[0]
    shape = (3,) if candidates == 1 else (candidates, 3)
    log_heights = torch.linspace(-1.0, 0.5, 3 * candidates, dtype=torch.float64).reshape(shape)
    log_heights.requires_grad_()
    z = torch.linspace(-1.0, 9.0, 15 * candidates, dtype=torch.float64)
    z = z.reshape(*shape[:-1], 5, 3).requires_grad_()
    sent = stairs.sent(step, z, {"dense_1.height": log_heights})
    height = log_heights.detach().exp().numpy()[..., None, :]
    ratio = z.detach().numpy() / height
    level = np.clip(np.floor(ratio + 0.5), 0, 4)
    assert np.allclose(sent.detach().numpy(), level * height)
    weights = torch.arange(1.0, z.numel() + 1, dtype=torch.float64).reshape(z.shape)
    (sent * weights).sum().backward()
    inside = (ratio > 0) & (ratio < 4)
    assert z.grad is not None
    assert np.allclose(z.grad.numpy(), weights.numpy() * inside)
    by_height = np.where(inside, level - ratio, np.where(ratio >= 4, 4.0, 0.0))
    assert log_heights.grad is not None
    expected = (by_height * weights.numpy() * height).sum(axis=-2)
    assert np.allclose(log_heights.grad.numpy(), expected)


def test_what_is_trained_is_what_the_whole_numbers_compute() -> None:
    model = model_of(RESIDUAL)
    stimuli = np.random.default_rng(2).random((60, 30)).astype(np.float32).astype(np.float64)
    stairs = Stairs.of(model.network, 16)
    values = {**model.parameters, **stairs.start(model.parameters, stimuli)}
    tensors = {name: torch.tensor(each) for name, each in values.items()}
    through = TrainedPass(1, {}, stairs=stairs, values=tensors)
    plan = plan_of(model.network, ReLU())
    found = logits(plan, tensors, stairs.taken(torch.tensor(stimuli)), through).numpy()
    whole = forward(stairs.whole(values), stimuli)
    scale = (whole * found).sum() / (whole * whole).sum()
    # Weights were rounded: a value at an edge may fall on its other side.
    off = np.abs(whole * scale - found).max(axis=1) / np.abs(found).max()
    assert np.median(off) < 1e-3
    assert off.max() < 0.1


def test_a_network_learns_with_few_levels() -> None:
    samples = separable()
    network = to_network("dense 3 6 ⦶ dense 6 2")
    settings = TrainingSettings(levels=4, epochs=15, candidates=3, learning_rate=2e-2)
    trained = train_ann(network, samples, settings)
    assert isinstance(trained.model.activation, Staircase)
    assert trained.model.activation.levels == 4
    accuracy = (forward(trained.model, samples.inputs).argmax(axis=1) == samples.labels).mean()
    assert accuracy > 0.9
    again = train_ann(network, samples, settings)
    assert again.model == trained.model


def test_training_from_a_model_keeps_it_unless_it_gets_better() -> None:
    samples = separable()
    network = to_network("dense 3 6 ⦶ dense 6 2")
    start = train_ann(network, samples, TrainingSettings(epochs=20, candidates=2)).model
    settings = TrainingSettings(levels=6, epochs=1, learning_rate=10.0, candidates=1)
    spoilt = train_ann(network, samples, settings, initial=start)
    assert spoilt.kept_epoch == 0
    learner = ArtificialLearner(network, ReLU(), 64, start, levels=6)
    [values] = learner.starts(samples, 1, np.random.default_rng(0))
    assert set(values) == {*start.parameters, "dense_1.height"}
    gentle = TrainingSettings(levels=6, epochs=15, learning_rate=1e-3)
    fine = train_ann(network, samples, gentle, initial=start)
    before, after = (
        (forward(each.model, samples.inputs).argmax(axis=1) == samples.labels).mean()
        for each in (spoilt, fine)
    )
    assert fine.kept_epoch > 0
    assert after > before - 0.02


def test_normalisation_and_dropout_go_with_stairs() -> None:
    samples = Samples(np.random.default_rng(1).random((40, 30)), np.arange(40) % 2)
    settings = TrainingSettings(
        levels=3, epochs=1, normalise="batch", dropout=0.1, shift=1, candidates=2, batch_size=8
    )
    trained = train_ann(to_network(RESIDUAL), samples, settings)
    assert set(trained.model.parameters) == set(model_of(RESIDUAL).parameters)


def test_what_has_no_stairs_is_refused() -> None:
    samples, network = separable(40), to_network("dense 3 4 ⦶ dense 4 2")
    with pytest.raises(TrainingError, match="levels is 1"):
        TrainingSettings(levels=1)
    with pytest.raises(TrainingError, match="levels are those of relu, and the activation is tanh"):
        TrainingSettings(levels=4, activation=Tanh())
    with pytest.raises(TrainingError, match="takes no levels"):
        train_snn(network, samples, TrainingSettings(levels=4), SpikingSettings())
    pooled = to_network("conv [1 1 3] 2 1 ⦶ maxpool _ 1")
    with pytest.raises(UnsupportedError, match="takes the largest"):
        train_ann(pooled, samples, TrainingSettings(levels=4))
