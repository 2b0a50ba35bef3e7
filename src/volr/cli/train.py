"""``train``: a program becomes an artificial or a spiking model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from volr.cli import options
from volr.cli.files import check_writable
from volr.cli.groups import ARTIFICIAL, LEARNING, SPIKING, THROUGH_SPIKES, given, refuse
from volr.cli.neurons import neuron_of
from volr.cli.output import note
from volr.cli.progress import progress_bar
from volr.errors import ModelError

if TYPE_CHECKING:
    from volr.models.files import ModelFile
    from volr.models.model import Model
    from volr.network import Network
    from volr.training import SpikingSettings, Training


def train(
    ctx: typer.Context,
    file: options.Program,
    task: options.Task,
    out: options.Out,
    kind: Annotated[
        Literal["ann", "snn"],
        typer.Option("--as", help="Train an artificial or a spiking network."),
    ] = "ann",
    data: options.DataFolder = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Seed of all that is random.",
            show_default="0, or that of --start's model",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Passes over the training data.",
            show_default="30, or as many as make 2,000 updates; with --start: 2",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="Samples in one update.", rich_help_panel=LEARNING
        ),
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
            show_default="0.004; sgd: 0.1; snn: 0.01; with --start: 0.002",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    momentum: Annotated[
        float, typer.Option(metavar="X", help="Momentum of sgd.", rich_help_panel=LEARNING)
    ] = 0.0,
    schedule: Annotated[
        Literal["cosine", "constant"],
        typer.Option(
            help="Let the learning rate fall to 0, or keep it.", rich_help_panel=LEARNING
        ),
    ] = "cosine",
    weight_decay: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Share that an update takes off each parameter, for a learning rate of 1.",
            show_default="0.05; sgd: 0; snn: 0",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    loss: Annotated[
        Literal["cross_entropy", "mse"],
        typer.Option(help="What training makes small.", rich_help_panel=LEARNING),
    ] = "cross_entropy",
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
    neuron: options.Neuron = "if_curr_delta",
    neuron_parameters: options.NeuronParameters = None,
    reset: options.Reset = "hard",
    coding: options.Coding = "current",
    rate_max: options.RateMax = 500.0,
    duration: options.Duration = 50.0,
    dt: options.Step = 1.0,
    delay: options.Delay = None,
    readout: Annotated[
        Literal["count", "membrane"],
        typer.Option(
            help="Read the outputs' spikes, or their mean membranes.", rich_help_panel=SPIKING
        ),
    ] = "count",
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            help="Go on from this spiking model, whose neurons, coding, timing and readout are "
            "kept.",
            show_default="random weights",
            rich_help_panel=THROUGH_SPIKES,
        ),
    ] = None,
    surrogate: Annotated[
        Literal["triangle", "rectangle", "fast_sigmoid", "atan"],
        typer.Option(
            help="What stands for the derivative of a spike.", rich_help_panel=THROUGH_SPIKES
        ),
    ] = "atan",
    surrogate_width: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="Its width, for a distance of 1 from v_reset to v_thresh.",
            rich_help_panel=THROUGH_SPIKES,
        ),
    ] = 0.3,
    window: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Steps that errors flow back through.",
            show_default="all",
            rich_help_panel=THROUGH_SPIKES,
        ),
    ] = None,
    rate_floor: Annotated[
        float,
        typer.Option(
            metavar="HZ",
            help="Mean rate below which a hidden neuron is pulled up.",
            rich_help_panel=THROUGH_SPIKES,
        ),
    ] = 5.0,
    rate_penalty: Annotated[
        float,
        typer.Option(metavar="X", help="How strongly.", rich_help_panel=THROUGH_SPIKES),
    ] = 1.0,
) -> None:
    """Train a program as an artificial or a spiking network."""
    from volr.engine.surrogates import Surrogate
    from volr.experiments.evaluation import data_seed
    from volr.experiments.progress import of_training
    from volr.experiments.runner import task_network
    from volr.experiments.tasks import task as find_task
    from volr.language import read_source, to_network
    from volr.models.activations import activation as find_activation
    from volr.models.coding import input_coding
    from volr.models.files import save_model
    from volr.training import SpikingSettings, TrainingSettings, train_ann, train_snn

    if kind == "ann":
        spikes = given(ctx, SPIKING, THROUGH_SPIKES)
        refuse(spikes, "for spiking networks alone; add --as snn")
    else:
        refuse(given(ctx, ARTIFICIAL), "for artificial networks alone; leave out --as snn")
    if start is not None:
        refuse(given(ctx, SPIKING), "--start's model has its own")
        refuse(given(ctx, LEARNING, only="--candidates"), "with --start, its model is the only one")
    chosen = find_task(task)
    check_writable(out, source=Path(file))
    lowered = task_network(chosen, to_network(read_source(file)))
    begun = None if start is None else _spiking_file(start, lowered, out)
    split = (seed or 0) if begun is None else data_seed(begun.origin, task, seed)
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
