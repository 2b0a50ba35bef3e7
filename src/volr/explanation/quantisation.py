"""What quantisation costs, population by population.

A population costs the accuracy that is lost when it is quantised. That depends on which others are
quantised already, so it is taken twice: populations are quantised one after the other from the
inputs to the outputs, and once more from the outputs to the inputs. The mean of the two is the
population's part, and the parts add up to the whole. Where populations affect each other in pairs,
it is the Shapley value, the mean over all orders: each pair comes once in either order.

The change of the logits is split in the same way, as a share of the sum of its squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.checks import arguments
from volr.display.displayed import Displayed
from volr.errors import DataError, ModelError
from volr.exact.sums import staircase_of
from volr.explanation.costs import mean_and_error
from volr.explanation.mixtures import mixture_of
from volr.models.coding import check_stimuli
from volr.models.model import ArtificialModel
from volr.models.samples import check_labels
from volr.quantisation.quantise import check_quantisable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from volr.checks.arrays import Floats
    from volr.display.parts import Part
    from volr.explanation.mixtures import Mixture, Values
    from volr.explanation.result import ExplanationProgress
    from volr.models.samples import Samples

# Stimuli that go through the network at once: all values are in memory, twice.
_TOGETHER = 250


@dataclass(frozen=True)
class PopulationLoss:
    """What the quantisation of a ``population`` costs.

    ``points`` of accuracy, of 1, with the standard ``error`` of the sample; ``logits`` is its part
    of the squared change of the logits, of 1. Both can be below 0, where one population's rounding
    makes up for another's.
    """

    population: str
    points: float
    error: float
    logits: float


@dataclass(frozen=True)
class QuantisationLoss(Displayed):
    """The gap between the accuracies ``ann`` and ``quantised`` on ``samples`` stimuli.

    ``parts``, from the inputs on, add up to it. ``differing`` stimuli get another label than
    before, and ``change`` is the root of the mean square of what changes in the logits, relative to
    that of the logits.
    """

    samples: int
    levels: int
    ann: float
    quantised: float
    gap: float
    error: float
    differing: int
    change: float
    parts: tuple[PopulationLoss, ...]

    @property
    def summary(self) -> str:
        """What matters most, in a sentence."""
        if not self.differing:
            return f"Quantisation changes the label of none of {self.samples:,} stimuli."
        changes = (
            f"Quantisation to {self.levels} levels changes the labels of {self.differing:,} of "
            f"{self.samples:,} stimuli"
        )
        if abs(self.gap) <= 2 * self.error:
            return f"{changes}; the gap, {_points(self.gap)}, is within its sampling error."
        if self.gap < 0:
            return f"{changes}, and the network is better by {_points(-self.gap)}."
        worst = max(self.parts, key=lambda each: each.points)
        return (
            f"{changes}, and costs {_points(self.gap)}; most of it, {_points(worst.points)}, in "
            f"{worst.population}."
        )

    def _display(self) -> Iterable[Part]:
        from volr.explanation.display import loss_parts

        return (self.summary, *loss_parts(self))


def explain_quantisation(
    ann: ArtificialModel,
    quantised: ArtificialModel,
    samples: Samples,
    *,
    progress: ExplanationProgress | None = None,
) -> QuantisationLoss:
    """Split what quantisation cost on ``samples`` by population.

    ``quantised`` is the staircase network that ``volr.quantise`` made of ``ann``. Raises
    ``ModelError`` for models that do not belong together, ``UnsupportedError`` for an ANN that
    cannot be quantised, and ``DataError`` for stimuli that do not fit.
    """
    arguments.check_model("explain_quantisation", ann, "ann", kind=ArtificialModel)
    arguments.check_model("explain_quantisation", quantised, "quantised", kind=ArtificialModel)
    arguments.check_samples("explain_quantisation", samples)
    arguments.check_progress("explain_quantisation", progress)
    levels = staircase_of(quantised).levels
    if ann.network != quantised.network:
        raise ModelError(
            "the two models are not of the same network", help="give the ANN that was quantised"
        )
    check_quantisable(ann)
    if not len(samples):
        raise DataError("there are no samples to explain the model on")
    check_stimuli(samples.inputs, ann.network.input_size)
    check_labels(samples, ann.network.output_size)
    mixture = mixture_of(ann, quantised)
    split: list[_Split] = []
    done = 0
    for part in samples.parts(_TOGETHER):
        split.append(_split(mixture, part))
        done += len(part)
        if progress is not None:
            progress("splitting the gap", done, len(samples))
    before, after = (
        np.concatenate(each)
        for each in zip(*((part.before, part.after) for part in split), strict=True)
    )
    change = sum(float(each.change.sum()) for each in split)
    size = sum(each.size for each in split)
    parts: list[PopulationLoss] = []
    for place, name in enumerate(mixture.players):
        lost = np.concatenate([each.lost[place] for each in split])
        changed = sum(float(each.changed[place].sum()) for each in split)
        parts.append(
            PopulationLoss(name, *mean_and_error(lost), changed / change if change > 0 else 0.0)
        )
    gap, error = mean_and_error(before - after)
    return QuantisationLoss(
        samples=len(samples),
        levels=levels,
        ann=float(before.mean()),
        quantised=float(after.mean()),
        gap=gap,
        error=error,
        differing=sum(each.differing for each in split),
        change=float(np.sqrt(change / size)) if size > 0 else 0.0,
        parts=tuple(parts),
    )


@dataclass(frozen=True, eq=False)
class _Split:
    """Of some stimuli, ``[batch]`` each: which labels are right ``before`` and ``after``.

    ``lost`` and ``changed`` have an array for each population: of right labels, and of the squared
    change of the logits, which add up to the gap and to ``change``. ``size`` is the sum of the
    squares of the logits.
    """

    before: Floats
    after: Floats
    change: Floats
    lost: list[Floats]
    changed: list[Floats]
    differing: int
    size: float


def _split(mixture: Mixture, samples: Samples) -> _Split:
    players = mixture.players
    none = mixture.values(samples.inputs, frozenset())
    wanted = mixture.logits(none)

    def judged(values: Mapping[str, Values]) -> Floats:
        """Whether the label is right, and how far the logits are off, ``[2, batch]``."""
        logits = mixture.logits(values)
        right = logits.argmax(axis=1) == samples.labels
        return np.stack([right, np.square(logits - wanted).sum(axis=1)])

    start = judged(none)
    lost = np.zeros((len(players), *start.shape))
    # From the inputs on: all before a population are quantised already.
    values, before = none, start
    for place in range(len(players)):
        values = mixture.values(
            samples.inputs,
            frozenset(players[: place + 1]),
            _up_to(mixture, values, players[place]),
        )
        after = judged(values)
        lost[place] += 0.5 * (after - before)
        before = after
    whole, end = values, before
    # From the outputs on: all behind a population are quantised already.
    before = start
    for place in reversed(range(len(players))):
        values = mixture.values(
            samples.inputs, frozenset(players[place:]), _up_to(mixture, none, players[place])
        )
        after = judged(values)
        lost[place] += 0.5 * (after - before)
        before = after
    labels = [mixture.logits(each).argmax(axis=1) for each in (none, whole)]
    return _Split(
        before=start[0],
        after=end[0],
        change=end[1],
        lost=list(-lost[:, 0]),
        changed=list(lost[:, 1]),
        differing=int((labels[0] != labels[1]).sum()),
        size=float(np.square(wanted).sum()),
    )


def _up_to(mixture: Mixture, values: Mapping[str, Values], name: str) -> dict[str, Values]:
    """The values of the populations before this one."""
    order = [*mixture.network.inputs, *(each.name for each in mixture.network.layers)]
    return {each: values[each] for each in order[: order.index(name)]}


def _points(share: float) -> str:
    return f"{100 * share:.2f} points"
