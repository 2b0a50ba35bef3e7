"""``train``: a program becomes an artificial model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from volr.cli import options
from volr.cli.files import check_writable
from volr.cli.output import note
from volr.cli.progress import progress_bar


def train(
    file: options.Program,
    task: options.Task,
    out: options.Out,
    data: options.DataFolder = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of all that is random.")] = 0,
    epochs: options.Epochs = None,
    batch_size: Annotated[
        int, typer.Option(metavar="N", min=1, help="Samples in one update.")
    ] = 64,
    optimizer: Annotated[
        Literal["adam", "sgd"], typer.Option(help="How parameters are updated.")
    ] = "adam",
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="Learning rate of the first update.", show_default="0.004; sgd: 0.1"
        ),
    ] = None,
    momentum: Annotated[float, typer.Option(metavar="X", help="Momentum of sgd.")] = 0.0,
    schedule: Annotated[
        Literal["cosine", "constant"],
        typer.Option(help="Let the learning rate fall to 0, or keep it."),
    ] = "cosine",
    weight_decay: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Share that an update takes off each parameter, for a learning rate of 1.",
            show_default="0.05; sgd: 0",
        ),
    ] = None,
    loss: Annotated[
        Literal["cross_entropy", "mse"], typer.Option(help="What training makes small.")
    ] = "cross_entropy",
    activation: Annotated[
        str,
        typer.Option(metavar="NAME", help="Hidden activation: relu, sigmoid, tanh or identity."),
    ] = "relu",
    validation: Annotated[
        float, typer.Option(metavar="X", help="Fraction of the training data set aside.")
    ] = 0.1,
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Stop after this many epochs without improvement.",
            show_default="never",
        ),
    ] = None,
    candidates: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="Initialisations that start out; the best one goes on."
        ),
    ] = 16,
) -> None:
    """Train a program as an artificial network."""
    from volr.experiments.progress import of_training
    from volr.experiments.runner import task_network
    from volr.experiments.tasks import task as find_task
    from volr.language import read_source, to_network
    from volr.models.activations import activation as find_activation
    from volr.models.files import save_model
    from volr.training import TrainingSettings, train_ann

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
        seed=seed,
    )
    chosen = find_task(task)
    check_writable(out, source=Path(file))
    lowered = task_network(chosen, to_network(read_source(file)))
    with progress_bar() as progress:
        progress(f"loading {task}", 0, None)
        samples = chosen.load(seed=seed, inputs=lowered.input_size, data_dir=data).train
        trained = train_ann(lowered, samples, settings, progress=of_training(progress))
    save_model(trained.model, out, {"task": task, "seed": seed, "condition": "ann"})

    kept = trained.history[trained.kept_epoch - 1]
    accuracy = kept.validation_accuracy
    validated = "" if accuracy is None else f", validation accuracy {accuracy:.4f}"
    note(f"epoch {trained.kept_epoch} of {len(trained.history)}: loss {kept.loss:.4f}{validated}")
    for name, dead in trained.dead.items():
        if dead:
            note(f"{name}: {dead} of {lowered[name].size} neurons never fire on the training data")
    note(f"wrote {out}")
