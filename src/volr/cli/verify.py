"""``verify``: is it the same network on every back end, and where does it part if not?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from volr.cli import options, spiking
from volr.cli.groups import ARTIFICIAL, SPIKING, given, refuse
from volr.cli.output import emit, note, print_json, print_table
from volr.cli.progress import progress_bar
from volr.errors import BackendError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.backends.base import Backend, Document
    from volr.experiments.progress import Progress
    from volr.models.arrays import Floats
    from volr.models.files import Origin
    from volr.models.model import Model
    from volr.network import Network
    from volr.verify import Verification

# How many stimuli are compared unless told: most neurons spike for some of them.
SAMPLES = 20


def verify(
    ctx: typer.Context,
    subject: Annotated[
        str,
        typer.Argument(
            metavar="FILE|MODEL",
            help="A program, which is given random weights, or a model file.",
        ),
    ],
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BACKEND",
            help="Back end or document to compare. May be repeated.",
            show_default="all that are installed",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK", help="Compare on this task's test data.", show_default="random stimuli"
        ),
    ] = None,
    data: options.DataFolder = None,
    samples: Annotated[int, typer.Option(metavar="N", min=1, help="Number of stimuli.")] = SAMPLES,
    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Seed of random weights, stimuli and input spikes."),
    ] = 0,
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Hidden activation: relu, sigmoid, tanh or identity.",
            rich_help_panel=ARTIFICIAL,
        ),
    ] = "relu",
    neuron: spiking.Neuron = "if_curr_delta",
    neuron_parameters: spiking.NeuronParameters = None,
    reset: spiking.Reset = "hard",
    coding: spiking.Coding = "current",
    rate_max: spiking.RateMax = 500.0,
    duration: spiking.Duration = 50.0,
    dt: spiking.Step = 0.5,
    delay: spiking.Delay = None,
    as_json: options.Json = False,
) -> None:
    """Prove that back ends run the same network.

    Populations, projections and parameters are read back out of the running simulator, or out of
    the written document. Spikes are compared with the engine's, outputs with the reference's. Where
    they part, the first difference is shown with its cause, and the exit code is 1.
    """
    from volr.cli.subjects import read_subject
    from volr.models.activations import activation as find_activation
    from volr.models.coding import input_coding
    from volr.models.files import ModelFile
    from volr.transfer import TransferSettings
    from volr.verify.examples import random_ann, random_snn

    read = read_subject(subject)
    origin: Origin = {}
    if isinstance(read, ModelFile):
        refuse(given(ctx, ARTIFICIAL, SPIKING), "the model has its own")
        models, origin = [read.model], read.origin
    else:
        settings = TransferSettings(
            neuron=spiking.neuron_of(neuron, neuron_parameters, reset),
            coding=input_coding(coding, rate_max),
            duration=duration,
            dt=dt,
            delay=delay,
        )
        models: list[Model] = [
            random_ann(read, find_activation(activation), seed),
            random_snn(read, settings, seed),
        ]
    pairs = _pairs(models, on)
    stimuli = _stimuli(models[0].network, task, samples, seed, origin, data)
    found: list[Verification] = []
    with progress_bar() as progress:
        for model, target in pairs:
            try:
                found.append(_verified(model, target, stimuli, seed, progress))
            except UnsupportedError as error:
                # Some simulators see only as they run what they cannot do.
                if on is not None:
                    raise
                note(f"left out: {error.message}")
    if as_json:
        print_json({"backends": [verification_json(each) for each in found]})
    else:
        _print(found)
    if not all(each.equal for each in found):
        raise typer.Exit(1)


def _pairs(
    models: Sequence[Model], on: Sequence[str] | None
) -> list[tuple[Model, Backend | Document]]:
    """Which models go where: to all that were named, else to all that can take them."""
    from volr.backends import BACKENDS, DOCUMENTS, target
    from volr.backends.base import check_supported, is_ready, takes

    if on is not None:
        named = [
            (model, chosen)
            for chosen in map(target, dict.fromkeys(on))
            for model in [each for each in models if takes(chosen, each)] or models[:1]
        ]
        for model, chosen in named:
            check_supported(chosen, model)
        return named
    pairs: list[tuple[Model, Backend | Document]] = []
    for model in models:
        for chosen in (*BACKENDS, *DOCUMENTS):
            if not takes(chosen, model):
                continue
            if not is_ready(chosen):
                note(f"left out: {chosen.name} is not installed; `volr doctor` says how")
                continue
            try:
                check_supported(chosen, model)
            except UnsupportedError as error:
                note(f"left out: {error.message}")
                continue
            pairs.append((model, chosen))
    return pairs


def _stimuli(
    network: Network,
    task: str | None,
    samples: int,
    seed: int,
    origin: Origin,
    data: Path | None,
) -> Floats:
    from volr.experiments.evaluation import data_seed
    from volr.experiments.tasks import check_fits
    from volr.experiments.tasks import task as find_task
    from volr.verify.examples import random_stimuli

    if task is None:
        return random_stimuli(network, samples, seed)
    chosen = find_task(task)
    check_fits(chosen, network.input_size, network.output_size)
    split = data_seed(origin, task, seed)
    whole = chosen.load(seed=split, inputs=network.input_size, data_dir=data)
    return whole.test.first(samples).inputs


def _verified(
    model: Model, target: Backend | Document, stimuli: Floats, seed: int, progress: Progress
) -> Verification:
    from volr.experiments.progress import of_simulation
    from volr.verify import verify as compare

    told = of_simulation(progress, len(stimuli), f"verifying {target.name}")
    try:
        return compare(model, target, stimuli, seed=seed, progress=told)
    except BackendError as error:
        # Whatever goes wrong in one of many says where.
        if target.name not in error.message:
            error.message = f"{target.name}: {error.message}"
        raise


def verification_json(found: Verification) -> dict[str, Any]:
    behaviour = found.behaviour
    first = None if behaviour is None else behaviour.first_difference
    return {
        "name": found.name,
        "generation": found.generation,
        "topology": "equal" if found.topology else "different",
        "parameters": "equal" if found.parameters else "different",
        "differences": [
            {"kind": each.kind, "where": each.where, "message": each.message, "cause": each.cause}
            for each in found.differences
        ],
        "behaviour": None
        if behaviour is None
        else {
            "compared": behaviour.compared,
            "equal": behaviour.equal,
            "silent": behaviour.silent,
            "first_difference": None
            if first is None
            else {
                "stimulus": first.stimulus,
                "population": first.population,
                "neuron": first.neuron,
                "step": first.step,
                "membrane": first.membrane,
                "expected": first.expected,
                "found": first.found,
                "cause": first.cause,
            },
        },
    }


def _print(verifications: Sequence[Verification]) -> None:
    def said(equal: bool) -> str:
        return "equal" if equal else "different"

    print_table(
        ("back end", "generation", "topology", "parameters", "behaviour"),
        [
            (
                each.name,
                each.generation,
                said(each.topology),
                said(each.parameters),
                _behaviour(each),
            )
            for each in verifications
        ],
        left=5,
    )
    for each in verifications:
        behaviour = each.behaviour
        if behaviour is not None and 0 < behaviour.compared == behaviour.silent:
            note(f"{each.name}: no neuron spiked, so equal spikes say nothing")
        for difference in each.differences:
            emit(f"\n{each.name}: {difference.kind}: {difference}")
        if each.behaviour is not None and (first := each.behaviour.first_difference) is not None:
            place = f"stimulus {first.stimulus}, {first.population}[{first.neuron}]"
            if first.step is None:
                what = f"{first.found:.7g}, expected {first.expected:.7g}"
            else:
                place += f", step {first.step}"
                what = "a spike" if first.found else "no spike"
                what += (
                    f" at {first.membrane:.6f} mV, expected {'one' if first.expected else 'none'}"
                )
            emit(f"\n{each.name}: first difference: {place}: {what}\n  {first.cause}")
        if not each.equal:
            emit("\n")


def _behaviour(found: Verification) -> str:
    if found.behaviour is None:
        return "a document"
    what = "outputs" if found.generation == "ANN" else "spike trains"
    said = f"{found.behaviour.equal:,} of {found.behaviour.compared:,} {what} equal"
    return said + (f", {found.behaviour.silent:,} silent" if found.behaviour.silent else "")
