"""What a transfer shows: its populations, what they lose, and the accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.display.parts import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.checks.arrays import Floats
    from volr.display.parts import Part
    from volr.transfer.summary import PopulationReport, TransferReport

# The scales of a population's units are told if they differ by more than this factor.
UNEQUAL = 4.0
_COLUMNS = {
    "population": "{0.name}",
    "size": "{0.size}",
    "scale": "{0.scale:.3f}",
    "exc.": "{0.excitation:.3f}",
    "inh.": "{0.inhibition:.3f}",
    "nA": "{0.offset:.3f}",
    "wanted Hz": "{0.wanted:.1f}",
    "measured": "{0.measured:.1f}",
    "correlation": "{0.correlation:.4f}",
}


def transfer_parts(report: TransferReport, scales: Mapping[str, Floats]) -> Iterator[Part]:
    """The report of a transfer; ``scales`` are those of units, by population, as far as known."""
    rows = [[each.format(row) for each in _COLUMNS.values()] for row in report.populations]
    yield Table([*_COLUMNS], rows)
    lines: list[str] = []
    for each in report.populations:
        if losses := lost(each):
            lines.append(f"{each.name}: {', '.join(losses)}")
        if each.name in scales:
            least, most = scales[each.name].min(), scales[each.name].max()
            if most > UNEQUAL * least:
                lines.append(f"{each.name}: scales of its units from {least:.3g} to {most:.3g}")
    lines.append(
        f"accuracy on {report.samples} training stimuli: {report.accuracy_before:.4f} before, "
        f"{report.accuracy_after:.4f} after; {report.ties:.2%} ties"
    )
    yield "\n".join(lines)


def lost(population: PopulationReport) -> list[str]:
    """What a population loses, in words: clipped activations, and useless neurons by kind."""
    clipped = [f"{population.clipped:.2%} of the activations clipped"] if population.clipped else []
    counts = {
        "dead": population.dead,
        "silent": population.silent,
        "saturated": population.saturated,
    }
    return clipped + [f"{count} {kind}" for kind, count in counts.items() if count]
