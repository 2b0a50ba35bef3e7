"""``experiment``: both generations of each task, over several seeds, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli import options, spiking
from volr.cli.files import check_writable
from volr.cli.output import note, print_json, print_table
from volr.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.results import Row

UNLESS_TOLD = ("nand", "xor", "digits")


def experiment(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TASK",
            help="nand, xor, digits, mnist, mnist-parallel.",
            show_default=" ".join(UNLESS_TOLD),
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(metavar="N", min=1, help="Number of seeds.")] = 1,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="First seed.")] = 0,
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder for results.json and the models. Earlier results are renamed.",
        ),
    ] = Path("results"),
    program: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Program for all tasks; - is standard input.",
            show_default="each task's own",
        ),
    ] = None,
    data: options.DataFolder = None,
    epochs: options.Epochs = None,
    duration: spiking.Duration = 50.0,
    dt: spiking.Step = 0.5,
    as_json: options.Json = False,
) -> None:
    """Train, transfer and measure, as ANN and on NEST, in one table."""
    from volr.backends import simulator
    from volr.experiments.results import MODELS, RESULTS, keep_earlier, results_json, write_results
    from volr.experiments.runner import CONDITIONS, ExperimentSettings, repeats_of, task_network
    from volr.experiments.tasks import task as find_task
    from volr.language import read_source, to_network
    from volr.models.files import save_model
    from volr.training import TrainingSettings
    from volr.transfer import TransferSettings

    chosen = [find_task(name) for name in dict.fromkeys(tasks or UNLESS_TOLD)]
    settings = ExperimentSettings(
        training=TrainingSettings(epochs=epochs),
        transfer=TransferSettings(duration=duration, dt=dt),
        data_dir=data,
    )
    models = out / MODELS
    check_writable(out / RESULTS)
    check_writable(models / "model.safetensors")
    own = None if program is None else to_network(read_source(program))
    planned = [(task, task_network(task, own)) for task in chosen]
    seeds = range(seed, seed + repeats)
    total = len(planned) * len(seeds) * len(CONDITIONS)
    rows: list[Row] = []
    with simulator("engine") as engine, simulator("nest") as nest, progress_bar() as progress:
        for outcome in repeats_of(planned, seeds, (engine, nest), settings, progress):
            if not rows and (earlier := keep_earlier(out)):
                note(f"the earlier results are now {' and '.join(map(str, earlier))}")
            row = outcome.row
            rows.append(row)
            # After every run, so that an interrupted experiment keeps what it has found.
            write_results(rows, out)
            name = f"{row.task}-{row.seed}-{row.condition}.safetensors"
            save_model(outcome.model, models / name, outcome.origin)
            note(
                f"{len(rows)}/{total}  {row.task}, seed {row.seed}: {row.condition} on "
                f"{row.backend} {row.accuracy:.4f} in {row.seconds:.1f} s"
            )
    if as_json:
        print_json(results_json(rows))
    else:
        _print_summary(rows)
    note(f"wrote {out / RESULTS}")


def _print_summary(rows: Sequence[Row]) -> None:
    """Mean and standard deviation over the seeds, by task and condition."""
    from volr.experiments.results import summarise

    print_table(
        ("task", "condition", "backend", "accuracy", "n", "chance"),
        [
            (
                each.task,
                each.condition,
                each.backend,
                f"{each.mean:.3f} ± {each.std:.3f}",
                f"{each.n}",
                f"{each.chance:.3f}",
            )
            for each in summarise(rows)
        ],
        left=3,
    )
