"""How much a trial is measured on before it has shown what it can do: successive halving.

A trial goes up from rung to rung, and each has three times the samples of the one below it; from
each, the best third of all that ever came there goes on (Jamieson & Talwalkar 2016). Which these
are is asked once a batch, so it does not depend on who was first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.experiments.settings import Settings
    from volr.models.samples import Data

FACTOR = 3
RUNGS = 3
FEWEST_TRAINED, FEWEST_MEASURED = 300, 1_000
"""No rung trains on fewer samples, nor measures on fewer, unless the task has no more."""


@dataclass(frozen=True)
class Rung:
    """``train`` samples, of which the loop has ``loop``, ``validation`` ones, and the seeds."""

    train: int
    loop: int
    validation: int
    seeds: int

    def cut(self, settings: Settings) -> Settings:
        """The settings of a run on this rung."""
        return replace(
            settings,
            train_samples=self.train,
            loop_samples=self.loop,
            test_samples=self.validation,
        )


def rungs(data: Data, settings: Settings, seeds: int) -> tuple[Rung, ...]:
    """From the cheapest to all of ``data``, whose test samples are those of validation.

    The seeds beyond the first are for the last.
    """
    train, validation = len(data.train), len(data.test)
    loop = min(train, settings.in_loop_samples)
    ladder = [Rung(train, loop, validation, seeds)]
    share = FACTOR
    while len(ladder) < RUNGS and train // share >= FEWEST_TRAINED:
        measured = min(validation, max(FEWEST_MEASURED, validation // share))
        looped = max(loop // share, min(loop, FEWEST_TRAINED))
        ladder.append(Rung(train // share, looped, measured, seeds=1))
        share *= FACTOR
    if len(ladder) == 1 and seeds > 1:
        ladder.append(Rung(train, loop, validation, seeds=1))
    return tuple(reversed(ladder))


def go_on(scores: Mapping[int, float], earlier: Sequence[float]) -> list[int]:
    """Those of a batch that belong to the best third of its scores and the ``earlier`` ones, by
    number; what is as good as the last of these goes on as well.
    """
    ranked = sorted((*scores.values(), *earlier), reverse=True)
    if not ranked:
        return []
    bar = ranked[math.ceil(len(ranked) / FACTOR) - 1]
    return [number for number, score in scores.items() if score >= bar]
