"""Losses against their formulas, and their gradients against finite differences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.oracles import chain, fork, random_parameters

from volr.backends.reference import forward
from volr.backends.torch.module import module_from
from volr.models.activations import Activation, ReLU, Sigmoid, Tanh
from volr.models.model import ArtificialModel
from volr.training.losses import losses, taught_losses

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.network import Network
    from volr.training.settings import Loss

LOSSES: tuple[Loss, ...] = ("cross_entropy", "mse")
LABELS = [2, 0, 1, 1, 2]


def by_formula(loss: Loss, logits: list[float], label: int) -> float:
    if loss == "mse":
        wanted = [float(unit == label) for unit in range(len(logits))]
        return sum((z - w) ** 2 for z, w in zip(logits, wanted, strict=True)) / len(logits)
    return math.log(sum(math.exp(z) for z in logits)) - logits[label]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("leading", [(), (4,)])
def test_every_sample_has_the_loss_of_the_formula(loss: Loss, leading: tuple[int, ...]) -> None:
    logits = np.random.default_rng(0).normal(0.0, 3.0, (*leading, 5, 3))
    found = losses(loss, torch.tensor(logits), torch.tensor(LABELS)).numpy()
    rows = logits.reshape(-1, 3).tolist()
    expected = [by_formula(loss, z, LABELS[i % 5]) for i, z in enumerate(rows)]
    np.testing.assert_allclose(found, np.reshape(expected, (*leading, 5)), rtol=1e-12)


def test_large_logits_do_not_overflow() -> None:
    logits, labels = torch.tensor([[1e4, -1e4], [1e4, -1e4]]), torch.tensor([0, 1])
    assert losses("cross_entropy", logits, labels).tolist() == [0.0, 2e4]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", [ReLU(), Sigmoid(), Tanh()], ids=lambda each: each.name)
@pytest.mark.parametrize("network", [chain(4, 5, 2, 3), fork(4, 2, 5, 3)], ids=["chain", "fork"])
def test_gradients_are_those_of_finite_differences(
    network: Network, activation: Activation, loss: Loss
) -> None:
    rng = np.random.default_rng(3)
    parameters = random_parameters(network, rng, weight=0.6, bias=0.2)
    stimuli = rng.random((5, 4))

    def mean_loss(values: dict[str, Floats]) -> float:
        z = forward(ArtificialModel(network, values, activation), stimuli)
        return sum(by_formula(loss, *each) for each in zip(z.tolist(), LABELS, strict=True)) / 5

    module = module_from(ArtificialModel(network, parameters, activation), dtype=torch.float64)
    z = module(torch.tensor(stimuli))
    losses(loss, z, torch.tensor(LABELS)).mean().backward()
    step = 1e-6
    for name, value in module.named_values().items():
        assert value.grad is not None
        found = value.grad.numpy()
        for place in np.ndindex(*found.shape):
            nudged = {**parameters, name: parameters[name].copy()}
            nudged[name][place] += step
            above = mean_loss(nudged)
            nudged[name][place] -= 2 * step
            slope = (above - mean_loss(nudged)) / (2 * step)
            assert found[place] == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("leading", [(), (4,)])
def test_a_teachers_loss_is_the_mean_of_the_labels_losses(leading: tuple[int, ...]) -> None:
    random = np.random.default_rng(6)
    logits = random.normal(0.0, 3.0, (*leading, 5, 3))
    taught = random.dirichlet([1.0, 2.0, 3.0], size=5)
    found = taught_losses(torch.tensor(logits), torch.tensor(taught)).numpy()
    rows = logits.reshape(-1, 3).tolist()
    expected = [
        sum(taught[i % 5, label] * by_formula("cross_entropy", z, label) for label in range(3))
        for i, z in enumerate(rows)
    ]
    np.testing.assert_allclose(found, np.reshape(expected, (*leading, 5)), rtol=1e-12)
