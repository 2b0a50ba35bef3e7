"""Several candidates at once: each as if it were alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.oracles import fork, random_parameters

from volr.models.activations import ReLU
from volr.models.samples import Samples
from volr.training import TrainingSettings
from volr.training.artificial_learner import ArtificialLearner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.training.backpropagation import Stack

NETWORK = fork(4, 3, 6, 5)
STARTS = [
    random_parameters(NETWORK, np.random.default_rng(seed), weight=0.3, bias=0.1)
    for seed in range(3)
]
SAMPLES = Samples(
    np.random.default_rng(7).random((160, 4)), np.random.default_rng(8).integers(0, 5, 160)
)


def begin(
    starts: Sequence[Mapping[str, Floats]], settings: TrainingSettings
) -> Stack[ArtificialModel]:
    learner = ArtificialLearner(NETWORK, ReLU(), settings.batch_size)
    return learner.begin(SAMPLES, starts, settings)


def descend(candidates: Stack[ArtificialModel], updates: range, rate: float) -> None:
    order = np.arange(8 * updates.start, 8 * updates.stop)
    candidates.descend(order, [rate] * len(updates))


@pytest.mark.parametrize(
    "settings",
    [
        TrainingSettings(batch_size=8, learning_rate=0.01, weight_decay=0.1),
        TrainingSettings(batch_size=8, optimizer="sgd", momentum=0.9, weight_decay=0.01),
        TrainingSettings(batch_size=8, optimizer="sgd"),
    ],
    ids=["adam", "momentum", "sgd"],
)
@pytest.mark.parametrize("index", range(3))
def test_the_one_that_is_kept_is_as_if_it_had_always_been_alone(
    settings: TrainingSettings, index: int
) -> None:
    kept = begin(STARTS, settings)
    descend(kept, range(10), settings.rate)
    kept.keep(index)
    descend(kept, range(10, 20), settings.rate)
    alone = begin([STARTS[index]], settings)
    descend(alone, range(20), settings.rate)
    np.testing.assert_allclose(kept.losses(), alone.losses(), rtol=2e-5)
    for each in (kept, alone):
        each.remember(np.array([True]))
    for name, expected in alone.model().parameters.items():
        assert expected.shape == STARTS[index][name].shape
        assert np.abs(expected - STARTS[index][name]).max() > 1e-3
        np.testing.assert_allclose(kept.model().parameters[name], expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("index", range(3))
def test_what_is_remembered_of_each_is_its_own(index: int) -> None:
    settings = TrainingSettings(batch_size=8)
    candidates = begin(STARTS, settings)
    descend(candidates, range(5), 0.01)
    candidates.remember(np.array([True, True, False]))
    descend(candidates, range(5, 10), 0.01)
    candidates.remember(np.array([True, False, False]))
    candidates.keep(index)
    alone = begin([STARTS[index]], settings)
    descend(alone, range([10, 5, 0][index]), 0.01)
    alone.remember(np.array([True]))
    for name, expected in alone.model().parameters.items():
        found = candidates.model().parameters[name]
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def test_losses_are_summed_since_the_last_call() -> None:
    candidates = begin(STARTS, TrainingSettings(batch_size=8))
    loss, accuracy = candidates.measure(np.arange(16))
    assert accuracy.shape == (3,)
    candidates.descend(np.arange(16), [1e-12, 1e-12])
    np.testing.assert_allclose(candidates.losses() / 16, loss, rtol=1e-5)
    assert candidates.losses().tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(candidates.measure(np.arange(0))).all()


def test_a_candidate_with_an_infinite_parameter_is_found() -> None:
    weight = STARTS[1]["dense_1->dense_3.weight"].copy()
    weight[2, 0] = np.inf
    broken = {**STARTS[1], "dense_1->dense_3.weight": weight}
    candidates = begin([STARTS[0], broken, STARTS[2]], TrainingSettings())
    assert candidates.finite().tolist() == [True, False, True]
    candidates.keep(1)
    assert candidates.finite().tolist() == [False]
