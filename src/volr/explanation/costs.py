"""What causes cost in accuracy, in the whole network and in single populations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.explanation.causes import Cause
from volr.explanation.result import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats
    from volr.explanation.counts import CountModel
    from volr.explanation.result import ExplanationProgress


class Answers:
    """Which stimuli are labelled correctly, 1 or 0 ``[batch]``, with some of the causes."""

    def __init__(self, model: CountModel, tell: ExplanationProgress, total: int) -> None:
        self._model = model
        self._known: dict[frozenset[Cause], Floats] = {}
        self._tell, self._total = tell, total

    def with_causes(self, causes: frozenset[Cause]) -> Floats:
        """With the causes in every population."""
        if causes not in self._known:
            self._known[causes] = self.by_population(dict.fromkeys(self._model.populations, causes))
            self._tell("splitting the gap", len(self._known), self._total)
        return self._known[causes]

    def by_population(self, causes: Mapping[str, frozenset[Cause]]) -> Floats:
        return self._model.correct(causes).astype(np.float64)

    def lost(self, cause: Cause, before: frozenset[Cause], population: str) -> float:
        """The accuracy that ``cause`` costs in one population, with ``before`` in all of them."""
        without = dict.fromkeys(self._model.populations, before)
        with_it: dict[str, frozenset[Cause]] = {**without, population: before.union({cause})}
        return float((self.by_population(without) - self.by_population(with_it)).mean())


def units_matter(answers: Answers, everything: frozenset[Cause], gap: float) -> bool:
    """Whether more than a quarter of the gap would be gained if only the units were in balance.

    Many networks have badly scaled units that do not matter.
    """
    gained = answers.with_causes(everything - {"units"}) - answers.with_causes(everything)
    return 4 * float(gained.mean()) > gap > 0


def costliest(
    cause: Cause,
    populations: tuple[str, ...],
    needs: Mapping[Cause, frozenset[Cause]],
    answers: Answers,
) -> str:
    """The population in which a cause costs most, on average as the first and as the last cause.

    As the first it comes after the causes that it needs, as the last before those that need it.
    """
    if len(populations) == 1:
        return populations[0]
    after: set[Cause] = {each for each in needs if each == cause or cause in needs[each]}
    last = frozenset(needs.keys() - after)
    return max(
        populations,
        key=lambda name: answers.lost(cause, needs[cause], name) + answers.lost(cause, last, name),
    )


def stages_of(model: CountModel, causes: frozenset[Cause]) -> tuple[Stage, ...]:
    """What is lost in each population: up to it the causes are on, and behind it is the ANN."""
    on = dict.fromkeys(model.populations, frozenset[Cause]())
    before = model.correct(on).astype(np.float64)
    found: list[Stage] = []
    for name in model.populations:
        on[name] = causes
        after = model.correct(on).astype(np.float64)
        found.append(Stage(name, *mean_and_error(before - after)))
        before = after
    return tuple(found)


def mean_and_error(differences: Floats) -> tuple[float, float]:
    """The mean over stimuli of paired differences, and its standard error."""
    return float(differences.mean()), float(differences.std() / np.sqrt(len(differences)))
