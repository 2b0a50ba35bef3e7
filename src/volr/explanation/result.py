"""The result of an explanation, and its summary in a sentence or two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from volr.display.displayed import Displayed
from volr.explanation.causes import COME_OF_WEIGHTS, FAMILIES, Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from volr.display.parts import Part

# A remedy is good enough if it gains this share of what the best one gains.
_MOST_OF_IT = 0.9


class ExplanationProgress(Protocol):
    """Called with the stage in words, and how much of it is done."""

    def __call__(self, stage: str, done: int, total: int, /) -> None: ...


@dataclass(frozen=True)
class CauseCost:
    """What a cause costs: ``points`` of accuracy, of 1, with the standard ``error`` of the sample.

    The population ``where`` has the most of it. ``evidence`` says what was seen there, and
    ``change`` has the options to try.
    """

    cause: Cause
    title: str
    points: float
    error: float
    where: str
    evidence: str
    change: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """What is lost in a ``population``: points and error. Those before it have all causes."""

    population: str
    points: float
    error: float


@dataclass(frozen=True)
class Trial:
    """A transfer with one ``change``: its accuracy on the same stimuli, and what it ``gained``."""

    cause: Cause
    change: str
    accuracy: float
    gained: float
    error: float


@dataclass(frozen=True)
class Explanation(Displayed):
    """The gap between the accuracies ``ann`` and ``snn``, and its parts, which add up to it.

    ``parts``, the costliest first, and ``stages``, from the inputs on, split the same gap in two
    ways. ``faults`` says what is wrong with weights and biases. ``foreign`` are the projections
    whose weights are not the ANN's at all. ``roots`` are the causes that show in the weights and
    lead to others. ``trials`` are the remedies that were tried.
    """

    backend: str
    samples: int
    ann: float
    snn: float
    gap: float
    error: float
    parts: tuple[CauseCost, ...]
    stages: tuple[Stage, ...]
    faults: tuple[str, ...]
    foreign: tuple[str, ...]
    roots: tuple[Cause, ...]
    trials: tuple[Trial, ...]

    @property
    def summary(self) -> str:
        """What matters most, in a sentence or two."""
        sentences: list[str] = []
        if self.foreign:
            sentences.append(f"The weights are not the ANN's: {', '.join(self.foreign)}.")
        if abs(self.gap) <= 2 * self.error and not self.foreign:
            return (
                f"The gap, {_points(self.gap)}, is within its sampling error: nothing is lost that "
                f"{self.samples:,} stimuli could show."
            )
        if self.gap < 0:
            sentences.append(
                f"Nothing is lost: the spiking network is better by {_points(-self.gap)}."
            )
            return " ".join(sentences)
        title, parts = largest(self.parts, self.roots)
        sentences.append(
            f"The largest cause is {title}, {_points(sum(part.points for part in parts))} of a gap "
            f"of {_points(self.gap)}, in {parts[0].where}: {parts[0].evidence}."
        )
        if (best := self.remedy) is not None:
            sentences.append(
                f"What helps: {best.change}, from {self.snn:.4f} to {best.accuracy:.4f}."
            )
        elif self.trials:
            tried = ", ".join(trial.change for trial in self.trials)
            sentences.append(f"None of what was tried helps: {tried}.")
        elif parts[0].change:
            sentences.append(f"What may help: {parts[0].change[0]}.")
        return " ".join(sentences)

    @property
    def remedy(self) -> Trial | None:
        """The first trial that gained as much as the best one, within its error or a tenth.

        None if none gained more than its error.
        """
        best = max(self.trials, key=lambda trial: trial.gained, default=None)
        if best is None or best.gained <= best.error:
            return None
        enough = min(best.gained - best.error, _MOST_OF_IT * best.gained)
        return next(each for each in self.trials if each.gained >= enough)

    def _display(self) -> Iterable[Part]:
        from volr.explanation.display import explanation_parts

        return explanation_parts(self)


def largest(parts: Sequence[CauseCost], roots: Sequence[Cause] = ()) -> tuple[str, list[CauseCost]]:
    """The costliest cause, followed by the causes that it leads to, and a title for all of them.

    ``roots`` are the causes that show in the weights. One of them counts if its part is more than a
    quarter of the largest part. Badly scaled units and a wrong scale always count: their whole
    effect is through spikes and counts, so their own parts may be small. But a wrong scale is read
    from the weights, so it does not count if signs, weights or biases do.
    """
    by_cause = {part.cause: part for part in parts}
    most = max(part.points for part in parts)
    groups: list[tuple[str, list[CauseCost]]] = []

    def add(head: CauseCost, title: str, members: frozenset[Cause]) -> None:
        rest = [part for part in parts if part.cause in members - {head.cause}]
        groups.append((title, [head, *rest]))

    scales: tuple[Cause, ...] = ("units", "scale")
    strong = [each for each in roots if each not in scales and 4 * by_cause[each].points > most]
    for cause in [each for each in roots if each == "units" or each in (strong or scales)]:
        add(by_cause[cause], by_cause[cause].title, COME_OF_WEIGHTS)
    for cause, (title, members) in FAMILIES.items():
        head = by_cause.get(cause)
        if head is not None and head.points > 2 * head.error:
            add(head, title, members)
    groups += [(part.title, [part]) for part in parts]
    # A part below 0 does not make the others smaller. Of equal groups the first is taken.
    return max(groups, key=lambda each: sum(max(part.points, 0.0) for part in each[1]))


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
