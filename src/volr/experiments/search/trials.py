"""A search: batch by batch, and in each batch rung by rung."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from volr.errors import VolrError
from volr.experiments.defaults import with_task_defaults
from volr.experiments.execution.job import Failed
from volr.experiments.plan import Spec, essential, with_needs
from volr.experiments.results import Run
from volr.experiments.run import data_of
from volr.experiments.run_progress import no_progress
from volr.experiments.runner import make_missing
from volr.experiments.search.proposals import propose
from volr.experiments.search.rungs import go_on, rungs
from volr.experiments.search.trial import Trial
from volr.experiments.search.variation import varied
from volr.language import to_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from volr.experiments.condition import Condition
    from volr.experiments.execution.job import Execution
    from volr.experiments.run_progress import RunProgress
    from volr.experiments.search.rungs import Rung
    from volr.experiments.search.space import Parameter
    from volr.experiments.settings import Settings
    from volr.experiments.store.folder import Journal

FIRST_SEED = 1_000
"""The first seed of the runs. Those of experiments begin at 0, and no search may use them."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched. ``space`` varies ``settings`` and ``program``.

    A trial is measured with ``seeds`` seeds in the end; ``seed`` is the seed of the proposals. They
    are made ``batch`` at a time: with a larger batch more runs can be made at once, but each
    proposal depends on fewer results. The results of the first whole batches do not depend on the
    number of ``trials``.
    """

    task: str
    program: str
    condition: Condition
    on: str
    settings: Settings
    space: tuple[Parameter, ...]
    trials: int
    batch: int
    seeds: int
    seed: int

    def spec(self, settings: Settings, program: str, seed: int) -> Spec:
        """One run of a trial."""
        return essential(
            Spec(
                task=self.task,
                program=program,
                seed=FIRST_SEED + seed,
                condition=self.condition,
                on=self.on,
                settings=with_task_defaults(settings, self.task, self.program),
                part="validation",
            )
        )


@dataclass(frozen=True)
class Found:
    """The result after a batch; ``baseline`` is the score of the original settings."""

    baseline: float
    trials: tuple[Trial, ...]


def rungs_of(search: Search, data_dir: Path | None) -> tuple[Rung, ...]:
    """The rungs of a search; ``DataError`` if the data are missing."""
    spec = search.spec(search.settings, search.program, 0)
    # The spec of an artificial network has no number of samples for the loop, and needs none.
    data = data_of(spec, to_network(search.program), data_dir)
    return rungs(data, search.settings, search.seeds)


def search_on(
    search: Search,
    ladder: Sequence[Rung],
    journal: Journal,
    execution: Execution,
    data_dir: Path | None = None,
    progress: RunProgress = no_progress,
    enough: Callable[[], bool] = lambda: False,
) -> Iterator[Found]:
    """Make the runs that ``journal`` does not have, batch by batch; yield the result after each.

    The original settings come first. The results depend neither on who makes the runs nor on how
    many are made at once. ``enough`` is called before each batch. Raises ``VolrError`` if the
    original settings, or all trials of a batch, cannot be made.
    """
    measure = _Measure(search, journal, execution, data_dir, progress)
    start = Trial(number=-1, values={}, state="finished")
    baseline = measure({-1: start}, ladder[-1], "the settings as they are")[-1]
    if isinstance(baseline, Failed):
        raise VolrError(
            f"the settings as they are cannot be made: {baseline.message}", help=baseline.help
        )
    trials: tuple[Trial, ...] = ()
    yield Found(baseline, trials)
    while len(trials) < search.trials and not enough():
        count = min(search.batch, search.trials - len(trials))
        asked = propose(search.space, trials, count, search.seed)
        batch = {
            number: Trial(number=number, values=values, state="finished")
            for number, values in enumerate(asked, start=len(trials))
        }
        after = _climb(batch, trials, ladder, measure)
        if all(each.state == "failed" for each in after):
            raise VolrError(
                f"none of the trials {after[0].number} to {after[-1].number} could be made\n"
                + "\n".join(dict.fromkeys(each.why for each in after)),
                help="vary other settings, or nearer to what they are; finished runs are kept",
            )
        trials += after
        yield Found(baseline, trials)


def _climb(
    batch: Mapping[int, Trial],
    earlier: Sequence[Trial],
    ladder: Sequence[Rung],
    measure: _Measure,
) -> tuple[Trial, ...]:
    """Measure the trials of a batch, each on as many rungs as it reaches."""
    found = dict(batch)
    climbing = list(batch)
    for height, rung in enumerate(ladder):
        stage = f"trials {min(batch)} to {max(batch)}, rung {height + 1} of {len(ladder)}"
        for number, score in measure({n: found[n] for n in climbing}, rung, stage).items():
            trial = found[number]
            found[number] = (
                replace(trial, state="failed", why=score.message)
                if isinstance(score, Failed)
                else replace(trial, scores=(*trial.scores, score))
            )
        climbing = [number for number in climbing if found[number].state != "failed"]
        if height < len(ladder) - 1:
            known = [each.scores[height] for each in earlier if len(each.scores) > height]
            above = go_on({n: found[n].scores[height] for n in climbing}, known)
            for number in climbing:
                if number not in above:
                    found[number] = replace(found[number], state="pruned")
            climbing = above
    return tuple(found.values())


@dataclass(frozen=True)
class _Measure:
    """Measures trials on one rung: the mean accuracy over the seeds, or why it failed."""

    search: Search
    journal: Journal
    execution: Execution
    data_dir: Path | None
    progress: RunProgress

    def __call__(
        self, trials: Mapping[int, Trial], rung: Rung, stage: str
    ) -> dict[int, float | Failed]:
        specs: dict[int, tuple[Spec, ...]] = {}
        found: dict[int, float | Failed] = {}
        for number, trial in trials.items():
            try:
                specs[number] = self._specs(trial, rung)
            except VolrError as error:
                found[number] = Failed(error.message, error.help)
        answers = self._answers([spec for each in specs.values() for spec in each], stage)
        for number, each in specs.items():
            made = [answers[needed.key] for spec in each for needed in with_needs(spec)]
            failed = next((answer for answer in made if isinstance(answer, Failed)), None)
            found[number] = failed or _mean([answers[spec.key] for spec in each])
        return found

    def _specs(self, trial: Trial, rung: Rung) -> tuple[Spec, ...]:
        settings, program = varied(trial.values, self.search.settings, self.search.program)
        cut = rung.cut(settings)
        return tuple(self.search.spec(cut, program, seed) for seed in range(rung.seeds))

    def _answers(self, specs: Sequence[Spec], stage: str) -> dict[str, Run | Failed]:
        every = {each.key: each for spec in specs for each in with_needs(spec)}
        there = self.journal.finished(every.values())
        answers: dict[str, Run | Failed] = dict(there)
        missing = make_missing(
            list(every.values()),
            there,
            self.journal,
            self.execution,
            self.data_dir,
            self.progress,
            stage,
        )
        answers |= {spec.key: answer for spec, answer in missing}
        return answers


def _mean(answers: Sequence[Run | Failed]) -> float:
    return statistics.fmean(each.row.accuracy for each in answers if isinstance(each, Run))
