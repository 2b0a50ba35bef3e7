"""``train``: a program becomes an artificial or a spiking model."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from volr.checks.names import named
from volr.cli import options, spiking_options
from volr.cli.option_groups import ARTIFICIAL, LEARNING, SPIKING, THROUGH_SPIKES, given, refuse
from volr.cli.output import note
from volr.cli.output_files import check_writable, path_from, save_made
from volr.cli.program_or_model import is_model_file
from volr.cli.progress import progress_bar
from volr.errors import BackendError, ModelFileError

if TYPE_CHECKING:
    from volr.models.files import Origin
    from volr.models.model import Model
    from volr.network import Network
    from volr.training import Training


_OF_THE_ENGINE = ("--teacher", "--device", "--surrogate", "--surrogate-width", "--window")


def train(
    ctx: typer.Context,
    file: options.Program,
    task: options.Task,
    out: options.Out,
    kind: Annotated[
        Literal["ann", "snn"],
        typer.Option("--as", help="Train an artificial or a spiking network."),
    ] = "ann",
    on: Annotated[
        str,
        typer.Option(
            metavar="BACKEND",
            help="What an artificial network is trained with: torch or futhark.",
            rich_help_panel=ARTIFICIAL,
        ),
    ] = "torch",
    data: options.DataFolder = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Seed of all that is random.",
            show_default="0, or that of --start's or --teacher's model",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Passes over the training data.",
            show_default="30, or as many as make 2,000 updates; with --start: 2; "
            "with --in-loop: 5, or as many as make 600",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Samples in one update.", rich_help_panel=LEARNING),
    ] = 64,
    optimizer: Annotated[
        Literal["adam", "sgd"],
        typer.Option(help="How parameters are updated.", rich_help_panel=LEARNING),
    ] = "adam",
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Learning rate of the first update.",
            show_default="0.004; sgd: 0.1; snn: 0.004; with --start: 0.0002",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    momentum: Annotated[
        float, typer.Option(metavar="X", help="Momentum of sgd.", rich_help_panel=LEARNING)
    ] = 0.0,
    schedule: Annotated[
        Literal["cosine", "constant"],
        typer.Option(help="Let the learning rate fall to 0, or keep it.", rich_help_panel=LEARNING),
    ] = "cosine",
    weight_decay: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Share that an update takes off each parameter, for a learning rate of 1.",
            show_default="0.05; sgd: 0; snn: 0.1; with --start: 0",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    loss: Annotated[
        Literal["cross_entropy", "mse"],
        typer.Option(help="What training makes small.", rich_help_panel=LEARNING),
    ] = "cross_entropy",
    samples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Learn from the first N training samples, those set aside included.",
            show_default="all",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    validation: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="Fraction of the training data set aside.",
            rich_help_panel=LEARNING,
        ),
    ] = 0.1,
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Stop after this many epochs without improvement.",
            show_default="never",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    candidates: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Initialisations that start out; the best one goes on.",
            rich_help_panel=LEARNING,
        ),
    ] = 16,
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Hidden activation: relu, sigmoid, tanh or identity.",
            rich_help_panel=ARTIFICIAL,
        ),
    ] = "relu",
    neuron: spiking_options.Neuron = "if_curr_delta",
    neuron_parameters: spiking_options.NeuronParameters = None,
    reset: spiking_options.Reset = "hard",
    coding: spiking_options.Coding = "current",
    rate_max: spiking_options.InputRate = None,
    duration: spiking_options.Duration = 50.0,
    dt: spiking_options.Step = 1.0,
    delay: spiking_options.Delay = None,
    readout: spiking_options.Readout = "count",
    start: spiking_options.Start = None,
    teacher: spiking_options.Teacher = None,
    in_loop: spiking_options.InLoop = None,
    device: spiking_options.Device = "cpu",
    surrogate: spiking_options.Surrogate = "atan",
    surrogate_width: spiking_options.SurrogateWidth = 0.3,
    window: spiking_options.Window = None,
    rate_floor: spiking_options.RateFloor = 5.0,
    rate_penalty: spiking_options.RatePenalty = 1.0,
) -> None:
    """Train a program as an artificial or a spiking network."""
    from volr.backends import simulator
    from volr.engine.devices import described, device_of
    from volr.engine.surrogates import Surrogate
    from volr.experiments.progress import of_training
    from volr.experiments.runner import task_network
    from volr.experiments.tasks import task as find_task
    from volr.language import read_source, to_network
    from volr.models.activations import activation as find_activation
    from volr.models.coding import coding_told
    from volr.training import (
        SpikingSettings,
        TrainingSettings,
        settings_of,
        train_ann,
        train_in_loop,
        train_snn,
    )

    trainer = _trainer(on)
    _check_together(ctx, kind, start, in_loop)
    if is_model_file(file):
        raise ModelFileError(
            f"{file} is a model file, and training begins with a program", help=_with_model(file)
        )
    found_device = device_of(device)
    chosen = find_task(task)
    check_writable(out, source=Path(file))
    lowered = task_network(chosen, to_network(read_source(file)))
    begun = None if start is None else spiking_options.start_of(start, lowered, out)
    taught = None if teacher is None else spiking_options.teacher_of(teacher, chosen, out)
    runs = nullcontext() if in_loop is None else simulator(in_loop)
    known = [each.origin for each in (begun, taught) if each is not None]
    split = spiking_options.split_of(known, task, seed)
    settings = TrainingSettings(
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        momentum=momentum,
        schedule=schedule,
        weight_decay=weight_decay,
        loss=loss,
        activation=find_activation(activation),
        validation=validation,
        patience=patience,
        candidates=candidates,
        seed=split if seed is None else seed,
    )
    kind_of_neuron = spiking_options.neuron_of(neuron, neuron_parameters, reset)
    through = SpikingSettings(
        neuron=kind_of_neuron,
        coding=coding_told(coding, rate_max, kind_of_neuron, dt),
        dt=dt,
        duration=duration,
        delay=delay,
        readout=readout,
    )
    through = replace(
        through if begun is None else settings_of(begun.model),
        surrogate=Surrogate(surrogate, surrogate_width),
        window=window,
        rate_floor=rate_floor,
        rate_penalty=rate_penalty,
    )
    model = None if begun is None else begun.model
    with runs as running, progress_bar() as progress:
        progress(f"loading {task}", 0, None)
        train = chosen.load(seed=split, inputs=lowered.input_size, data_dir=data).train
        shown = train if samples is None else train.first(samples)
        told = of_training(progress)
        if kind == "ann":
            trained = train_ann(lowered, shown, settings, backend=trainer, progress=told)
        elif running is None:
            trained = train_snn(
                lowered,
                shown,
                settings,
                through,
                start=model,
                teacher=None if taught is None else taught.model,
                device=found_device,
                progress=told,
            )
        else:
            trained = train_in_loop(
                lowered, shown, running, settings, through, start=model, progress=told
            )
    origin: Origin = {"task": task, "seed": split, "condition": _condition(kind, start, in_loop)}
    if begun is not None:
        origin = {**begun.origin, **origin}
        if isinstance(ann := begun.origin.get("ann"), str):
            origin["ann"] = path_from(out, begun.path.parent / ann)
    save_made(trained.model, out, origin)
    _tell(trained, lowered)
    if device != "cpu":
        note(f"trained on {described(found_device)}")
    note(f"wrote {out}")


_Trainer: TypeAlias = Literal["torch", "futhark"]


def _trainer(on: str) -> _Trainer:
    """What trains an artificial network; a matter of usage where it does not."""
    from volr.backends import BACKENDS
    from volr.backends.base import SpikingBackend

    known: dict[str, _Trainer] = {"torch": "torch", "futhark": "futhark"}
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


def _check_together(ctx: typer.Context, kind: str, start: Path | None, in_loop: str | None) -> None:
    """Refuse options that would be of no effect."""
    if kind == "ann":
        refuse(given(ctx, SPIKING, THROUGH_SPIKES), "for spiking networks alone; add --as snn")
    else:
        refuse(given(ctx, ARTIFICIAL), "for artificial networks alone; leave out --as snn")
    if start is not None:
        refuse(given(ctx, SPIKING), "the model of --start has its own")
        several = [each for each in given(ctx, LEARNING) if each == "--candidates"]
        refuse(several, "with --start there is only one")
    if in_loop is not None:
        through = [each for each in given(ctx, THROUGH_SPIKES) if each in _OF_THE_ENGINE]
        refuse(through, "for training in the engine alone; leave out --in-loop")


def _condition(kind: str, start: Path | None, in_loop: str | None) -> str:
    if kind == "ann":
        return "ann"
    if start is not None:
        return "snn-finetuned"
    return "snn-surrogate" if in_loop is None else "snn-random"


def _tell(trained: Training[Model], network: Network) -> None:
    if trained.kept_epoch == 0:
        note(
            "no epoch did better on the validation data than the model that training started from: "
            "that one is kept"
        )
    else:
        kept = trained.history[trained.kept_epoch - 1]
        accuracy = kept.validation_accuracy
        validated = "" if accuracy is None else f", validation accuracy {accuracy:.4f}"
        epochs = f"epoch {trained.kept_epoch} of {len(trained.history)}"
        note(f"{epochs}: loss {kept.loss:.4f}{validated}")
    for name, rate in trained.rates.items():
        note(f"{name}: {rate:.1f} Hz on average over the training data")
    for name, dead in trained.dead.items():
        if dead:
            note(f"{name}: {dead} of {network[name].size} neurons never fire on the training data")
