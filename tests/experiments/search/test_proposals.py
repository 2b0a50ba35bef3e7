"""What is proposed: a function of the trials and the seed, inside the space, and to the point."""

from __future__ import annotations

import math
import statistics

import pytest

from volr.errors import MissingError
from volr.experiments.search import proposals
from volr.experiments.search.proposals import propose, require_optuna, weights
from volr.experiments.search.space import Choice, Range
from volr.experiments.search.trial import Trial, best

pytest.importorskip("optuna")

SPACE = (
    Range("learning_rate", 1.23456789e-4, 0.0987654321, log=True, whole=False),
    Range("epochs", 2, 9, log=False, whole=True),
    Choice("dt", (0.1, 0.5)),
    Choice("reset", ("hard", "subtract")),
)


def score(values: dict[str, object]) -> float:
    """Highest, 0, at a learning rate of 0.003; the step hardly matters, the rest not at all."""
    rate, dt = values["learning_rate"], values["dt"]
    assert isinstance(rate, float)
    assert isinstance(dt, float)
    return -abs(math.log10(rate / 0.003)) - 0.01 * dt


def search(batches: int, seed: int) -> list[Trial]:
    """Batches of six: a third pruned, the fourth failed, so that every state is told."""
    trials: list[Trial] = []
    for _ in range(batches):
        for index, values in enumerate(propose(SPACE, trials, 6, seed)):
            found = score(dict(values))
            state = "failed" if index == 3 else "pruned" if index in {1, 4} else "finished"
            scores = {"failed": (), "pruned": (found,), "finished": (found, found)}[state]
            trials.append(Trial(number=len(trials), values=values, state=state, scores=scores))
    return trials


def test_proposals_lie_in_the_space_and_are_short_numbers() -> None:
    trials = search(5, seed=1)
    rates = [each.values["learning_rate"] for each in trials]
    for each in trials:
        rate, epochs = each.values["learning_rate"], each.values["epochs"]
        assert isinstance(rate, float)
        assert 1.23456789e-4 <= rate <= 0.0987654321
        assert rate == float(f"{rate:.4g}") or rate in {1.23456789e-4, 0.0987654321}
        assert isinstance(epochs, int)
        assert 2 <= epochs <= 9
        assert each.values["dt"] in {0.1, 0.5}
        assert each.values["reset"] in {"hard", "subtract"}
        assert list(each.values) == ["learning_rate", "epochs", "dt", "reset"]
    assert len(set(rates)) > 20


def test_the_same_trials_and_seed_lead_to_the_same_proposals() -> None:
    trials = search(4, seed=1)
    assert search(4, seed=1) == trials
    assert search(1, seed=2) != trials[:6]
    # A shorter batch is the beginning of a longer one.
    assert propose(SPACE, trials, 6, 1)[:2] == propose(SPACE, trials, 2, 1)


def test_what_was_found_is_used() -> None:
    for seed in (1, 2, 3):
        trials = search(10, seed)
        late = statistics.fmean(score(dict(each.values)) for each in trials[-24:])
        # The mean over the range of |log10(rate / 0.003)|, which blind trials would have, is 0.73.
        assert late > -0.5
        top = best(trials)
        assert top is not None
        assert top.scores[-1] > -0.2


def test_the_parameter_that_matters_is_named() -> None:
    trials = search(6, seed=1)
    found = weights(SPACE, trials)
    assert next(iter(found)) == "learning_rate"
    assert found["learning_rate"] > 0.8
    assert sum(found.values()) == pytest.approx(1.0)
    assert weights(SPACE, trials[:8]) == {}
    even = [
        Trial(number=n, values=t.values, state="pruned", scores=(0.5,))
        for n, t in enumerate(trials)
    ]
    assert weights(SPACE, even) == {}


def test_the_best_is_the_first_of_those_that_were_measured_in_full() -> None:
    def trial(number: int, state: str, *scores: float) -> Trial:
        return Trial(number=number, values={}, state=state, scores=scores)  # type: ignore[arg-type]

    trials = [
        trial(0, "pruned", 0.99),
        trial(1, "finished", 0.5, 0.8),
        trial(2, "finished", 0.9, 0.8),
        trial(3, "failed"),
        trial(4, "finished", 0.9, 0.7),
    ]
    assert best(trials) == trials[1]
    assert best(trials[3:4]) is None


def test_without_optuna_there_is_a_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    require_optuna()
    monkeypatch.setattr(proposals, "find_spec", {}.get)
    with pytest.raises(MissingError, match=r"pip install 'volr\[search\]'"):
        require_optuna()
