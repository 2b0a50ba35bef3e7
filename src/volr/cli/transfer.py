"""``transfer``: an artificial model becomes a spiking one, and a report says how."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli import options
from volr.cli.files import check_writable
from volr.cli.output import emit, note, print_json, print_table
from volr.cli.progress import progress_bar
from volr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.transfer import PopulationReport, TransferReport

# A loss of accuracy that nobody should have to look for in the report.
MUCH = 0.02


def transfer(
    model: options.Model,
    task: options.Task,
    out: options.Out,
    data: options.DataFolder = None,
    neuron: Annotated[str, typer.Option(metavar="NAME", help="Neuron model.")] = "if_curr_delta",
    neuron_parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--neuron-parameter",
            "-p",
            metavar="NAME=X",
            help="Parameter of the neuron, in PyNN's names and units: tau_m=10. May be repeated.",
        ),
    ] = None,
    coding: Annotated[
        str, typer.Option(metavar="NAME", help="Input coding: current or poisson.")
    ] = "current",
    rate_max: Annotated[
        float, typer.Option(metavar="HZ", help="Spike rate of a full activation.")
    ] = 500.0,
    duration: options.Duration = 50.0,
    dt: options.Step = 0.5,
    delay: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Delay of every synapse.", show_default="one step"),
    ] = None,
    percentile: Annotated[
        float,
        typer.Option(
            metavar="X", help="Percentile of a population's activations that counts as full."
        ),
    ] = 99.9,
    rounds: Annotated[
        int, typer.Option(metavar="N", min=0, help="Rounds of calibration for each layer.")
    ] = 2,
    samples: Annotated[
        int, typer.Option(metavar="N", min=1, help="Training stimuli to calibrate on.")
    ] = 500,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Seed of the calibration.", show_default="the model's own"
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Make a trained model a spiking one, calibrated on NEST."""
    from volr.backends.nest import start
    from volr.experiments.evaluation import data_seed
    from volr.experiments.progress import of_calibration
    from volr.experiments.tasks import check_fits
    from volr.experiments.tasks import task as find_task
    from volr.models.coding import input_coding
    from volr.models.files import load_model, save_model
    from volr.models.model import ArtificialModel
    from volr.models.neurons import neuron_model
    from volr.transfer import TransferSettings, transfer_ann

    chosen = find_task(task)
    loaded = load_model(model)
    if not isinstance(loaded.model, ArtificialModel):
        raise ModelError(
            f"{model} is a spiking model already", help="transfer the artificial one it came from"
        )
    split = data_seed(loaded.origin, task, seed)
    settings = TransferSettings(
        neuron=neuron_model(neuron, parameters(neuron_parameters or ())),
        coding=input_coding(coding, rate_max),
        duration=duration,
        dt=dt,
        delay=delay,
        percentile=percentile,
        rounds=rounds,
        samples=samples,
        seed=split if seed is None else seed,
    )
    network = loaded.model.network
    check_fits(chosen, network.input_size, network.output_size)
    check_writable(out, source=model)
    with start() as simulator, progress_bar() as progress:
        progress(f"loading {task}", 0, None)
        stimuli = chosen.load(seed=split, inputs=network.input_size, data_dir=data).train
        done = transfer_ann(
            loaded.model, stimuli, simulator, settings, progress=of_calibration(progress)
        )
    origin = {**loaded.origin, "task": task, "seed": split, "condition": "snn-transferred"}
    save_model(done.model, out, origin)
    if as_json:
        print_json(asdict(done.report))
    else:
        _print_report(done.report)
    lost = done.report.accuracy_before - done.report.accuracy_after
    if lost > MUCH:
        note(
            f"the transfer lost {lost:.1%} of the training stimuli: a smaller --dt and a longer "
            "--duration count more finely; silent and saturated populations are in the report"
        )
    note(f"wrote {out}")


def parameters(assignments: Iterable[str]) -> dict[str, float]:
    """``tau_m=10`` and the like as a mapping; ``ModelError`` for what is none, or given twice."""
    found: dict[str, float] = {}
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        try:
            number = float(value)
        except ValueError:
            what = f"{value!r} is not a number" if equals else "there is no = in it"
            raise ModelError(
                f"the neuron parameter {text!r} cannot be read: {what}", help="write it as tau_m=10"
            ) from None
        if name in found:
            raise ModelError(f"the neuron parameter {name!r} is given twice")
        found[name] = number
    return found


def _print_report(report: TransferReport) -> None:
    print_table(
        (
            "population",
            "size",
            "scale",
            "gain",
            "offset nA",
            "wanted Hz",
            "measured Hz",
            "correlation",
        ),
        [
            (
                each.name,
                f"{each.size}",
                f"{each.scale:.3f}",
                f"{each.gain:.3f}",
                f"{each.offset:.4f}",
                f"{each.wanted:.1f}",
                f"{each.measured:.1f}",
                f"{each.correlation:.4f}",
            )
            for each in report.populations
        ],
    )
    emit("\n")
    for each in report.populations:
        if losses := lost(each):
            emit(f"{each.name}: {', '.join(losses)}\n")
    emit(
        f"accuracy on {report.samples} training stimuli: {report.accuracy_before:.4f} before, "
        f"{report.accuracy_after:.4f} after; {report.ties:.2%} ties\n"
    )


def lost(population: PopulationReport) -> list[str]:
    """What a population cannot say, or does not need its neurons for: only what there is of it."""
    clipped = [f"{population.clipped:.2%} of the activations clipped"] if population.clipped else []
    counts = {
        "dead": population.dead,
        "silent": population.silent,
        "saturated": population.saturated,
    }
    return clipped + [f"{count} {kind}" for kind, count in counts.items() if count]
