"""The code inside a process of ``Local``: see ``volr.backends.processes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.experiments.execution.job import carry_out
from volr.experiments.execution.transport import arrays_of, job_of
from volr.experiments.simulators import Simulators

if TYPE_CHECKING:
    from volr.backends.messages import Arrays, Settings

# They live as long as the process, since the next run needs them again.
_simulators = Simulators()


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """Make one run."""
    return arrays_of(carry_out(job_of(arrays, settings), _simulators))
