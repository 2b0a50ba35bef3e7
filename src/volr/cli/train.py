"""``train``: a program becomes an artificial or a spiking model."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from volr.checks.names import named
from volr.cli import completion, options
from volr.cli.input_files import (
    artificial_start_of,
    check_data,
    is_model_file,
    split_of,
    start_of,
    teacher_of,
)
from volr.cli.learning_options import Learning
from volr.cli.options import (
    ARTIFICIAL,
    LEARNING,
    SPIKING,
    count,
    given,
    given_values,
    option,
    refuse,
)
from volr.cli.output import note
from volr.cli.output_files import check_writable, path_from, save_made
from volr.cli.progress import progress_bar
from volr.cli.spiking_options import Spiking, ThroughSpikes
from volr.errors import BackendError, ModelFileError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from volr.model_files.model_file import Origin
    from volr.models.model import Model
    from volr.training import Training, TrainingBackend


# Options of `ThroughSpikes` that training in the loop does not use.
_OF_THE_ENGINE = ("teacher", "device", "surrogate", "surrogate_width", "window")


@options.with_options
def train(
    ctx: typer.Context,
    file: options.Program,
    task: options.Task,
    out: options.Out,
    checkpoint: Path | None = option(
        None,
        "File for the state of training after each epoch. The same command goes on from it; it is "
        "removed when the model is written.",
        "FILE",
        unless="--out with .checkpoint",
    ),
    fresh: bool = option(
        default=False, help="Begin anew, even where there is a checkpoint.", flags="--fresh"
    ),
    kind: options.Kind = "ann",
    on: str = options.on("torch", "torch or futhark.", completion.TRAINING, panel=ARTIFICIAL),
    data: options.DataFolder = None,
    seed: int | None = options.seed(
        None,
        "the split of the data, the initial parameters, the order of samples and input spikes.",
        unless="0, or that of --start's or --teacher's model",
    ),
    *,
    learning: Learning,
    train_samples: int | None = count(
        None,
        "Number of training samples, those set aside included.",
        flags="--train-samples --samples",
        unless="all",
        panel=LEARNING,
    ),
    activation: options.Activation = None,
    spiking: Spiking,
    through: ThroughSpikes,
) -> None:
    """Train a program as an artificial or a spiking network."""
    from volr.backends import simulator
    from volr.engine.devices import device_name, device_of
    from volr.experiments.evaluation import as_trained, data_entries
    from volr.experiments.programs import program_source
    from volr.experiments.run_progress import of_training
    from volr.experiments.runner import task_network
    from volr.experiments.tasks import task as find_task
    from volr.language import to_network
    from volr.training import (
        SpikingSettings,
        TrainingSettings,
        settings_of,
        train_ann,
        train_in_loop,
        train_snn,
    )
    from volr.training.checkpoint import discard

    start, teacher, in_loop = through.start, through.teacher, through.in_loop
    trainer = _trainer(on)
    _check_together(ctx, kind, start, in_loop, learning.levels)
    if is_model_file(file):
        raise ModelFileError(
            f"{file} is a model file, and training begins with a program", help=_with_model(file)
        )
    device = device_of(through.device)
    chosen = find_task(task)
    check_writable(out, source=Path(file))
    saved = out.with_name(f"{out.name}.checkpoint") if checkpoint is None else checkpoint
    check_writable(saved, source=Path(file))
    _check_apart(saved, {"--out": out, "--start": start, "--teacher": teacher})
    lowered = task_network(chosen, to_network(program_source(file)))
    fine = kind == "ann" and start is not None
    begun = None if start is None or fine else start_of(start, lowered, out)
    initial = artificial_start_of(start, lowered, out) if fine and start is not None else None
    taught = None if teacher is None else teacher_of(teacher, chosen, out)
    runs = nullcontext() if in_loop is None else simulator(in_loop)
    known = [each.origin for each in (begun, initial, taught) if each is not None]
    # Whoever goes on, or learns from another, means the same by the values and the labels.
    if known:
        chosen = as_trained(chosen, known[0], lowered.output_size)
    check_data(data, chosen)
    split = split_of(known, task, seed)
    settings = TrainingSettings(
        **given_values(learning),
        activation=options.activation_of(activation),
        seed=split if seed is None else seed,
    )
    if begun is not None:
        spiking_settings = settings_of(begun.model, **through.changes)
    else:
        spiking_settings = spiking.settings(SpikingSettings, **through.changes)
    model = None if begun is None else begun.model
    with _going_on_later(saved), runs as running, progress_bar() as progress:
        progress(f"loading {task}", 0, None)
        train = chosen.load(seed=split, inputs=lowered.input_size, data_dir=data).train
        shown = train if train_samples is None else train.first(train_samples)
        reported = of_training(progress)
        if fresh and checkpoint is not None:
            discard(saved)
        elif fresh:
            saved.unlink(missing_ok=True)
        if kind == "ann":
            trained = train_ann(
                lowered,
                shown,
                settings,
                on=trainer,
                initial=None if initial is None else initial.model,
                progress=reported,
                checkpoint=saved,
            )
        elif running is None:
            trained = train_snn(
                lowered,
                shown,
                settings,
                spiking_settings,
                start=model,
                teacher=None if taught is None else taught.model,
                device=device,
                progress=reported,
                checkpoint=saved,
            )
        else:
            trained = train_in_loop(
                lowered,
                shown,
                running,
                settings,
                spiking_settings,
                start=model,
                progress=reported,
                checkpoint=saved,
            )
    condition = "ann-quantised" if learning.levels else _condition(kind, start, in_loop)
    origin: Origin = {"task": task, "seed": split, "condition": condition}
    if initial is not None:
        origin["ann"] = path_from(out, initial.path)
    if begun is not None:
        origin = {**begun.origin, **origin}
        if isinstance(ann := begun.origin.get("ann"), str):
            origin["ann"] = path_from(out, begun.path.parent / ann)
    save_made(trained.model, out, {**origin, **data_entries(chosen, split)})
    saved.unlink(missing_ok=True)
    _tell(trained, 1 if start is not None else settings.candidates)
    if through.device != "cpu":
        note(f"trained on {device_name(device)}")
    note(f"wrote {out}")


def _check_apart(checkpoint: Path, others: Mapping[str, Path | None]) -> None:
    """The checkpoint is removed at the end, so it is no other file of the training."""
    for name, each in others.items():
        if each is not None and each.resolve() == checkpoint.resolve():
            raise TrainingError(
                f"the checkpoint {checkpoint} would be the file of {name}", help="name another file"
            )


@contextmanager
def _going_on_later(checkpoint: Path) -> Generator[None]:
    """Say, where training is cut short by Ctrl-C, how it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        if checkpoint.exists():
            note(f"the same command goes on from {checkpoint}")
        raise


