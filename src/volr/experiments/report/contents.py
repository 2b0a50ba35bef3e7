"""The contents of the page, from the folder of an experiment.

An experiment may have been interrupted, or may still run. What is missing is left out, and the page
says so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from volr import __version__
from volr.backends import simulator
from volr.errors import VolrError
from volr.experiments.report import figures
from volr.experiments.report.confusion import confusion_figure
from volr.experiments.report.groups import by_task
from volr.experiments.report.maps import kernel_figure, rate_figure
from volr.experiments.report.parts import Figures, Page, Section, Words
from volr.experiments.report.stimuli import SHOWN, activities, stimulus_figure
from volr.experiments.report.tables import (
    activity_table,
    result_table,
    run_table,
    settings_table,
    version_table,
)
from volr.experiments.report.transfers import transfer_figures
from volr.experiments.report.whole_numbers import agreement, quantisation_table
from volr.experiments.report.windows import windows_figure
from volr.experiments.run_progress import no_progress
from volr.experiments.store.folder import MODELS, read_plan, read_runs
from volr.experiments.store.plans import commands
from volr.experiments.study import VOLR
from volr.experiments.tasks import task as find_task
from volr.experiments.versions import differences
from volr.model_files.model_file import read_model_file
from volr.models.model import SpikingModel
from volr.source import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from volr.experiments.report.groups import Group, TaskGroups
    from volr.experiments.report.parts import Part
    from volr.experiments.report.stimuli import ShownStimulus
    from volr.experiments.report.style import Drawing
    from volr.experiments.results import Row
    from volr.experiments.run_progress import RunProgress
    from volr.experiments.store.folder import Entry
    from volr.experiments.study import Others, Study


def page_of(
    folder: Path,
    data_dir: Path | None = None,
    progress: RunProgress = no_progress,
    study: Study = VOLR,
) -> Page:
    """The report of the experiment in ``folder``; ``DataError`` if no run is finished.

    ``data_dir`` is the folder with MNIST, for the stimuli that are shown. ``study`` may add numbers
    of others and sections of its own.
    """
    entries, plan = read_runs(folder, study.conditions), read_plan(folder)
    runs = [each.run for each in entries]
    models = {each.run.row: folder / MODELS / f"{each.key}.safetensors" for each in entries}
    everything = by_task(runs, study.conditions)
    tasks = [
        replace(each, groups=kept)
        for each in everything
        if (kept := tuple(g for g in each.groups if g.first.condition not in study.apart))
    ]
    sections = [_results(tasks, study.others)]
    for number, each in enumerate(tasks):
        progress("drawing", number, len(tasks) + 1, visible(each.task))
        sections.append(_task(each, models, data_dir, study.looked_at))
    progress("drawing", len(tasks), len(tasks) + 1)
    sections += [*study.sections(everything), _provenance(plan, entries)]
    names = ", ".join(visible(each.task) for each in everything)
    seeds = sorted({run.row.seed for run in runs})
    return Page(
        title=f"Experiment: {names}",
        lead=f"{len(runs)} runs, seeds {_ranges(seeds)}{_since(plan)}. "
        "Accuracies are on test samples, which neither training nor calibration saw; those of NAND "
        "and XOR have the same four stimuli as the training samples.",
        sections=tuple(sections),
        version=__version__,
    )


def _results(tasks: Sequence[TaskGroups], others: Others | None) -> Section:
    chance = "chance is always giving the commonest label."
    parts: list[Part] = [
        Words(
            "Mean test accuracy over the runs, their standard deviation, and half the width of the "
            "95 % interval of the mean (Student's t). "
            + (f"{others.about}; {chance}" if others else chance.capitalize())
        )
    ]
    if tasks:
        parts.append(result_table([group for each in tasks for group in each.groups], others))
    parts += _figures(
        figures.accuracy_figure(
            f"accuracy-{each.name}", f"Accuracy on {each.task}", each.groups, others
        )
        for each in tasks
    )
    return Section("results", "Results", tuple(parts))


def _task(
    each: TaskGroups,
    models: Mapping[Row, Path],
    data_dir: Path | None,
    looked_at: Sequence[str],
) -> Section:
    name, groups = each.name, each.groups
    training = figures.training_figure(f"training-{name}", "Training", groups)
    over_time = figures.over_time_figure(f"time-{name}", "Accuracy against simulated time", groups)
    parts: list[Part] = [*_figures([training, over_time])]
    if training is None:
        parts.append(Words("No training curves: nothing was trained."))
    if over_time is None:
        parts.append(Words("No accuracy against time: no spiking network's spikes were counted."))
    parts += _figures(each for group in groups for each in transfer_figures(group))
    parts += _whole_numbers(groups, models, data_dir)
    # Windows show the spikes of networks with first spikes.
    rates = [each for each in groups if not each.is_exact]
    if len(rates) == len(groups) or any(each.first.neuron for each in rates):
        parts += _stimuli(rates, models, data_dir, looked_at)
    confusions = (confusion_figure(f"confusion-{g.name}", g) for g in groups)
    parts += _figures(confusions, folded="Which label got which answer")
    if any(run.activity for group in groups for run in group.runs):
        parts.append(activity_table(groups))
    else:
        parts.append(Words("No synaptic operations: no run has counted them."))
    return Section(f"task-{name}", visible(each.task), tuple(parts))


def _stimuli(
    groups: Sequence[Group],
    models: Mapping[Row, Path],
    data_dir: Path | None,
    looked_at: Sequence[str],
) -> list[Part]:
    """Rasters of one model, that of the first seed; or the reason why there are none."""
    known = [g for name in looked_at for g in groups if g.first.condition == name]
    spiking = [*known, *(g for g in groups if g.first.neuron and g not in known)]
    paths = {group: models[group.first] for group in spiking}
    chosen = next((group for group, path in paths.items() if path.is_file()), None)
    if chosen is None:
        return [Words("No spikes to look at: no model of a spiking network is there.")]
    try:
        drawings = _drawn(chosen, paths[chosen], data_dir)
    except VolrError as error:
        return [Words(f"No spikes to look at: {visible(error.message)}")]
    return [Figures(drawings, folded="Spikes and membranes of single stimuli")]


def _whole_numbers(
    groups: Sequence[Group], models: Mapping[Row, Path], data_dir: Path | None
) -> list[Part]:
    """What quantisation cost, and one stimulus in the windows of the network that loses nothing."""
    parts: list[Part] = [Words(agreement(group)) for group in groups if group.is_exact]
    if any(run.quantisation for group in groups for run in group.runs):
        parts.append(quantisation_table(groups))
    exact = [group for group in groups if group.is_exact]
    there = [group for group in exact if models[group.first].is_file()]
    if exact and not there:
        parts.append(Words("No windows to look at: no model with first spikes is there."))
    for group in there[:1]:
        try:
            shown = _simulated(group, models[group.first], data_dir, most=1)
        except VolrError as error:
            parts.append(Words(f"No windows to look at: {visible(error.message)}"))
            continue
        parts += _figures(
            windows_figure(f"windows-{group.name}", group.label, model, each)
            for model, each in shown
        )
    return parts


def _simulated(
    group: Group, path: Path, data_dir: Path | None, most: int = SHOWN
) -> list[tuple[SpikingModel, ShownStimulus]]:
    """A few test stimuli in the group's first model, run on the engine."""
    model, row = read_model_file(path).model, group.first
    if not isinstance(model, SpikingModel):
        return []
    size = model.network.input_size
    data = find_task(row.task).load(seed=row.seed, inputs=size, data_dir=data_dir)
    with simulator("engine") as engine:
        found = activities(model, data.test, engine, seed=row.seed, most=most)
    return [(model, each) for each in found]


