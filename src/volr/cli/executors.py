"""Who makes the runs of experiments and searches: the options, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli.option_groups import MACHINES

if TYPE_CHECKING:
    from volr.experiments.execution.cluster import Cluster
    from volr.experiments.execution.here import Here
    from volr.experiments.execution.local import Local
    from volr.experiments.progress import Progress

Fresh = Annotated[
    bool, typer.Option("--fresh", help="Begin anew, even where runs are there already.")
]
Processes = Annotated[
    int | None,
    typer.Option(
        "--processes",
        metavar="N",
        min=1,
        help="Runs at the same time; 1: in this process.",
        show_default="one a core",
        rich_help_panel=MACHINES,
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Make the runs on the workers of this Dask scheduler: tcp://host:8786.",
        rich_help_panel=MACHINES,
    ),
]


def execution(
    processes: int | None, dask: str | None, runs: int, progress: Progress
) -> Here | Local | Cluster:
    """Whoever makes them, ``runs`` at the same time at most.

    Raises ``MissingError`` without Dask, ``BackendError`` where no scheduler answers.
    """
    from volr.experiments.execution.cluster import Cluster
    from volr.experiments.execution.here import Here
    from volr.experiments.execution.local import Local
    from volr.system.cores import cores

    if dask is not None:
        return Cluster(dask)
    wanted = min(cores() if processes is None else processes, runs)
    return Here(progress) if wanted == 1 else Local(wanted)
