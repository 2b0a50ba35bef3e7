"""An experiment: the runs of a plan, each made as soon as those that it needs are done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.backends import backend, spiking_backend
from volr.backends.refusals import check_supported, require
from volr.errors import VolrError
from volr.experiments.execution.job import Done, Failed, Job
from volr.experiments.results import Run
from volr.experiments.run import data_of, empty_model
from volr.experiments.run_progress import no_progress
from volr.experiments.tasks import check_fits
from volr.language import to_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from volr.experiments.execution.job import Execution
    from volr.experiments.plan import ExperimentPlan, Spec
    from volr.experiments.run_progress import RunProgress
    from volr.experiments.store.folder import Journal
    from volr.experiments.tasks import Task
    from volr.network import Network


@dataclass(frozen=True)
class Finished:
    """A new run: number ``count`` of ``total``, including those that the journal had."""

    spec: Spec
    run: Run
    count: int
    total: int


def task_network(task: Task, network: Network | None = None) -> Network:
    """``network``, or that of the task's own program; ``DataError`` if it does not fit."""
    chosen = to_network(task.program) if network is None else network
    check_fits(task, chosen.input_size, chosen.output_size, chosen)
    return chosen


def check_possible(
    plan: ExperimentPlan,
    data_dir: Path | None = None,
    progress: RunProgress = no_progress,
    networks: Mapping[str, Network] | None = None,
) -> None:
    """Find out, before anything is trained, whether all runs are possible.

    ``networks`` are those of the plan's programs, by task: errors name the files that they are
    from.
    Raises ``BackendError`` if ``on`` simulates nothing, ``DataError`` if a task's data are missing,
    ``UnsupportedError`` if the simulator lacks the neuron, ``ModelError`` if a condition cannot be
    built with the settings, and ``MissingError`` if a back end is not installed.
    """
    on = spiking_backend(plan.on)
    specs = plan.specs()
    for spec in {(s.task, s.on, s.settings.neuron, s.condition): s for s in specs}.values():
        runner = on if spec.condition.is_spiking else backend(spec.on)
        for each in (runner, *map(backend, spec.condition.backends(spec.settings, spec.on))):
            require(each)
        check_supported(runner, empty_model(spec, (networks or {}).get(spec.task)))
    firsts: dict[str, Spec] = {}
    for spec in specs:
        firsts.setdefault(spec.task, spec)
    for spec in firsts.values():
        progress(f"loading {spec.task}", 0, None)
        data_of(spec, to_network(spec.program), data_dir)


def carry_on(
    plan: ExperimentPlan,
    journal: Journal,
    execution: Execution,
    data_dir: Path | None = None,
    progress: RunProgress = no_progress,
) -> Iterator[Finished]:
    """Make all runs of ``plan`` that ``journal`` does not have. Keep and yield each.

    The result of a run depends neither on who makes it nor on how many are made at once. If a run
    fails, only those that need its model fail too. In the end a ``VolrError`` says which failed,
    and why.
    """
    specs = plan.specs()
    runs = journal.finished(specs)
    failed: dict[str, Failed] = {}
    journal.write_results([runs[spec.key].row for spec in specs if spec.key in runs])
    for spec, answer in make_missing(specs, runs, journal, execution, data_dir, progress):
        match answer:
            case Failed():
                failed[spec.key] = answer
            case Run():
                runs[spec.key] = answer
                journal.write_results([runs[s.key].row for s in specs if s.key in runs])
                yield Finished(spec, answer, len(runs), len(specs))
    if failed:
        raise _failure(failed)


def make_missing(
    specs: Sequence[Spec],
    there: Mapping[str, Run],
    journal: Journal,
    execution: Execution,
    data_dir: Path | None = None,
    progress: RunProgress = no_progress,
    stage: str = "runs",
) -> Iterator[tuple[Spec, Run | Failed]]:
    """Make the runs of ``specs`` that are not ``there`` by key, each after those that it needs.

    Keep each, and yield its result. ``stage`` is for ``progress``. Raises ``DataError`` at the
    beginning if a run could not be kept in the end.
    """
    runs = dict(there)
    todo = [spec for spec in specs if spec.key not in runs]
    for spec in todo:
        journal.check_place(spec.key)
    # Other processes may have another current folder.
    data_folder = None if data_dir is None else str(data_dir.absolute())
    failed: dict[str, Failed] = {}
    under_way: dict[str, Spec] = {}

    def report() -> None:
        done = len(specs) - len(todo) - len(under_way)
        progress(stage, done, len(specs), _some(list(under_way)))

    while todo or under_way:
        for spec in _ready(todo, runs, failed, execution.room - len(under_way)):
            todo.remove(spec)
            if missing := [each.key for each in spec.needs if each.key in failed]:
                answer = Failed(f"it needs {', '.join(missing)}, which failed", None)
                failed[spec.key] = answer
                yield spec, answer
                continue
            models = tuple(journal.model(each.key) for each in spec.needs)
            execution.submit(Job(spec, models, data_folder))
            under_way[spec.key] = spec
        report()
        if not under_way:
            continue
        for spec, answer in execution.finished():
            del under_way[spec.key]
            match answer:
                case Failed():
                    failed[spec.key] = answer
                    yield spec, answer
                case Done():
                    journal.write(spec, answer.run, answer.model)
                    runs[spec.key] = answer.run
                    yield spec, answer.run


def _some(keys: Sequence[str]) -> str:
    """The first two, and how many more there are, to fit on a line."""
    more = f" and {len(keys) - 2} more" if len(keys) > 2 else ""
    return ", ".join(keys[:2]) + more


def _ready(
    todo: list[Spec], runs: Mapping[str, Run], failed: Mapping[str, Failed], room: int
) -> list[Spec]:
    """The first runs of ``todo`` that can be made now, at most ``room``."""
    known = {*runs, *failed}
    ready = [spec for spec in todo if all(each.key in known for each in spec.needs)]
    return ready[: max(0, room)]


def _failure(failed: Mapping[str, Failed]) -> VolrError:
    helps = list(dict.fromkeys(each.help for each in failed.values() if each.help is not None))
    lines = [f"{key}: {each.message}" for key, each in failed.items()]
    return VolrError(
        f"{len(lines)} of the runs failed; the others are kept\n" + "\n".join(lines),
        help="; ".join([*helps, "the same command, without --fresh, makes those that are missing"]),
    )
