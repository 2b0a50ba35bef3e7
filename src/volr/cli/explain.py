"""``explain``: why a spiking model is less accurate than its ANN, in points of accuracy."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from volr.cli import completion, options
from volr.cli.explain_exact import explain_whole_numbers, is_whole
from volr.cli.input_files import data_for, read_model, source_of
from volr.cli.options import CALIBRATION, SPIKING, given, given_values, option, refuse, with_options
from volr.cli.output import print_json, print_parts
from volr.cli.progress import progress_bar
from volr.cli.spiking_options import Percentile, Spiking
from volr.errors import ModelError


@with_options
def explain(
    ctx: typer.Context,
    model: options.Model,
    task: options.Task,
    on: str = options.on(
        "engine", "engine, or any spiking one that `evaluate` names.", completion.SPIKING
    ),
    ann: Path | None = option(
        None, "The ANN that a spiking MODEL comes from.", "MODEL", unless="named in its file"
    ),
    data: options.DataFolder = None,
    samples: int = options.samples(1000),
    remedies: bool = option(
        default=True, help="Try the recommendations.", flags="--remedies/--no-remedies"
    ),
    seed: int | None = options.seed(
        None, "input spikes, and the calibration of an ANN.", unless="the model's own"
    ),
    *,
    spiking: Spiking,
    full: Percentile,
    as_json: options.Json = False,
) -> None:
    """Split what a spiking model loses into causes.

    MODEL is a spiking model or an ANN. An ANN is transferred first, as by `volr transfer` with the
    neuron, coding and times given here. Each cause is shown with its cost in points of accuracy,
    the population where it costs most, and what to change. The recommendations are tried.

    A model with first spikes loses nothing: its proof is shown, and what quantisation cost in each
    population, as for a quantised ANN.
    """
    from volr.backends import ENGINE, spiking_backend
    from volr.backends.refusals import require
    from volr.experiments.evaluation import data_seed
    from volr.experiments.run_progress import of_calibration
    from volr.experiments.tasks import task as find_task
    from volr.explanation import explain as split
    from volr.explanation.display import explanation_parts
    from volr.models.model import SpikingModel
    from volr.transfer import TransferSettings, transfer_ann

    chosen = find_task(task)
    runner = spiking_backend(on)
    require(runner)
    loaded = read_model(model)
    split_seed = data_seed(loaded.origin, task, seed)
    drawn = split_seed if seed is None else seed
    if is_whole(loaded.model):
        chosen = data_for(chosen, loaded.model.network, loaded.origin, data)
        explain_whole_numbers(
            loaded,
            model,
            ann,
            runner,
            chosen,
            data,
            split=split_seed,
            samples=samples,
            given=given(ctx, SPIKING, CALIBRATION).values(),
            as_json=as_json,
        )
        return
    settings: TransferSettings | None = None
    if isinstance(loaded.model, SpikingModel):
        refuse(
            given(ctx, SPIKING, CALIBRATION).values(),
            f"options of an ANN's transfer, and {model} is a spiking model; leave them out, or "
            "name the ANN as MODEL",
        )
        source = source_of(model, loaded.origin, ann)
        if source is None:
            raise ModelError(
                f"{model} does not say which ANN it came from", help="name it with --ann MODEL"
            )
        artificial, spiking_model = source.model, loaded.model
    else:
        if ann is not None:
            raise ModelError(f"{model} is an ANN itself", help="leave --ann out")
        artificial, spiking_model = loaded.model, None
        settings = spiking.settings(TransferSettings, **given_values(full), seed=drawn)
    network = loaded.model.network
    chosen = data_for(chosen, network, loaded.origin, data)
    with runner.start() as simulator, ENGINE.start() as engine, progress_bar() as progress:
        progress(f"loading {task}", 0, None)
        whole = chosen.load(seed=split_seed, inputs=network.input_size, data_dir=data)
        if spiking_model is None:
            spiking_model = transfer_ann(
                artificial,
                whole.train,
                engine,
                settings or TransferSettings(),
                progress=of_calibration(progress),
            ).model
        found = split(
            artificial,
            spiking_model,
            whole.test.first(samples),
            simulator,
            train=whole.train if remedies else None,
            settings=settings,
            seed=drawn,
            progress=progress,
        )
    if as_json:
        remedy = None if found.remedy is None else asdict(found.remedy)
        print_json({"task": task, "summary": found.summary, "remedy": remedy, **asdict(found)})
    else:
        print_parts(explanation_parts(found))
