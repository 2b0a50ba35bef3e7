"""What is tried next, as a function of the trials so far: Optuna's Parzen estimator (TPE).

Every batch has a new Optuna study, made from the trials so far and a seed. So there is no state to
keep, and the same trials lead to the same proposals. The proposals of one batch keep a distance
from each other, but do not depend on each other's results.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from volr.errors import MissingError
from volr.experiments.search.space import Choice, Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from volr.experiments.search.space import Parameter
    from volr.experiments.search.trial import Trial
    from volr.experiments.search.variation import Value

DIGITS = 4
"""Significant digits of a proposal. More digits make no difference."""
WEIGHED = 10
"""With fewer trials there are no weights."""


def propose(
    space: Sequence[Parameter], trials: Sequence[Trial], count: int, seed: int
) -> tuple[dict[str, Value], ...]:
    """``count`` sets of values to try after ``trials``; ``MissingError`` without Optuna."""
    study = _study(space, trials, seed)
    distributions = _distributions(space)
    asked = [study.ask(distributions).params for _ in range(count)]
    return tuple(
        {each.name: _rounded(values[each.name], each) for each in space} for values in asked
    )


def weights(space: Sequence[Parameter], trials: Sequence[Trial]) -> dict[str, float]:
    """How much each parameter matters on the first rung, by PED-ANOVA (Watanabe et al. 2023).

    Shares of 1, the largest first; empty with too few trials.
    """
    measured = [each for each in trials if each.scores]
    if len(measured) < WEIGHED or len({each.scores[0] for each in measured}) < 2:
        return {}
    from optuna import create_study
    from optuna.importance import get_param_importances

    _quiet()
    study = create_study(direction="maximize")
    study.add_trials([_finished(space, each, each.scores[0]) for each in measured])
    return {name: float(share) for name, share in get_param_importances(study).items()}


def require_optuna() -> None:
    """Raise ``MissingError`` without Optuna."""
    if find_spec("optuna") is None:
        raise MissingError(
            "a search needs Optuna, which is not installed", help="pip install 'volr[search]'"
        )


def _study(space: Sequence[Parameter], trials: Sequence[Trial], seed: int) -> Study:
    from optuna import create_study
    from optuna.samplers import TPESampler

    _quiet()
    words = np.random.SeedSequence((seed, len(trials))).generate_state(1)
    study = create_study(direction="maximize", sampler=TPESampler(seed=int(words[0])))
    study.add_trials([_past_trial(space, each) for each in trials])
    return study


def _past_trial(space: Sequence[Parameter], trial: Trial) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    match trial.state:
        case "finished":
            return _finished(space, trial, trial.scores[-1])
        case "pruned":
            return create_trial(
                state=TrialState.PRUNED,
                params=dict(trial.values),
                distributions=_distributions(space),
                intermediate_values=dict(enumerate(trial.scores)),
            )
        case "failed":
            return create_trial(
                state=TrialState.FAIL,
                params=dict(trial.values),
                distributions=_distributions(space),
            )


def _finished(space: Sequence[Parameter], trial: Trial, score: float) -> FrozenTrial:
    from optuna.trial import create_trial

    return create_trial(params=dict(trial.values), distributions=_distributions(space), value=score)


def _distributions(space: Sequence[Parameter]) -> dict[str, BaseDistribution]:
    return {each.name: _distribution(each) for each in space}


def _distribution(parameter: Parameter) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    match parameter:
        case Choice():
            return CategoricalDistribution(parameter.values)
        case Range(whole=True):
            low, high = int(parameter.low), int(parameter.high)
            return IntDistribution(low, high, log=parameter.log)
        case Range():
            return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _rounded(value: Value, parameter: Parameter) -> Value:
    if isinstance(parameter, Choice) or not isinstance(value, float):
        return value
    return min(parameter.high, max(parameter.low, float(f"{value:.{DIGITS}g}")))


def _quiet() -> None:
    from optuna import logging

    logging.set_verbosity(logging.WARNING)
