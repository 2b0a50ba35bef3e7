"""The study as a whole: what it measures, and what its report shows beside that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.pedersen2019.conditions import ABLATION, CONDITIONS, MEASURED
from studies.pedersen2019.thesis import THESIS
from studies.pedersen2019.transfer import NEURON

from volr.experiments import conditions
from volr.experiments.study import VOLR, Study

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.report.groups import TaskGroups
    from volr.experiments.report.parts import Section


def _sections(tasks: Sequence[TaskGroups]) -> Sequence[Section]:
    # Imported here: it needs Matplotlib, and experiments do not.
    from studies.pedersen2019.report import sections

    return sections(tasks)


STUDY = Study(
    conditions=(*conditions.CONDITIONS, *CONDITIONS),
    measured=MEASURED,
    neuron=NEURON.name,
    looked_at=(*VOLR.looked_at, "original-transferred", "original-random"),
    others=THESIS,
    apart={each.name for each in ABLATION},
    sections=_sections,
)
