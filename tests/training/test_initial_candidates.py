"""Several candidates at once: each as if it were alone, and for a bounded time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from tests.oracles import chain, fork, random_parameters

from volr.backends.torch.module import logits, plan_of
from volr.models.activations import ReLU
from volr.training import SpikingSettings, TrainingSettings
from volr.training.artificial_learner import ArtificialLearner
from volr.training.initial_candidates import Candidates, all_finite, begin, improved, keep
from volr.training.losses import losses
from volr.training.minibatches import probation
from volr.training.spiking_learner import SpikingLearner

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.network import Network

NETWORK = fork(4, 3, 6, 5)
STARTS = [
    random_parameters(NETWORK, np.random.default_rng(seed), weight=0.3, bias=0.1)
    for seed in range(3)
]


def descend(candidates: Candidates, updates: range) -> None:
    plan, count = plan_of(NETWORK, ReLU()), len(candidates.numbers)
    for update in updates:
        rng = np.random.default_rng(update)
        x = torch.tensor(rng.random((8, 4)), dtype=torch.float32)
        x = x.expand(count, 8, 4) if count > 1 else x
        labels = torch.tensor(rng.integers(0, 5, 8))
        candidates.optimizer.zero_grad()
        each = losses("cross_entropy", logits(plan, candidates.values, x), labels)
        each.mean(dim=-1).sum().backward()
        candidates.optimizer.step()


def arrays(candidates: Candidates) -> dict[str, Floats]:
    return {name: value.detach().numpy() for name, value in candidates.values.items()}


@pytest.mark.parametrize(
    "settings",
    [
        TrainingSettings(learning_rate=0.01, weight_decay=0.1),
        TrainingSettings(optimizer="sgd", momentum=0.9, weight_decay=0.01),
        TrainingSettings(optimizer="sgd"),
    ],
    ids=["adam", "momentum", "sgd"],
)
@pytest.mark.parametrize("index", range(3))
def test_the_one_that_is_kept_is_as_if_it_had_always_been_alone(
    settings: TrainingSettings, index: int
) -> None:
    together = begin(STARTS, settings)
    descend(together, range(10))
    kept = keep(together, index, settings)
    assert kept.numbers.tolist() == [index]
    descend(kept, range(10, 20))
    alone = begin([STARTS[index]], settings)
    descend(alone, range(20))
    for name, expected in arrays(alone).items():
        assert expected.shape == STARTS[index][name].shape
        assert np.abs(expected - STARTS[index][name]).max() > 1e-3
        np.testing.assert_allclose(arrays(kept)[name], expected, rtol=2e-5, atol=2e-6)


def test_the_best_epoch_of_each_has_the_highest_accuracy_and_then_the_lowest_loss() -> None:
    candidates = begin(STARTS, TrainingSettings())
    #            loss on training, loss on validation, accuracy on validation
    first = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.5, 0.5, 0.5]])
    second = np.array([[1.0, 1.0, 1.0], [2.0, 0.9, 1.1], [0.6, 0.5, 0.5]])
    sound = np.array([True, True, True])
    best = improved(candidates, first, sound)
    assert best.epoch.tolist() == [1, 1, 1]
    candidates = Candidates(
        candidates.numbers,
        {name: value + 1.0 for name, value in candidates.values.items()},
        candidates.optimizer,
        candidates.losses,
        (first,),
        best,
    )
    best = improved(candidates, second, sound)
    assert best.epoch.tolist() == [2, 2, 1]
    assert best.accuracy.tolist() == [0.6, 0.5, 0.5]
    assert best.loss.tolist() == [2.0, 0.9, 1.0]
    bias = best.values["dense_2.bias"].numpy()
    for index, moved in enumerate([1.0, 1.0, 0.0]):
        np.testing.assert_allclose(bias[index], STARTS[index]["dense_2.bias"] + moved, rtol=1e-6)
    best = improved(candidates, second, np.array([False, True, True]))
    assert best.epoch.tolist() == [1, 2, 1]


def test_a_candidate_with_an_infinite_parameter_is_found() -> None:
    candidates = begin(STARTS, TrainingSettings())
    with torch.no_grad():
        candidates.values["dense_1->dense_3.weight"][1, 2, 0] = torch.inf
    assert all_finite(candidates).tolist() == [True, False, True]
    assert all_finite(keep(candidates, 1, TrainingSettings())).tolist() == [False]


def probation_of(network: Network, settings: TrainingSettings, updates: int) -> tuple[int, int]:
    """That of an artificial network."""
    learner = ArtificialLearner(network, ReLU(), settings.batch_size)
    return probation(learner, network, settings, updates)


def test_small_networks_keep_all_candidates_to_the_end() -> None:
    assert probation_of(chain(2, 4, 2), TrainingSettings(), 2000) == (16, 2000)


def test_probation_is_short_where_candidates_cost_something() -> None:
    settings = TrainingSettings(batch_size=128)
    candidates, together = probation_of(chain(784, 512, 10), settings, 10_000)
    # Work alone counts in such a network: fifteen more candidates for a 150th of the time.
    assert candidates == 16
    assert 10_000 * 0.1 / 15 <= together < 10_000 * 0.1 / 14


def test_one_candidate_starts_where_several_do_not_fit() -> None:
    assert probation_of(chain(4000, 4000, 10), TrainingSettings(), 10_000) == (1, 10_000)
    assert probation_of(chain(784, 512, 10), TrainingSettings(), 20) == (1, 20)
    assert probation_of(chain(2, 4, 2), TrainingSettings(candidates=1), 2000) == (1, 2000)


def test_candidates_that_run_one_after_the_other_are_soon_chosen_from() -> None:
    network, settings = chain(2, 4, 2), TrainingSettings()
    learner = SpikingLearner(network, SpikingSettings(), 0)
    # Fifteen more: a tenth more work is a 150th of the updates.
    assert probation(learner, network, settings, 3_000) == (16, 20)
    assert probation(learner, network, settings, 149) == (1, 149)
