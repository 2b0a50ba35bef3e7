"""The report of a transfer, population by population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.display.displayed import Displayed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.checks.arrays import Floats, Integers
    from volr.display.parts import Part
    from volr.transfer.scaling import Correction

# A neuron is saturated if it fires as fast as it can in more than this share of the stimuli.
SATURATED_SHARE = 0.01
# Points of a rate curve, silence aside.
CURVE_PARTS = 20


@dataclass(frozen=True)
class PopulationReport:
    """One population.

    ``scale`` is the activation at the full rate; of a hidden population, it is the geometric mean
    over its units. ``excitation`` and ``inhibition`` (gains of positive and negative weights) and
    ``offset`` (nA) are the calibration's corrections. ``wanted`` and ``measured`` are mean rates in
    Hz, over neurons and stimuli; ``correlation`` is NaN if one of them does not vary. ``clipped``
    is the share of activations above the scale. ``dead`` neurons should have fired in some stimulus
    and never did. ``silent`` neurons should not have fired and did not; the ANN does not use them.
    ``saturated`` neurons fired as fast as they can in more than 1 % of the stimuli.

    ``wanted_curve`` and ``measured_curve``, Hz, are the rate curve. The range of wanted rates above
    0 has 20 equal parts. Each part with any neuron and stimulus gives a point, at the means of
    both. The first point is at a wanted rate of 0, if any neuron and stimulus has it.
    """

    name: str
    size: int
    scale: float
    excitation: float
    inhibition: float
    offset: float
    wanted: float
    measured: float
    correlation: float
    clipped: float
    dead: int
    silent: int
    saturated: int
    wanted_curve: tuple[float, ...]
    measured_curve: tuple[float, ...]


@dataclass(frozen=True)
class TransferReport(Displayed):
    """The populations, and the accuracy before and after on ``samples`` training stimuli.

    ``ties`` is the share of stimuli for which several outputs had the highest count.
    """

    populations: tuple[PopulationReport, ...]
    samples: int
    accuracy_before: float
    accuracy_after: float
    ties: float

    def _display(self) -> Iterable[Part]:
        from volr.transfer.display import transfer_parts

        return transfer_parts(self, {})


def population_report(
    name: str,
    *,
    scale: float,
    correction: Correction,
    wanted: Floats,
    counts: Integers,
    full: float,
    most: int,
    duration: float,
) -> PopulationReport:
    """Compare ``wanted`` with ``counts``, both ``[batch, unit]`` in spikes a stimulus.

    ``full`` is the count at the full rate, ``most`` the largest that the neuron can reach,
    ``duration`` the length of a stimulus in ms.
    """
    positive = np.maximum(wanted, 0.0)
    # Below half a spike, rounding to whole spikes would leave a neuron silent.
    should = (positive >= 0.5).any(axis=0)
    did = (counts > 0).any(axis=0)
    per_second = 1000.0 / duration
    wanted_curve, measured_curve = rate_curve(positive, counts)
    return PopulationReport(
        name=name,
        size=counts.shape[1],
        scale=scale,
        excitation=correction.excitation,
        inhibition=correction.inhibition,
        offset=correction.offset,
        wanted=float(positive.mean()) * per_second,
        measured=float(counts.mean()) * per_second,
        correlation=_correlation(positive.ravel(), counts.ravel().astype(np.float64)),
        clipped=float((wanted > full * (1 + 1e-9)).mean()),
        dead=int((should & ~did).sum()),
        silent=int((~should & ~did).sum()),
        saturated=int(((counts >= most).mean(axis=0) > SATURATED_SHARE).sum()),
        wanted_curve=tuple((wanted_curve * per_second).tolist()),
        measured_curve=tuple((measured_curve * per_second).tolist()),
    )


def rate_curve(wanted: Floats, counts: Integers) -> tuple[Floats, Floats]:
    """Wanted and measured counts, means over the entries of each part of the wanted range.

    ``wanted``, not negative, and ``counts`` have one shape. Both results are ``[part]``, for the
    parts that have entries, from the lowest up.
    """
    flat = wanted.ravel()
    edges = np.linspace(0.0, float(flat.max()), CURVE_PARTS + 1)
    # Part 0 is exactly 0; part i is above edge i − 1, up to edge i.
    part = np.searchsorted(edges, flat, side="left")
    entries = np.bincount(part)
    some = entries > 0
    wanted_sum, measured_sum = np.bincount(part, flat), np.bincount(part, counts.ravel())
    return wanted_sum[some] / entries[some], measured_sum[some] / entries[some]


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else float("nan")
