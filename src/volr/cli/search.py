"""``search``: the settings with the best validation accuracy."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli import completion, options
from volr.cli.executors import Fresh, Machines
from volr.cli.input_files import check_data
from volr.cli.options import SPIKING, count, option, with_options
from volr.cli.output import emit, note, print_json, print_table
from volr.cli.output_files import check_folder, check_writable
from volr.cli.progress import progress_bar
from volr.cli.spiking_options import NEURON, Times
from volr.errors import VolrError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.experiments.search.trial import Trial
    from volr.experiments.search.trials import Found, Search

SHOWN = 10


@with_options
def search(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK", help=options.TASKS, autocompletion=completion.among(completion.TASKS)
        ),
    ],
    condition: str = option(
        "snn-transferred",
        "Condition to improve: ann, ann:futhark, snn-random, snn-surrogate, snn-transferred, "
        "snn-transferred:futhark or snn-finetuned.",
        "NAME",
        names=completion.SEARCHED,
    ),
    over: list[str] | None = option(
        None,
        "Setting to vary, and its values: dt=0.1,0.2,0.5 or rate_max=200..1000 or "
        "learning_rate=1e-4..1e-2:log. Names are those of a settings file, such as "
        "neuron_parameters.tau_m, and width. May be repeated.",
        "NAME=VALUES",
        unless="those that matter to the condition",
    ),
    trials: int = count(45, "Number of trials.", most=10_000),
    repeats: int = count(1, "Number of seeds: that the best trials are measured with.", most=1_000),
    seed: int = options.seed(0, "the proposals."),
    batch: int = count(
        9, "Number of trials that are proposed together, and can run at the same time.", most=1_000
    ),
    minutes: float | None = option(
        None,
        "Begin no batch after this time. The same command continues later.",
        "X",
        unless="no limit",
    ),
    out: Path = option(
        Path("search"),
        "Where to write: the folder for best.json, trials.json and the runs. The same command "
        "continues what was cut short; with more --trials, it goes further.",
        "DIR",
    ),
    fresh: Fresh = False,
    program: str | None = option(
        None,
        f"Program: to begin with, {options.PROGRAMS}; - is standard input.",
        "FILE",
        unless="the task's own",
        names=completion.PROGRAMS,
        or_file=True,
    ),
    data: options.DataFolder = None,
    settings: options.SettingsFile = None,
    neuron: str | None = option(
        None,
        NEURON,
        "NAME",
        of="volr.experiments.settings:Settings.neuron",
        panel=SPIKING,
        names=completion.NEURONS,
    ),
    *,
    times: Times,
    on: str = options.on(
        "engine",
        "for spiking networks; the engine has NEST's spikes.",
        completion.SPIKING,
        panel=SPIKING,
    ),
    machines: Machines,
    as_json: options.Json = False,
) -> None:
    """Find better settings on validation data, with Optuna."""
    from volr.experiments.conditions import condition as find_condition
    from volr.experiments.plan import ExperimentPlan
    from volr.experiments.programs import program_source
    from volr.experiments.runner import check_possible, task_network
    from volr.experiments.search.proposals import require_optuna, weights
    from volr.experiments.search.space import parameters
    from volr.experiments.search.store import BEST, begin, best_json, trials_json, write_found
    from volr.experiments.search.trials import FIRST_SEED, Search, rungs_of, search_on
    from volr.experiments.settings_file import read_settings, settings_with
    from volr.experiments.store.folder import open_journal
    from volr.experiments.tasks import known_task as find_task
    from volr.language import to_network
    from volr.source import Source

    if minutes is not None and not (math.isfinite(minutes) and minutes >= 0):
        raise VolrError(f"--minutes is {minutes}, not 0 or more")
    require_optuna()
    chosen, sought = find_task(task), find_condition(condition)
    check_data(data, chosen)
    file = read_settings(settings)
    base = settings_with(file, {"neuron": neuron, **vars(times)})
    if program is not None:
        source = program_source(program)
    elif (found_in_file := file.program_for(task)) is not None:
        source = Source(found_in_file, str(settings))
    else:
        source = Source(chosen.program)
    text = source.text.strip()
    network = task_network(chosen, to_network(source))
    asked = Search(
        task=task,
        program=text,
        condition=sought,
        on=on,
        settings=base,
        space=parameters(over or (), sought, base, text),
        trials=trials,
        batch=batch,
        seeds=repeats,
        seed=seed,
    )
    check_folder(out)
    # A search that begins moves what an earlier one found aside.
    check_writable(out / BEST, source=settings)
    first = ExperimentPlan(
        tasks={task: text}, seeds=[FIRST_SEED], conditions=[sought], on=on, settings=[base]
    )
    with progress_bar() as progress:
        check_possible(first, data, progress, {task: network})
    ladder = rungs_of(asked, data)
    end = math.inf if minutes is None else time.monotonic() + 60 * minutes
    with (
        open_journal(out) as journal,
        progress_bar() as progress,
        machines.execution(batch * repeats, progress) as execution,
    ):
        if aside := begin(asked, out, ["volr", *sys.argv[1:]], fresh=fresh):
            note(f"the earlier search is now in {aside}")
        found = None
        for found in search_on(
            asked,
            ladder,
            journal,
            execution,
            data,
            progress,
            enough=lambda: time.monotonic() >= end,
        ):
            write_found(asked, ladder, found, out)
            note(_progress(found, batch))
        if found is None:
            return
        shares = weights(asked.space, found.trials)
        is_written = write_found(asked, ladder, found, out, shares)
    if as_json:
        print_json({"best": best_json(asked, found), **trials_json(ladder, found, shares)})
    else:
        _print_found(asked, found, len(ladder), shares)
    if best_json(asked, found)["trial"] is None:
        note("no trial was better than the settings as they are")
    if not is_written:
        note(f"{out / BEST} is of more trials than these, and stays as it was")
        return
    note(f"wrote {out / BEST}; use it with `volr experiment {task} --settings {out / BEST}`")


def _progress(found: Found, batch: int) -> str:
    """A line about the last batch."""
    from volr.experiments.search.trial import best

    if not found.trials:
        return f"the settings as they are: {found.baseline:.4f}"
    begun = (len(found.trials) - 1) // batch * batch
    latest = found.trials[begun:]
    counts = {state: sum(each.state == state for each in latest) for state in ("pruned", "failed")}
    ended = "".join(f", {count} {state}" for state, count in counts.items() if count)
    top = best(found.trials)
    so_far = "" if top is None else f"; best so far {top.scores[-1]:.4f}, trial {top.number}"
    reasons = "".join(
        f"\ntrial {each.number}: {each.why}" for each in latest if each.state == "failed"
    )
    trials = "1 trial" if len(found.trials) == 1 else f"{len(found.trials)} trials"
    return f"{trials}{ended}{so_far}{reasons}"


def _print_found(asked: Search, found: Found, rungs: int, shares: Mapping[str, float]) -> None:
    """Print the trials that came furthest, best first, and the weight of each setting."""
    ranked = sorted(
        (each for each in found.trials if each.scores),
        key=lambda each: (-len(each.scores), -each.scores[-1], each.number),
    )
    names = [each.name for each in asked.space]
    start = ["as they are", *("–" for _ in names), *("" for _ in range(rungs - 1))]
    print_table(
        ("trial", *names, *(f"rung {height}" for height in range(1, rungs)), "validation"),
        [[*start, f"{found.baseline:.4f}"], *(_row(each, names, rungs) for each in ranked[:SHOWN])],
    )
    if shares:
        listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        emit(f"\nwhat made the difference: {listed}\n")


def _row(trial: Trial, names: Sequence[str], rungs: int) -> list[str]:
    scores = [f"{each:.4f}" for each in trial.scores]
    return [
        f"{trial.number}",
        *(f"{trial.values[name]}" for name in names),
        *scores,
        *("–" for _ in range(rungs - len(scores))),
    ]