def _drawn(group: Group, path: Path, data_dir: Path | None) -> tuple[Drawing, ...]:
    shown = _simulated(group, path, data_dir)
    drawings = [
        kernel_figure(f"kernels-{group.name}", group.label, model) for model, _ in shown[:1]
    ]
    for number, (model, each) in enumerate(shown, 1):
        name = f"{group.name}-{number}"
        drawings += [
            stimulus_figure(f"stimulus-{name}", group.label, model, each),
            rate_figure(f"maps-{name}", group.label, model, each.spikes),
        ]
    return tuple(each for each in drawings if each is not None)


def _provenance(plan: Mapping[str, Any], entries: Sequence[Entry]) -> Section:
    runs = [each.run for each in entries]
    parts: list[Part] = []
    typed = [each["command"] for each in commands(plan) if isinstance(each.get("command"), str)]
    if typed:
        parts.append(Words("The command:" if len(typed) == 1 else "The commands, one by one:"))
        parts += [Words(visible(command), code=True) for command in typed]
    programs = dict.fromkeys((run.row.task, run.row.program) for run in runs)
    parts += [Words("The programs:")]
    parts += [Words(visible(f"{task}: {program}"), code=True) for task, program in programs]
    if plan:
        parts.append(version_table(plan))
    else:
        parts.append(Words("The command and the versions are not known: plan.json is missing."))
    if differing := differences(run.versions for run in runs):
        parts.append(Words(f"Not all runs were made with the same versions: {visible(differing)}."))
    settings = settings_table(entries)
    parts += [settings, run_table(runs)] if settings.rows else [run_table(runs)]
    return Section("provenance", "Versions, seeds, commands", tuple(parts))


def _figures(drawings: Iterable[Drawing | None], folded: str | None = None) -> list[Part]:
    found = tuple(each for each in drawings if each is not None)
    return [Figures(found, folded)] if found else []


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as ranges: 0–9, 12."""
    spans: list[list[int]] = []
    for each in numbers:
        if spans and each == spans[-1][-1] + 1:
            spans[-1].append(each)
        else:
            spans.append([each])
    return ", ".join(f"{span[0]}" if len(span) == 1 else f"{span[0]}–{span[-1]}" for span in spans)


def _since(plan: Mapping[str, Any]) -> str:
    started = next(commands(plan)).get("started")
    return f", begun on {_day(started)}" if isinstance(started, str) else ""


def _day(moment: str) -> str:
    """An ISO 8601 moment as date and time; any other text unchanged."""
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        return visible(moment)
    zone = "" if when.tzinfo is None else f" {when.tzname()}"
    return f"{when.day} {when:%B %Y, %H:%M}{zone}"
