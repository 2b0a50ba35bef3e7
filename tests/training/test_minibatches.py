"""How many candidates there are, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from tests.oracles import chain

from volr.models.activations import ReLU
from volr.training import SpikingSettings, TrainingSettings
from volr.training.artificial_learner import ArtificialLearner
from volr.training.minibatches import probation
from volr.training.spiking_learner import SpikingLearner

if TYPE_CHECKING:
    from volr.network import Network


def probation_of(network: Network, settings: TrainingSettings, updates: int) -> tuple[int, int]:
    """That of an artificial network."""
    learner = ArtificialLearner(network, ReLU(), settings.batch_size)
    return probation(learner, settings, updates)


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
    assert probation(learner, settings, 3_000) == (16, 20)
    assert probation(learner, settings, 149) == (1, 149)
