"""``verify``: whether every back end runs the same network, and where they differ."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volr.cli import completion, options
from volr.cli.executors import Dask
from volr.cli.options import ARTIFICIAL, SPIKING, given, option, refuse, with_options
from volr.cli.output import note, print_json
from volr.cli.progress import progress_bar
from volr.cli.spiking_options import Spiking
from volr.cli.verify_against import compare_whole_numbers, show_proof
from volr.errors import MissingError, ModelError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from volr.backends.base import Backend, Document, Simulator
    from volr.checks.arrays import Floats, Integers
    from volr.model_files.model_file import Origin
    from volr.models.model import Model, SpikingModel
    from volr.network import Network
    from volr.verification import Unverified
    from volr.verification.verify import Outcome


@with_options
def verify(
    ctx: typer.Context,
    subject: Annotated[
        str,
        typer.Argument(
            metavar="FILE|MODEL", help="A program, which is given random weights, or a model file."
        ),
    ],
    on: list[str] | None = options.on(
        None,
        "such as nest; or a document to compare, such as nir or brian2.py, which is the script for "
        "brian2. May be repeated.",
        completion.VERIFIED,
        unless="all that are installed",
    ),
    task: str | None = option(
        None,
        "Task: its test data are the stimuli.",
        "TASK",
        unless="random stimuli",
        names=completion.TASKS,
    ),
    data: options.DataFolder = None,
    stimuli: Path | None = option(
        None,
        "Stimuli of your own: a .npy or .npz file of values [batch, unit], or of spike trains "
        "[time, batch, unit].",
        "FILE",
    ),
    # With 20 stimuli, most neurons spike for at least one.
    samples: int = options.samples(20, ", or of random stimuli"),
    seed: int = options.seed(0, "weights, stimuli and input spikes."),
    against: Path | None = option(
        None,
        "Compare the whole numbers of a model with first spikes with those of this artificial "
        "model, neuron by neuron.",
        "MODEL",
    ),
    proof: bool = option(
        default=False, help="Print the proof of a model with first spikes.", flags="--proof"
    ),
    activation: options.Activation = None,
    *,
    spiking: Spiking,
    dask: Dask = None,
    as_json: options.Json = False,
) -> None:
    """Prove that back ends run the same network.

    Populations, projections and parameters are read back out of the running simulator, or out of
    the written document. Spikes are compared with the engine's, outputs with the reference's. If
    they differ, the first difference is shown with its cause, and the exit code is 1.

    A value that cannot be read back, but comes from the model, counts as told, and proves nothing.
    A back end that lacks something of the model is shown as refused, and one that fails as failed;
    the others are still compared. The exit code is 1 if one failed, or if one refused that is named
    with `--on`.

    A model with first spikes has a proof that it computes the whole numbers of an artificial model,
    for every stimulus: `--proof` prints it. `--against` holds what back ends do against it, by
    default the engine.
    """
    from volr.backends.base import SpikingBackend
    from volr.cli.input_files import read_subject
    from volr.cli.verify_tables import left_out_lines, outcome_json, print_outcomes, show_outcome
    from volr.experiments.datasets.numpy_files import read_stimuli
    from volr.experiments.run_progress import of_simulation
    from volr.model_files.model_file import ModelFile
    from volr.transfer import TransferSettings
    from volr.verification import Unverified, Verification
    from volr.verification.examples import random_ann, random_snn
    from volr.verification.verify import attempt

    read = read_subject(subject)
    origin: Origin = {}
    if isinstance(read, ModelFile):
        refuse(given(ctx, ARTIFICIAL, SPIKING).values(), "the model has its own")
        models, origin = [read.model], read.origin
    elif proof or against is not None:
        asked = ["--proof"] * proof + ([f"--against {against}"] if against is not None else [])
        refuse(asked, "a program has no numbers; name a model")
        return
    else:
        settings = spiking.settings(TransferSettings)
        models: list[Model] = [
            random_ann(read, options.activation_of(activation), seed),
            random_snn(read, settings, seed),
        ]
    for each in on or ():
        if "," in each:
            repeated = " ".join(f"--on {name.strip()}" for name in each.split(","))
            refuse([f"--on {each}"], f"one back end at a time; repeat the option: {repeated}")
    if proof or against is not None:
        model = _whole(models[0], subject)
        if against is None:
            told = given(ctx, options.REST, options.MACHINES)
            idle = [each for name, each in told.items() if name not in ("proof", "as_json")]
            refuse(idle, "the proof runs nothing; add --against MODEL")
            show_proof(model, as_json=as_json)
            return
        refuse([f"--stimuli {stimuli}"] if stimuli else [], "whole numbers are those of values")
        shown = _stimuli(model.network, task, samples, seed, origin, data)
        names = tuple(dict.fromkeys(on or ("engine",)))
        compare_whole_numbers(
            model, against, names, *shown, dask=dask, proved=proof, as_json=as_json
        )
        return
    pairs, left_out = _pairs(models, on)
    if dask is not None and not any(isinstance(each, SpikingBackend) for _, each in pairs):
        refuse(["--dask"], "none of these simulates anything")
    if stimuli is not None:
        told = given(ctx, options.REST)
        idle = [each for name, each in told.items() if name in ("task", "data", "samples")]
        refuse(idle, "the stimuli are those of --stimuli, and all of them are shown")
        shown = read_stimuli(stimuli)
    else:
        shown, _ = _stimuli(models[0].network, task, samples, seed, origin, data)
    # Spike trains are [time, batch, unit].
    count = shown.shape[1] if shown.ndim == 3 else len(shown)
    found: list[Outcome] = []
    with progress_bar() as progress:
        for model, target in pairs:
            told = of_simulation(progress, count, f"verifying {target.name}")
            with _at(target, dask) as on_it:
                outcome = attempt(model, on_it, shown, seed=seed, progress=told)
            if on is None and isinstance(outcome, Unverified) and outcome.status == "refused":
                # Some simulators find out only as they run that they lack something.
                left_out.append(outcome)
            else:
                found.append(outcome)
    if as_json:
        print_json(
            {
                "backends": [outcome_json(each) for each in found],
                "left_out": [outcome_json(each) for each in left_out],
            }
        )
    else:
        print_outcomes(found)
    for line in left_out_lines(left_out):
        note(line)
    for each in found:
        if isinstance(each, Unverified):
            show_outcome(each)
    if not all(isinstance(each, Verification) and each.equal for each in found):
        raise typer.Exit(1)


def _at(
    target: Backend | Document, dask: str | None
) -> AbstractContextManager[Backend | Document | Simulator]:
    """Where a back end or document is compared: simulators on a cluster, if there is one."""
    from volr.backends import simulator
    from volr.backends.base import SpikingBackend

    if dask is None or not isinstance(target, SpikingBackend):
        return nullcontext(target)
    return simulator(target.name, dask=dask)


def _pairs(
    models: Sequence[Model], on: Sequence[str] | None
) -> tuple[list[tuple[Model, Backend | Document]], list[Unverified]]:
    """The models and the back ends to compare, and the back ends that are left out.

    These are the back ends of ``--on``, or by default all that take a model. Only back ends that
    are not named are left out."""
    from volr.backends import BACKENDS, DOCUMENTS, target, title
    from volr.backends.refusals import check_supported, require, takes
    from volr.verification.verify import Unverified, generation_of

    if on is not None:
        return [
            (model, chosen)
            for chosen in map(target, dict.fromkeys(on))
            for model in [each for each in models if takes(chosen, each)] or models[:1]
        ], []
    pairs: list[tuple[Model, Backend | Document]] = []
    left_out: list[Unverified] = []
    for model in models:
        for chosen in (*BACKENDS, *DOCUMENTS):
            if not takes(chosen, model):
                continue
            try:
                require(chosen)
                check_supported(chosen, model)
            except (MissingError, UnsupportedError) as error:
                generation = generation_of(model)
                left_out.append(Unverified(title(chosen), generation, "refused", error))
            else:
                pairs.append((model, chosen))
    return pairs, left_out


def _whole(model: Model, path: str) -> SpikingModel:
    """The model, which has to be one with first spikes."""
    from volr.models.first_spike import FirstSpike
    from volr.models.model import SpikingModel

    if isinstance(model, SpikingModel) and isinstance(model.coding, FirstSpike):
        return model
    raise ModelError(
        f"{path} tells no whole numbers, and only a model with first spikes has a proof",
        help="`volr transfer --coding first-spike` makes one",
    )


def _stimuli(
    network: Network, task: str | None, samples: int, seed: int, origin: Origin, data: Path | None
) -> tuple[Floats, Integers | None]:
    """Stimuli of the task's test data with their labels; or random stimuli, which have none."""
    from volr.cli.input_files import data_for
    from volr.experiments.evaluation import data_seed
    from volr.experiments.tasks import task as find_task
    from volr.verification.examples import random_stimuli

    if task is None:
        refuse([f"--data {data}"] if data else [], "without --task, the stimuli are random")
        return random_stimuli(network, samples, seed), None
    chosen = find_task(task)
    chosen = data_for(chosen, network, origin, data)
    split = data_seed(origin, task, seed)
    whole = chosen.load(seed=split, inputs=network.input_size, data_dir=data)
    shown = whole.test.first(samples)
    return shown.inputs, shown.labels
