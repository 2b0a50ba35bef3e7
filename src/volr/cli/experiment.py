"""``experiment``: every condition of each task, over several seeds, in one table."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli import options
from volr.cli.files import check_writable
from volr.cli.groups import MACHINES, SPIKING
from volr.cli.output import note, print_json, print_table
from volr.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.conditions import Condition
    from volr.experiments.execution.cluster import Cluster
    from volr.experiments.execution.here import Here
    from volr.experiments.execution.local import Local
    from volr.experiments.progress import Progress
    from volr.experiments.results import Row
    from volr.network import Network

UNLESS_TOLD = ("nand", "xor", "digits")
QUICK_TASKS, QUICK_REPEATS = ("nand", "xor", "mnist", "mnist-parallel"), 3


def experiment(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TASK",
            help="nand, xor, digits, mnist, mnist-parallel.",
            show_default=" ".join(UNLESS_TOLD),
        ),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Number of seeds.", show_default="1")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="First seed.")] = 0,
    conditions: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            help="ann, ann:futhark, snn-random, snn-surrogate, snn-transferred, "
            "snn-transferred:futhark, snn-finetuned.",
            show_default="all that is installed",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Three seeds, fewer images and epochs; nand, xor and both mnist unless told.",
        ),
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder for results.json, the runs and their models. The same command goes on "
            "where it was cut short; another experiment's results are moved aside.",
        ),
    ] = Path("results"),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, even where runs are there already.")
    ] = False,
    program: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Program for all tasks; - is standard input.",
            show_default="each task's own",
        ),
    ] = None,
    data: options.DataFolder = None,
    settings: options.SettingsFile = None,
    epochs: options.Epochs = None,
    neuron: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Neuron model: if_curr_exp, if_curr_delta or if_cond_exp. May be repeated.",
            show_default="if_curr_exp",
            rich_help_panel=SPIKING,
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            metavar="MS",
            help="Simulated time of one stimulus.",
            show_default="50",
            rich_help_panel=SPIKING,
        ),
    ] = None,
    dt: Annotated[
        float | None,
        typer.Option(
            metavar="MS",
            help="Time step of the simulation.",
            show_default="0.5",
            rich_help_panel=SPIKING,
        ),
    ] = None,
    on: Annotated[
        str,
        typer.Option(
            metavar="BACKEND",
            help="Simulator that spiking networks run on, those of the loop in training too.",
            rich_help_panel=SPIKING,
        ),
    ] = "nest",
    processes: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Runs at the same time; 1: in this process.",
            show_default="one a core",
            rich_help_panel=MACHINES,
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Make the runs on the workers of this Dask scheduler: tcp://host:8786.",
            rich_help_panel=MACHINES,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train, transfer and measure: every condition of each task, in one table."""
    from volr.experiments.conditions import CONDITIONS, Plan
    from volr.experiments.conditions import condition as find_condition
    from volr.experiments.journal import open_journal, set_aside
    from volr.experiments.plan_file import described
    from volr.experiments.results import RESULTS, results_json
    from volr.experiments.runner import carry_on, check_possible, task_network
    from volr.experiments.settings import QUICK, Settings, read_settings
    from volr.experiments.tasks import task as find_task
    from volr.language import read_source, to_network

    names = tasks or (QUICK_TASKS if quick else UNLESS_TOLD)
    chosen = [find_task(name) for name in dict.fromkeys(names)]
    own = None if program is None else to_network(read_source(program))
    networks = {task.name: task_network(task, own) for task in chosen}
    base = Settings() if settings is None else read_settings(settings)
    base = replace(base, **(QUICK if quick else {}))
    told = {"epochs": epochs, "duration": duration, "dt": dt}
    base = replace(base, **{key: value for key, value in told.items() if value is not None})
    labels = None if conditions is None else [each.strip() for each in conditions.split(",")]
    plan = Plan(
        tasks={name: _text(network) for name, network in networks.items()},
        seeds=range(seed, seed + (repeats or (QUICK_REPEATS if quick else 1))),
        conditions=_installed(CONDITIONS) if labels is None else [*map(find_condition, labels)],
        on=on,
        settings=[replace(base, neuron=each) for each in dict.fromkeys(neuron or [base.neuron])],
    )
    check_writable(out / RESULTS)
    check_possible(plan, data)
    with open_journal(out) as journal, progress_bar() as progress, ExitStack() as stack:
        specs = plan.specs()
        there = journal.finished(specs)
        if (fresh or journal.conflicts(specs)) and (aside := set_aside(out)):
            note(f"the earlier results are now in {aside}")
            there = {}
        elif there:
            note(f"{len(there)} of {len(specs)} runs are in {out} already")
        journal.write_plan(described(plan, sys.argv))
        rows: Sequence[Row] = ()
        if len(there) < len(specs):
            missing = len(specs) - len(there)
            execution = stack.enter_context(_execution(processes, dask, missing, progress))
            for done in carry_on(plan, journal, execution, data, progress):
                row = done.run.row
                note(
                    f"{done.count}/{done.total}  {row.task}, seed {row.seed}: "
                    f"{done.spec.condition.label} on {row.backend} {row.accuracy:.4f} in "
                    f"{row.seconds:.1f} s"
                )
        finished = journal.finished(specs)
        rows = [finished[spec.key].row for spec in specs]
    if as_json:
        print_json(results_json(rows))
    else:
        print_summary(rows)
    note(f"wrote {out / RESULTS}")


def _installed(conditions: Sequence[Condition]) -> list[Condition]:
    """The conditions whose back ends are here; a note says which are left out, and why."""
    from volr.backends import backend
    from volr.backends.base import install_hint, is_ready

    futhark = backend("futhark")
    if is_ready(futhark):
        return list(conditions)
    kept = [each for each in conditions if each.source != "futhark"]
    left = ", ".join(each.label for each in conditions if each.source == "futhark")
    note(f"without {left}: Futhark is not installed ({install_hint(futhark)})")
    return kept


def _text(network: Network) -> str:
    return "" if network.source is None else network.source.text.strip()


def _execution(
    processes: int | None, dask: str | None, missing: int, progress: Progress
) -> Here | Local | Cluster:
    from volr.cores import cores
    from volr.experiments.execution.cluster import Cluster
    from volr.experiments.execution.here import Here
    from volr.experiments.execution.local import Local

    if dask is not None:
        return Cluster(dask)
    wanted = min(cores() if processes is None else processes, missing)
    return Here(progress) if wanted == 1 else Local(wanted)


def print_summary(rows: Sequence[Row]) -> None:
    """Mean and standard deviation over the seeds, by task and condition."""
    from volr.experiments.results import summarise

    print_table(
        ("task", "condition", "trained on", "backend", "neuron", "accuracy", "n", "chance"),
        [
            (
                each.task,
                each.condition,
                each.source,
                each.backend,
                each.neuron or "–",
                f"{each.mean:.3f} ± {each.std:.3f}",
                f"{each.n}",
                f"{each.chance:.3f}",
            )
            for each in summarise(rows)
        ],
        left=5,
    )
