"""The numbers of samples that trials are measured on: successive halving.

A trial goes from rung to rung, and each rung has three times the samples of the one below it. From
each rung, the best third of all trials that reached it goes on (Jamieson & Talwalkar 2016). This is
decided once for each batch, so it does not depend on which trial was first.
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
"""No rung trains or measures on fewer samples, unless the task has fewer."""


@dataclass(frozen=True)
class Rung:
    """The numbers of samples for training, the loop and validation, and the number of seeds."""

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
    """From the cheapest rung to all of ``data``, whose test samples are validation samples.

    Only the last rung has more than one seed.
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
    """The numbers of the trials that are in the best third of these ``scores`` and the ``earlier``
    ones. A trial that is as good as the last of these goes on too.
    """
    ranked = sorted((*scores.values(), *earlier), reverse=True)
    if not ranked:
        return []
    bar = ranked[math.ceil(len(ranked) / FACTOR) - 1]
    return [number for number, score in scores.items() if score >= bar]
