"""What explanations show: a summary, and what is lost to which cause, or in which population."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.display.parts import Table
from volr.exact.display import proof_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.display.parts import Part
    from volr.explanation.exact import ExactExplanation
    from volr.explanation.quantisation import QuantisationLoss
    from volr.explanation.result import Explanation
    from volr.network import Network


def explanation_parts(found: Explanation) -> Iterator[Part]:
    """The gap, its causes and populations, and what was tried."""
    yield found.summary
    yield (
        f"ANN {found.ann:.4f}, SNN {found.snn:.4f} on {found.backend}: a gap of "
        f"{points(found.gap)} ± {points(found.error)} points, {found.samples:,} stimuli"
    )
    yield Table(
        ("cause", "where", "points", "±", "share", "what to change"),
        [
            (
                part.title,
                part.where,
                points(part.points),
                points(part.error),
                f"{part.points / found.gap:.0%}" if found.gap > 2 * found.error else "",
                part.change[0] if part.change and part.points > part.error else "",
            )
            for part in found.parts
        ],
        left=2,
    )
    yield Table(
        ("population", "points", "±"),
        [(each.population, points(each.points), points(each.error)) for each in found.stages],
    )
    if found.faults:
        yield "\n".join(found.faults)
    if found.trials:
        yield Table(
            ("tried", "accuracy", "gained", "±"),
            [
                (each.change, f"{each.accuracy:.4f}", points(each.gained), points(each.error))
                for each in found.trials
            ],
        )


def exact_parts(found: ExactExplanation, network: Network | None = None) -> Iterator[Part]:
    """The summary, the proof, and what quantisation cost, if that is known."""
    yield found.summary
    yield from proof_parts(found.proof, network)
    if found.quantisation is not None:
        yield from loss_parts(found.quantisation)


def loss_parts(found: QuantisationLoss) -> Iterator[Part]:
    """What quantisation cost, population by population."""
    yield (
        f"ANN {found.ann:.4f}, quantised {found.quantised:.4f}: a gap of {points(found.gap)} ± "
        f"{points(found.error)} points, {found.samples:,} stimuli, {found.differing:,} with "
        f"another label; the logits change by {found.change:.2%}"
    )
    yield Table(
        ("quantised", "points", "±", "of the logits' change"),
        [
            (
                each.population,
                points(each.points),
                points(each.error),
                f"{round(100 * each.logits, 1) + 0.0:.1f}%",
            )
            for each in found.parts
        ],
    )


def points(share: float) -> str:
    """A share of all stimuli in percentage points; never −0.00."""
    return f"{round(100 * share, 2) + 0.0:.2f}"
