"""What a transfer did, population by population, so that nothing is lost silently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from volr.models.arrays import Floats, Integers

# A neuron counts as saturated where it fires as fast as it can in more than this share of stimuli.
SATURATED_SHARE = 0.01


@dataclass(frozen=True)
class PopulationReport:
    """One population.

    ``scale``: the activation that stands for rate_max. ``gain``, ``offset`` (nA): the calibration's
    corrections. ``wanted``, ``measured``: mean rates in Hz, over neurons and stimuli, and their
    ``correlation`` (NaN where one of them does not vary). ``clipped``: the share of activations
    above the scale. ``dead``: neurons that should have fired in some stimulus and did in none.
    ``silent``: neurons that should not have, and did not: the ANN has no use for them.
    ``saturated``: neurons that fired as fast as they can in more than 1 % of the stimuli.
    """

    name: str
    size: int
    scale: float
    gain: float
    offset: float
    wanted: float
    measured: float
    correlation: float
    clipped: float
    dead: int
    silent: int
    saturated: int


@dataclass(frozen=True)
class TransferReport:
    """The populations, and the accuracy on the training stimuli before and after, ``samples`` many.

    ``ties`` is the share of stimuli for which several outputs had the highest count.
    """

    populations: tuple[PopulationReport, ...]
    samples: int
    accuracy_before: float
    accuracy_after: float
    ties: float


def population_report(
    name: str,
    *,
    scale: float,
    gain: float,
    offset: float,
    wanted: Floats,
    counts: Integers,
    full: float,
    most: int,
    duration: float,
) -> PopulationReport:
    """Compare ``wanted`` with ``counts``, both ``[batch, unit]`` in spikes a stimulus.

    ``full`` is the count at rate_max, ``most`` the largest that the neuron can reach, ``duration``
    the length of a stimulus in ms.
    """
    positive = np.maximum(wanted, 0.0)
    # Half a spike is where rounding to whole spikes would leave a neuron silent.
    should = (positive >= 0.5).any(axis=0)
    did = (counts > 0).any(axis=0)
    per_second = 1000.0 / duration
    return PopulationReport(
        name=name,
        size=counts.shape[1],
        scale=scale,
        gain=gain,
        offset=offset,
        wanted=float(positive.mean()) * per_second,
        measured=float(counts.mean()) * per_second,
        correlation=_correlation(positive.ravel(), counts.ravel().astype(np.float64)),
        clipped=float((wanted > full * (1 + 1e-9)).mean()),
        dead=int((should & ~did).sum()),
        silent=int((~should & ~did).sum()),
        saturated=int(((counts >= most).mean(axis=0) > SATURATED_SHARE).sum()),
    )


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else float("nan")
