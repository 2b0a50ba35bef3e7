"""What a quantisation shows: its populations, and what the whole cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from volr.display.parts import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.display.parts import Part
    from volr.quantisation.quantise import QuantisationReport

_COLUMNS = {
    "population": "{0.name}",
    "size": "{0.size}",
    "level": "{1}",
    "clipped": "{0.clipped:.2%}",
    "error": "{0.error:.2%}",
    "largest sum": "{0.largest:,}",
}


def quantisation_parts(report: QuantisationReport) -> Iterator[Part]:
    """The report of a quantisation."""
    rows: list[list[str]] = []
    for each in report.populations:
        level = "" if math.isnan(each.height) else f"{each.height:.4g}"
        rows.append([form.format(each, level) for form in _COLUMNS.values()])
    yield Table([*_COLUMNS], rows)
    yield (
        f"{report.levels} levels of {report.step:,} steps; full is the {report.percentile:g}th "
        "percentile of a unit's activations\n"
        f"accuracy on {report.samples:,} training stimuli: {report.accuracy_before:.4f} before, "
        f"{report.accuracy_after:.4f} after; {report.agreement:.2%} get the same label"
    )
