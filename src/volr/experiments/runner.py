"""An experiment: train, transfer, run both generations, measure both; each task with each seed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from volr.backends.nest import NEST
from volr.backends.torch import TORCH
from volr.experiments.evaluation import Evaluation, evaluate
from volr.experiments.progress import (
    Progress,
    of_calibration,
    of_simulation,
    of_training,
    silent,
    under,
)
from volr.experiments.results import Row
from volr.experiments.tasks import check_fits
from volr.language import to_network
from volr.training import TrainingSettings, train_ann
from volr.transfer import TransferSettings, transfer_ann

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from volr.backends.base import Simulator
    from volr.experiments.tasks import Task
    from volr.models.files import Origin
    from volr.models.model import Model
    from volr.models.samples import Data
    from volr.network import Network


Simulators: TypeAlias = "tuple[Simulator, Simulator]"
"""What spiking models are calibrated on, and what they are measured on."""

CONDITIONS = ("ann", "snn-transferred")
"""What is measured in each repeat, in this order."""


@dataclass(frozen=True, kw_only=True)
class ExperimentSettings:
    """What holds for every repeat; the seeds in ``training`` and ``transfer`` are the repeat's."""

    training: TrainingSettings = field(default_factory=TrainingSettings)
    transfer: TransferSettings = field(default_factory=TransferSettings)
    data_dir: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """One measured model: its row, the model itself, and where it comes from."""

    row: Row
    model: Model
    origin: Origin


def task_network(task: Task, network: Network | None = None) -> Network:
    """``network``, or else that of the task's own program; ``DataError`` where it does not fit."""
    chosen = to_network(task.program) if network is None else network
    check_fits(task, chosen.input_size, chosen.output_size)
    return chosen


def repeats_of(
    planned: Sequence[tuple[Task, Network]],
    seeds: Sequence[int],
    simulators: Simulators,
    settings: ExperimentSettings,
    progress: Progress = silent,
) -> Iterator[Outcome]:
    """Yield the outcomes of ``repeat`` for each task with its network, and each seed.

    All data are loaded once before anything is trained: what is missing for the last task should
    not be found out after an hour.
    """
    for task, network in planned:
        for seed in seeds[:1]:
            progress(f"loading {task.name}", 0, None)
            task.load(seed=seed, inputs=network.input_size, data_dir=settings.data_dir)
    for task, network in planned:
        for seed in seeds:
            told = under(f"{task.name} {seed}", progress)
            yield from repeat(task, network, seed, simulators, settings, told)


def repeat(
    task: Task,
    network: Network,
    seed: int,
    simulators: Simulators,
    settings: ExperimentSettings,
    progress: Progress = silent,
) -> Iterator[Outcome]:
    """Train with ``seed`` and measure, first as ANN, then transferred to NEST; yield each outcome.

    ``simulators`` are the engine, to calibrate on, and NEST, to measure on, both started. The seed
    also draws the task's data where the task draws any, so that a repeat is one independent draw of
    everything.
    """
    progress("loading", 0, None)
    data = task.load(seed=seed, inputs=network.input_size, data_dir=settings.data_dir)
    origin = {"task": task.name, "seed": seed}
    ann, snn = CONDITIONS
    engine, nest = simulators

    started = time.perf_counter()
    training = replace(settings.training, seed=seed)
    trained = train_ann(network, data.train, training, progress=of_training(progress)).model
    measured = evaluate(trained, data.test, TORCH)
    row = _row(task, network, ann, seed, data, measured, time.perf_counter() - started)
    yield Outcome(row, trained, {**origin, "condition": ann})

    started = time.perf_counter()
    spiking = transfer_ann(
        trained,
        data.train,
        engine,
        replace(settings.transfer, seed=seed),
        progress=of_calibration(progress),
    ).model
    measured = evaluate(
        spiking,
        data.test,
        NEST,
        simulator=nest,
        seed=seed,
        progress=of_simulation(progress, len(data.test)),
    )
    seconds = time.perf_counter() - started
    row = _row(task, network, snn, seed, data, measured, seconds)
    yield Outcome(row, spiking, {**origin, "condition": snn})


def _row(
    task: Task,
    network: Network,
    condition: str,
    seed: int,
    data: Data,
    measured: Evaluation,
    seconds: float,
) -> Row:
    return Row(
        task=task.name,
        condition=condition,
        backend=measured.backend,
        seed=seed,
        accuracy=measured.accuracy,
        chance=data.chance,
        seconds=seconds,
        samples=measured.samples,
        ties=measured.ties / measured.samples,
        program="" if network.source is None else network.source.text.strip(),
    )