def _trainer(on: str) -> TrainingBackend:
    """The back end that trains an artificial network; raises ``MisplacedError`` for others."""
    from volr.backends import BACKENDS
    from volr.backends.base import SpikingBackend
    from volr.training.artificial import TRAINING_BACKENDS

    known: dict[str, TrainingBackend] = {name: name for name in TRAINING_BACKENDS}
    if on in known:
        return known[on]
    if any(each.name == on for each in BACKENDS if isinstance(each, SpikingBackend)):
        loop = "" if on == "engine" else f"; a simulator in the loop is --as snn --in-loop {on}"
        refuse([f"--on {on}"], f"artificial networks are trained with torch or futhark{loop}")
    return named("back end that trains", on, known, BackendError)


def _with_model(file: str) -> str:
    return (
        f"name the program that it was made of; a spiking model is trained further with --as snn "
        f"--start {file}, and an artificial one becomes a spiking one by `volr transfer {file}`"
    )


def _check_together(
    ctx: typer.Context, kind: str, start: Path | None, in_loop: str | None, levels: int | None
) -> None:
    """Refuse options that would have no effect."""
    if kind == "ann":
        spiking = given(ctx, SPIKING, options.THROUGH_SPIKES)
        if levels is not None:
            spiking.pop("start", None)
        refuse(spiking.values(), "for spiking networks alone; add --as snn")
    else:
        refuse(["--levels"] * (levels is not None), "for artificial networks alone")
        refuse(given(ctx, ARTIFICIAL).values(), "for artificial networks alone; leave out --as snn")
    if start is not None:
        refuse(given(ctx, SPIKING).values(), "the model of --start has its own")
        if "candidates" in given(ctx, LEARNING):
            refuse(["--candidates"], "with --start there is only one")
    if in_loop is not None:
        of_the_engine = [
            each
            for name, each in given(ctx, options.THROUGH_SPIKES).items()
            if name in _OF_THE_ENGINE
        ]
        refuse(of_the_engine, "for training in the engine alone; leave out --in-loop")


def _condition(kind: str, start: Path | None, in_loop: str | None) -> str:
    if kind == "ann":
        return "ann"
    if start is not None:
        return "snn-finetuned"
    return "snn-surrogate" if in_loop is None else "snn-random"


def _tell(trained: Training[Model], asked: int) -> None:
    """Say how training went, with ``asked`` candidates or fewer."""
    from volr.training.display import training_lines

    if trained.went_on_after:
        note(f"training went on after epoch {trained.went_on_after}, from its checkpoint")
    if (used := trained.candidates) < asked:
        began = "1 candidate" if used == 1 else f"{used:,} candidates"
        note(
            f"training began with {began}, not {asked:,}, which would take too much memory or time"
            + ("; with fewer --candidates, or more --epochs, it may have a choice" * (used == 1))
        )
    for line in training_lines(trained):
        note(line)
