"""``theory``: the figures of the original work, from simulation."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from volr.cli import options
from volr.cli.options import count, option, refuse, with_options
from volr.cli.output import note, print_json, print_table
from volr.cli.output_files import check_folder, check_writable, write_text
from volr.cli.progress import progress_bar
from volr.errors import DataError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studies.pedersen2019.theory import Comparison

    from volr.experiments.run_progress import RunProgress
    from volr.models.model import ArtificialModel
    from volr.models.samples import Samples
    from volr.transfer import PopulationReport


@with_options
def theory(
    out: Path = option(Path("theory"), "Folder for the figures, as SVG.", "DIR", flags="--out"),
    on: str = option("engine", "Simulator: engine, nest, … (see `volr doctor`).", "BACKEND"),
    rates: bool = option(
        default=True,
        help="The rates of a trained network's populations as well.",
        flags="--rates/--no-rates",
    ),
    model: Path | None = option(
        None, "Artificial model whose rates are measured.", "MODEL", unless="one is trained"
    ),
    task: str | None = option(
        None,
        "Task of the rates.",
        "TASK",
        unless="the model's own; mnist, or digits where MNIST is not to be had",
    ),
    epochs: int | None = count(
        None,
        "Passes over the training data.",
        unless="30, or as many as make 2,000 updates",
    ),
    data: options.DataFolder = None,
    seed: int = count(0, "Seed of the training.", least=0),
    as_json: options.Json = False,
) -> None:
    """Draw the original work's figures, and compare its numbers."""
    from studies.pedersen2019.theory import comparisons, population_rates
    from studies.pedersen2019.theory import theory as measure

    from volr.backends import simulator
    from volr.experiments.report import require_drawing
    from volr.experiments.run_progress import of_calibration

    told = {"--model": model, "--task": task, "--epochs": epochs}
    given = [name for name, value in told.items() if value is not None]
    if not rates:
        refuse(given, "for the rates, which --no-rates leaves out")
    if model is not None and epochs is not None:
        refuse(["--epochs"], "the model of --model is trained already")
    require_drawing()
    check_folder(out)
    check_writable(out / "theory-membrane.svg")
    populations: tuple[PopulationReport, ...] = ()
    name = ""
    with simulator(on) as started, progress_bar() as progress:
        if rates:
            name, trained, samples = _trained(model, task, epochs, data, seed, progress)
            populations = population_rates(
                trained, samples, started, seed=seed, progress=of_calibration(progress)
            )
        progress("theory", 0, None)
        found = measure(started, on)
        from studies.pedersen2019.figures import theory_figures

        from volr.experiments.report.transfers import rates_figure

        drawings = theory_figures(found)
        if rates:
            title = f"Mean rates of the populations, {name}"
            drawings = (*drawings, rates_figure("theory-rates", title, populations))
        for each in drawings:
            write_text(out / f"{each.name}.svg", each.svg)
    compared = comparisons(found)
    if as_json:
        print_json(
            {
                "on": on,
                "comparisons": [asdict(each) for each in compared],
                "theory": asdict(found),
                "task": name or None,
                "rates": [_rates(each) for each in populations],
            }
        )
    else:
        _print(compared, name, populations)
    note(f"wrote {', '.join(str(out / f'{each.name}.svg') for each in drawings)}")


def _rates(population: PopulationReport) -> dict[str, str | float]:
    return {
        "population": population.name,
        "wanted": population.wanted,
        "measured": population.measured,
    }


def _print(
    compared: Sequence[Comparison], name: str, populations: Sequence[PopulationReport]
) -> None:
    print_table(
        ("quantity", "here", "original"),
        [(each.label, f"{each.ours:.4g}".replace("-", "−"), each.said or "–") for each in compared],
        left=1,
    )
    if populations:
        print_table(
            (f"mean rates in Hz, {name}", "wanted", "measured"),
            [(each.name, f"{each.wanted:.1f}", f"{each.measured:.1f}") for each in populations],
            left=1,
        )


def _trained(
    model: Path | None,
    task: str | None,
    epochs: int | None,
    data: Path | None,
    seed: int,
    progress: RunProgress,
) -> tuple[str, ArtificialModel, Samples]:
    """The task's name, a model of it, and the training samples; trained where none is given."""
    from volr.experiments.datasets.archive import folder_of_environment
    from volr.experiments.evaluation import data_seed
    from volr.experiments.run_progress import of_training
    from volr.experiments.tasks import check_fits
    from volr.experiments.tasks import task as find_task
    from volr.language import to_network
    from volr.model_files.model_file import read_model_file
    from volr.models.model import ArtificialModel
    from volr.training import TrainingSettings, train_ann

    if model is not None:
        loaded = read_model_file(model)
        if not isinstance(loaded.model, ArtificialModel):
            raise ModelError(
                f"{model} is a spiking model: what its rates should be is not known",
                help="name the artificial one that it came from",
            )
        chosen = find_task(task or str(loaded.origin.get("task", "mnist")))
        network = loaded.model.network
        check_fits(chosen, network.input_size, network.output_size)
        samples = chosen.load(
            seed=data_seed(loaded.origin, chosen.name, seed),
            inputs=network.input_size,
            data_dir=data,
        ).train
        return chosen.name, loaded.model, samples
    chosen = find_task(task or "mnist")
    progress(f"loading {chosen.name}", 0, None)
    try:
        samples = chosen.load(seed=seed, data_dir=data).train
    except DataError as error:
        # A folder that was named is to be used, or else to be mended.
        if task is not None or (data or folder_of_environment()) is not None:
            raise
        note(f"digits instead of MNIST: {error.message}")
        chosen = find_task("digits")
        samples = chosen.load(seed=seed).train
    settings = TrainingSettings(epochs=epochs, seed=seed)
    network = to_network(chosen.program)
    trained = train_ann(network, samples, settings, progress=of_training(progress))
    return chosen.name, trained.model, samples
