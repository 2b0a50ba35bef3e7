"""``transfer``: an artificial model becomes a spiking one, with a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import typer

from volr.cli import completion, options
from volr.cli.executors import Dask
from volr.cli.first_spikes import transfer_first_spikes
from volr.cli.input_files import data_for, read_model
from volr.cli.options import (
    MisplacedError,
    count,
    given,
    given_values,
    option,
    refuse,
    with_options,
)
from volr.cli.output import note, print_json, print_parts
from volr.cli.output_files import check_writable, path_from, save_made
from volr.cli.progress import progress_bar
from volr.cli.quantise import Levels
from volr.cli.spiking_options import Percentile, Spiking, parameters
from volr.errors import ModelError

# A note is printed for a loss of accuracy above this.
MUCH = 0.02


def _population_rates() -> str:
    from volr.neurons import IFCondExp

    return f"the inputs'; {IFCondExp.name}: {IFCondExp.full_rate:g}, or a spike a step"


@dataclass(frozen=True, kw_only=True)
class Transferred(Spiking):
    """The options of ``TransferSettings`` for the network."""

    coding: str | None = option(
        None,
        "Input coding: current, poisson, or first-spike, which loses nothing.",
        "NAME",
        of="volr.models.coding:ConstantCurrent.name",
        names=completion.CODINGS,
    )
    population_rate: float | None = option(
        None, "Spike rate of a full activation.", "HZ", unless=_population_rates
    )


@dataclass(frozen=True, kw_only=True)
class Calibration(Percentile):
    """How a transfer is calibrated, and where."""

    on: str = options.on(
        "engine", "engine, or any spiking one that `evaluate` names.", completion.SPIKING
    )
    rounds: int | None = count(None, "Rounds of calibration for each layer.", least=0)
    calibration_samples: int | None = count(
        None,
        "Training stimuli to calibrate on.",
        flags="--calibration-samples --samples",
        of="volr.transfer:TransferSettings.samples",
    )
    seed: int | None = options.seed(
        None, "the calibration's stimuli, and input spikes.", unless="the model's own"
    )


@with_options
def transfer(
    ctx: typer.Context,
    model: options.Model,
    out: options.Out,
    task: str | None = option(
        None,
        f"Task: {options.TASKS[:-1]}, {options.OR_DATA}",
        "TASK",
        unless="not needed for a quantised model",
        names=completion.TASKS,
    ),
    data: options.DataFolder = None,
    settings_file: options.SettingsFile = None,
    *,
    spiking: Transferred,
    calibration: Calibration,
    levels: Levels,
    dask: Dask = None,
    as_json: options.Json = False,
) -> None:
    """Make a trained model a spiking one.

    By default activations become rates, calibrated on a simulator. With `--coding first-spike` they
    become the times of single spikes, and the spiking network computes exactly the whole numbers of
    the quantised model: nothing is calibrated, and the proof is printed.
    """
    from volr.backends import simulator
    from volr.experiments.defaults import with_task_defaults
    from volr.experiments.evaluation import data_entries, data_seed
    from volr.experiments.run_progress import of_calibration
    from volr.experiments.settings_file import read_settings, settings_with
    from volr.experiments.tasks import task as find_task
    from volr.models.first_spike import FirstSpike
    from volr.models.model import ArtificialModel
    from volr.transfer import TransferSettings, transfer_ann
    from volr.transfer.display import transfer_parts

    if spiking.coding == FirstSpike.name:
        refuse(given(ctx, options.MACHINES).values(), "--coding first-spike simulates nothing")
        everything = given_values(spiking) | given_values(calibration) | given_values(levels)
        flags = given(ctx, options.REST, options.SPIKING, options.CALIBRATION, options.QUANTISATION)
        transfer_first_spikes(model, out, task, data, everything, flags, as_json=as_json)
        return
    if levels.levels is not None:
        refuse(["--levels"], "only --coding first-spike has levels")
    if task is None:
        raise MisplacedError("Missing option '--task'.")
    chosen = find_task(task)
    loaded = read_model(model)
    if not isinstance(loaded.model, ArtificialModel):
        raise ModelError(
            f"{model} is a spiking model already", help="transfer the artificial one it came from"
        )
    split = data_seed(loaded.origin, task, calibration.seed)
    drawn = split if calibration.seed is None else calibration.seed
    own = {"population_rate", "percentile", "rounds", "calibration_samples"}
    changes = given_values(spiking) | given_values(calibration)
    if settings_file is None:
        taken = {name.removeprefix("calibration_"): changes[name] for name in own & {*changes}}
        settings = spiking.settings(TransferSettings, **taken, seed=drawn)
    else:
        changes = {name: each for name, each in changes.items() if name not in ("on", "seed")}
        if "neuron_parameters" in changes:
            changes["neuron_parameters"] = parameters(changes["neuron_parameters"])
        file = read_settings(settings_file)
        settings = with_task_defaults(settings_with(file, changes), task).transfer(drawn)
    network = loaded.model.network
    chosen = data_for(chosen, network, loaded.origin, data)
    check_writable(out, source=model)
    with simulator(calibration.on, dask=dask) as target, progress_bar() as progress:
        progress(f"loading {task}", 0, None)
        stimuli = chosen.load(seed=split, inputs=network.input_size, data_dir=data).train
        done = transfer_ann(
            loaded.model, stimuli, target, settings, progress=of_calibration(progress)
        )
    origin = {
        **data_entries(chosen, split),
        **loaded.origin,
        "task": task,
        "seed": split,
        "condition": "snn-transferred",
        # For `volr explain`, which compares the two.
        "ann": path_from(out, model),
    }
    save_made(done.model, out, origin)
    if as_json:
        by_unit = {name: scales.tolist() for name, scales in done.scales.items()}
        print_json({**asdict(done.report), "scales": by_unit})
    else:
        print_parts(transfer_parts(done.report, done.scales))
    lost = done.report.accuracy_before - done.report.accuracy_after
    if lost > MUCH:
        note(
            f"the transfer lost {lost:.1%} of the training stimuli: a smaller --dt and a longer "
            "--duration count more finely; silent and saturated populations are in the report"
        )
    note(f"wrote {out}")
