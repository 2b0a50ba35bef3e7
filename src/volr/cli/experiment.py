"""``experiment``: every condition of each task, over several seeds, in one table."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli import completion, options
from volr.cli.executors import Fresh, Machines
from volr.cli.input_files import check_data
from volr.cli.learning_options import usual_epochs
from volr.cli.options import SPIKING, count, given_values, option, refuse, with_options
from volr.cli.output import note, print_json, print_table
from volr.cli.output_files import check_folder, check_writable
from volr.cli.progress import progress_bar
from volr.cli.quantise import Levels
from volr.cli.spiking_options import NEURON, Times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.experiments.condition import Condition
    from volr.experiments.results import Row, Run
    from volr.experiments.settings import Settings
    from volr.experiments.study import Study
    from volr.network import Network

DEFAULT_TASKS, DEFAULT_REPEATS = ("nand", "xor", "digits"), 1
QUICK_TASKS, QUICK_REPEATS = ("nand", "xor", "mnist", "mnist-parallel"), 3


@with_options
def experiment(
    context: typer.Context,
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TASK",
            help=options.TASKS,
            show_default=" ".join(DEFAULT_TASKS),
            autocompletion=completion.among(completion.TASKS),
        ),
    ] = None,
    repeats: int | None = count(
        None, "Number of seeds: of every condition.", most=10_000, unless=f"{DEFAULT_REPEATS}"
    ),
    seed: int = options.seed(0, "everything in the first run; further repeats take the next ones."),
    conditions: str | None = option(
        None,
        "ann, ann:futhark, ann-quantised, snn-random, snn-surrogate, snn-transferred, "
        "snn-transferred:futhark, snn-finetuned, snn-exact.",
        "A,B,…",
        names=completion.CONDITIONS,
        unless="all that is installed",
    ),
    quick: bool = option(
        default=False,
        help="Three seeds, fewer images and epochs; by default nand, xor and both mnist.",
        flags="--quick",
    ),
    out: Path = option(
        Path("results"),
        "Where to write: the folder for results.json, the runs and their models. The same command "
        "continues what was cut short; another experiment's results are moved aside.",
        "DIR",
    ),
    fresh: Fresh = False,
    program: str | None = option(
        None,
        f"Program: for all tasks, {options.PROGRAMS}; - is standard input.",
        "FILE",
        unless="each task's own",
        names=completion.PROGRAMS,
        or_file=True,
    ),
    data: options.DataFolder = None,
    settings: options.SettingsFile = None,
    epochs: int | None = count(
        None,
        "Passes over the training data: of artificial networks; those of spiking ones stand in "
        "--settings.",
        unless=usual_epochs,
    ),
    neuron: list[str] | None = option(
        None,
        f"{NEURON} May be repeated.",
        "NAME",
        of="volr.experiments.settings:Settings.neuron",
        names=completion.NEURONS,
        panel=SPIKING,
    ),
    *,
    times: Times,
    levels: Levels,
    on: str = options.on(
        "nest",
        "for spiking networks, also in the loop of training. NEST, because results are to hold "
        "outside of Volr.",
        completion.SPIKING,
        panel=SPIKING,
    ),
    machines: Machines,
    as_json: options.Json = False,
) -> None:
    """Measure every condition of each task, in one table."""
    from volr.experiments.plan import ExperimentPlan
    from volr.experiments.programs import program_source
    from volr.experiments.results import RESULTS, results_json
    from volr.experiments.runner import carry_on, check_possible, task_network
    from volr.experiments.settings_file import read_settings, settings_with
    from volr.experiments.store.folder import MODELS, RUNS, open_journal, set_aside
    from volr.experiments.store.plans import plan_json
    from volr.experiments.study import VOLR
    from volr.experiments.tasks import known_task as find_task
    from volr.language import to_network
    from volr.source import Source

    names = tasks or (QUICK_TASKS if quick else DEFAULT_TASKS)
    for each in names:
        if "," in each:
            refuse([each], f"tasks stand apart: {' '.join(filter(None, each.split(',')))}")
    chosen = [find_task(name) for name in dict.fromkeys(names)]
    check_data(data, *chosen)
    own = None if program is None else to_network(program_source(program))
    file = read_settings(settings)
    networks: dict[str, Network] = {}
    for each in chosen:
        searched = None if own else file.program_for(each.name)
        found = to_network(Source(searched, str(settings))) if searched else own
        networks[each.name] = task_network(each, found)
    study: Study = context.obj or VOLR
    base = settings_with(
        file,
        {"neuron": None if "neuron" in file.settings else study.neuron},
        {"epochs": epochs, **given_values(levels), **vars(times)},
    )
    labels = None if conditions is None else [each.strip() for each in conditions.split(",")]
    plan = ExperimentPlan(
        tasks={name: _text(network) for name, network in networks.items()},
        seeds=range(seed, seed + (repeats or (QUICK_REPEATS if quick else DEFAULT_REPEATS))),
        conditions=_chosen(study, labels, on, base, networks),
        on=on,
        settings=[replace(base, neuron=each) for each in dict.fromkeys(neuron or [base.neuron])],
        quick=quick,
    )
    for each in (out, out / RUNS, out / MODELS):
        check_folder(each)
    check_writable(out / RESULTS)
    with progress_bar() as progress:
        check_possible(plan, data, progress, networks)
    with open_journal(out) as journal, progress_bar() as progress, ExitStack() as stack:
        specs = plan.specs()
        anew = fresh or journal.is_unplanned() or journal.conflicts(specs)
        there = {} if anew else journal.finished(specs)
        missing = len(specs) - len(there)
        execution = None
        if missing:
            execution = stack.enter_context(machines.execution(missing, progress))
        # Only when the executor is ready.
        if anew and (aside := set_aside(out)):
            note(f"the earlier results are now in {aside}")
        if there:
            note(f"{len(there)} of {len(specs)} runs are in {out} already")
            _compare([each.versions for each in there.values()], more=missing > 0)
        if execution is not None:
            # Only if runs are made, since the plan has their versions and time.
            command = [*f"{context.find_root().info_name}".split(), *sys.argv[1:]]
            journal.write_plan(plan_json(plan, command))
            for done in carry_on(plan, journal, execution, data, progress):
                row = done.run.row
                note(
                    f"{done.count}/{done.total}  {row.task}, seed {row.seed}: "
                    f"{done.spec.condition.label} on {row.backend} {row.accuracy:.4f} in "
                    f"{row.seconds:.1f} s{_agreement(done.run)}"
                )
        finished = journal.finished(specs)
        rows = [finished[spec.key].row for spec in specs]
        # An earlier command may have been killed before it wrote them.
        journal.write_results(rows)
    if as_json:
        print_json(results_json(rows))
    else:
        print_summary(rows)
    note(f"wrote {out / RESULTS}")


def _chosen(
    study: Study,
    labels: Sequence[str] | None,
    on: str,
    settings: Settings,
    networks: Mapping[str, Network],
) -> Sequence[Condition]:
    """The conditions with these labels; by default, all whose back ends are installed.

    Optional ones also need networks, and a simulator, that have what they need. A note names the
    conditions that are left out, and the reason.
    """
    from volr.backends import backend
    from volr.backends.refusals import install_hint, is_ready
    from volr.experiments.conditions import condition

    if labels is not None:
        return [condition(each, study.conditions) for each in labels]
    futhark = backend("futhark")
    without: dict[str, list[str]] = {}
    kept: list[Condition] = []
    for each in study.measured:
        reason = _lacking(each, on, settings, networks)
        if each.source == "futhark" and not is_ready(futhark):
            reason = f"Futhark is not installed ({install_hint(futhark)})"
        if reason is None:
            kept.append(each)
        else:
            without.setdefault(reason, []).append(each.label)
    for reason, left in without.items():
        note(f"without {', '.join(left)}: {reason}")
    return kept


def _lacking(
    condition: Condition, on: str, settings: Settings, networks: Mapping[str, Network]
) -> str | None:
    """Why an optional condition is left out; None if it is not."""
    from volr.backends import backend
    from volr.backends.refusals import check_supported
    from volr.errors import UnsupportedError

    if not condition.optional:
        return None
    runner = backend(on if condition.is_spiking else condition.source)
    try:
        for network in networks.values():
            check_supported(runner, condition.empty_model(settings, network))
    except UnsupportedError as error:
        return error.message
    return None


def _agreement(run: Run) -> str:
    """The labels that are not those of the network of whole numbers, if there is one."""
    if run.differing is None:
        return ""
    return f"; {run.differing:,} of {run.row.samples:,} labels differ from the quantised network's"


def _compare(made: Sequence[Mapping[str, str]], *, more: bool) -> None:
    """Print a note if the runs of one table are made with different versions."""
    from volr.experiments.versions import differences, versions

    if given := differences([*made, versions()] if more else made):
        note(f"not all runs of this table are made with the same: {given}")
        note("so their last digits may differ; --fresh makes all of them again")


def _text(network: Network) -> str:
    return "" if network.source is None else network.source.text.strip()


def print_summary(rows: Sequence[Row]) -> None:
    """Print mean and standard deviation over the seeds, by task and condition."""
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
                # A single run has no deviation.
                f"{each.mean:.3f}" + ("" if each.std is None else f" ± {each.std:.3f}"),
                f"{each.n}",
                f"{each.chance:.3f}",
            )
            for each in summarise(rows)
        ],
        left=5,
    )
