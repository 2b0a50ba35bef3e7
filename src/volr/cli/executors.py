"""Who does the work: the options, and what becomes of them for runs of experiments and searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from volr.cli.options import MACHINES, MisplacedError, count, option

if TYPE_CHECKING:
    from volr.experiments.execution.cluster import Cluster
    from volr.experiments.execution.here import Here
    from volr.experiments.execution.local import Local
    from volr.experiments.run_progress import RunProgress

Fresh = Annotated[
    bool, option(..., "Begin anew: make all runs again, those that exist too.", flags="--fresh")
]


_SCHEDULER = "Dask scheduler whose workers do the work: such as tcp://host:8786."
Dask = Annotated[
    str | None, option(..., f"{_SCHEDULER} Stimuli go there in shares.", "ADDRESS", panel=MACHINES)
]


@dataclass(frozen=True, kw_only=True)
class Machines:
    """How many runs are made at the same time, and where."""

    panel: ClassVar = MACHINES
    processes: int | None = count(
        None, "Runs at the same time; 1: in this process.", unless="one a core"
    )
    dask: str | None = option(None, f"{_SCHEDULER} They make the runs.", "ADDRESS")

    def __post_init__(self) -> None:
        if self.dask is not None and self.processes is not None:
            raise MisplacedError("--processes: the workers of --dask make the runs")

    def execution(self, runs: int, progress: RunProgress) -> Here | Local | Cluster:
        """What makes the runs, at most ``runs`` at the same time.

        Raises ``MissingError`` without Dask, and ``BackendError`` if no scheduler answers.
        """
        from volr.experiments.execution.cluster import Cluster
        from volr.experiments.execution.here import Here
        from volr.experiments.execution.local import Local
        from volr.system.cores import cores

        if self.dask is not None:
            return Cluster(self.dask)
        wanted = min(cores() if self.processes is None else self.processes, runs)
        return Here(progress) if wanted == 1 else Local(wanted)
