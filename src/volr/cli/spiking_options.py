"""Options of spiking networks, and the neuron model and the models that they describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

import typer

from volr.cli.option_groups import CALIBRATION, SPIKING, THROUGH_SPIKES
from volr.cli.output_files import check_writable
from volr.errors import ModelError

if TYPE_CHECKING:
    from volr.experiments.tasks import Task
    from volr.models.files import Origin
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.network import Network
    from volr.neurons import NeuronModel

_M = TypeVar("_M")

Neuron = Annotated[
    str,
    typer.Option(
        "--neuron",
        metavar="NAME",
        help="Neuron model: if_curr_delta, if_curr_exp or if_cond_exp.",
        rich_help_panel=SPIKING,
    ),
]
NeuronParameters = Annotated[
    list[str] | None,
    typer.Option(
        "--neuron-parameter",
        "-p",
        metavar="NAME=X",
        help="Parameter of the neuron, in PyNN's names and units: tau_m=10. May be repeated.",
        rich_help_panel=SPIKING,
    ),
]
Reset = Annotated[
    Literal["hard", "subtract"],
    typer.Option(
        "--reset",
        help="After a spike, put the membrane to v_reset or take v_thresh − v_reset off it.",
        rich_help_panel=SPIKING,
    ),
]
Coding = Annotated[
    str,
    typer.Option(
        "--coding",
        metavar="NAME",
        help="Input coding: current or poisson.",
        rich_help_panel=SPIKING,
    ),
]
RateMax = Annotated[
    float,
    typer.Option(
        "--rate-max",
        metavar="HZ",
        help="Spike rate of an input of 1.",
        rich_help_panel=SPIKING,
    ),
]
InputRate = Annotated[
    float | None,
    typer.Option(
        "--rate-max",
        metavar="HZ",
        help="Spike rate of an input of 1.",
        show_default="500; if_cond_exp: 200; at most a spike a step",
        rich_help_panel=SPIKING,
    ),
]
Percentile = Annotated[
    float,
    typer.Option(
        "--percentile",
        metavar="X",
        help="Percentile of a population's activations that counts as full.",
        rich_help_panel=CALIBRATION,
    ),
]


def _time(flag: str, what: str, unless_told: str | None = None) -> Any:
    """An option in ms; ``unless_told`` is what help shows where the default is None."""
    shown = True if unless_told is None else unless_told
    return typer.Option(flag, metavar="MS", help=what, show_default=shown, rich_help_panel=SPIKING)


_DURATION = "--duration", "Simulated time of one stimulus."
_STEP = "--dt", "Time step of the simulation."
Duration = Annotated[float, _time(*_DURATION)]
Step = Annotated[float, _time(*_STEP)]
# The same two where a settings file may tell them.
DurationTold = Annotated[float | None, _time(*_DURATION, "50")]
StepTold = Annotated[float | None, _time(*_STEP, "0.5")]
Delay = Annotated[float | None, _time("--delay", "Delay of every synapse.", "one step")]
Readout = Annotated[
    Literal["count", "membrane"],
    typer.Option(
        "--readout",
        help="Read the outputs' spikes, or their mean membranes.",
        rich_help_panel=SPIKING,
    ),
]
Start = Annotated[
    Path | None,
    typer.Option(
        "--start",
        readable=False,
        metavar="MODEL",
        help="Go on from this spiking model; neurons, coding, timing and readout are its own.",
        show_default="random weights",
        rich_help_panel=THROUGH_SPIKES,
    ),
]
InLoop = Annotated[
    str | None,
    typer.Option(
        "--in-loop",
        metavar="BACKEND",
        help="Run the forward passes on this spiking back end, such as nest, and go back through "
        "its measured rates.",
        show_default="backpropagation through the engine's spikes",
        rich_help_panel=THROUGH_SPIKES,
    ),
]
Teacher = Annotated[
    Path | None,
    typer.Option(
        "--teacher",
        readable=False,
        metavar="MODEL",
        help="Learn what this artificial model answers instead of the labels.",
        show_default="the labels",
        rich_help_panel=THROUGH_SPIKES,
    ),
]
Device = Annotated[
    Literal["cpu", "cuda", "auto"],
    typer.Option(
        "--device",
        help="Run the network on the processor or on a GPU; auto: a GPU where there is one.",
        rich_help_panel=THROUGH_SPIKES,
    ),
]
Surrogate = Annotated[
    Literal["triangle", "rectangle", "fast_sigmoid", "atan"],
    typer.Option(
        "--surrogate",
        help="What stands for the derivative of a spike.",
        rich_help_panel=THROUGH_SPIKES,
    ),
]
SurrogateWidth = Annotated[
    float,
    typer.Option(
        "--surrogate-width",
        metavar="X",
        help="Its width, in units of v_thresh − v_reset.",
        rich_help_panel=THROUGH_SPIKES,
    ),
]
Window = Annotated[
    int | None,
    typer.Option(
        "--window",
        metavar="N",
        min=1,
        help="Steps that errors flow back through.",
        show_default="all",
        rich_help_panel=THROUGH_SPIKES,
    ),
]
RateFloor = Annotated[
    float,
    typer.Option(
        "--rate-floor",
        metavar="HZ",
        help="Mean rate below which a hidden neuron is pulled up.",
        rich_help_panel=THROUGH_SPIKES,
    ),
]
RatePenalty = Annotated[
    float,
    typer.Option(
        "--rate-penalty",
        metavar="X",
        help="How strongly it is pulled up.",
        rich_help_panel=THROUGH_SPIKES,
    ),
]


def neuron_of(
    name: str, assignments: Iterable[str] | None, reset: Literal["hard", "subtract"]
) -> NeuronModel:
    """The model of that name with parameters such as ``tau_m=10``; ``ModelError`` as they come."""
    from volr.neurons import neuron_model

    return neuron_model(name, parameters(assignments or ()), reset)


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


@dataclass(frozen=True)
class Read(Generic[_M]):
    """A model of one kind, its file, and where it comes from."""

    path: Path
    model: _M
    origin: Origin


def start_of(path: Path, network: Network, out: Path) -> Read[SpikingModel]:
    """The model to go on from; ``ModelError`` where it is not one of ``network``."""
    from volr.models.files import load_model
    from volr.models.model import SpikingModel

    check_writable(out, source=path)
    loaded = load_model(path)
    if not isinstance(loaded.model, SpikingModel):
        raise ModelError(
            f"{path} is an artificial model, and --start goes on from a spiking one",
            help="make it one with `volr transfer`",
        )
    if loaded.model.network != network:
        source = loaded.model.network.source
        own = "" if source is None else f": it was made from `{source.text.strip()}`"
        raise ModelError(f"{path} is not a model of this program{own}")
    return Read(path, loaded.model, loaded.origin)


def teacher_of(path: Path, task: Task, out: Path) -> Read[ArtificialModel]:
    """The model to learn from; ``ModelError`` where it is not an artificial one, or its file says
    that it was trained on other data.
    """
    from volr.experiments.tasks import same_data
    from volr.models.files import load_model
    from volr.models.model import ArtificialModel

    check_writable(out, source=path)
    loaded = load_model(path)
    if not isinstance(loaded.model, ArtificialModel):
        raise ModelError(f"{path} is a spiking model, and a teacher is an artificial one")
    learned = loaded.origin.get("task")
    # Both of MNIST have the same images, and a network of one may teach one of the other.
    if learned is not None and learned not in same_data(task):
        raise ModelError(
            f"{path} was trained on {learned}, and cannot teach {task.name}",
            help=f"take a teacher that was trained with --task {task.name}",
        )
    return Read(path, loaded.model, loaded.origin)


def split_of(origins: Iterable[Origin], task: str, seed: int | None) -> int:
    """The seed of the data: that of the models that training has from others, if there are any, or
    one of them has seen samples that the network is tested on. ``ModelError`` where they differ.
    """
    from volr.experiments.evaluation import data_seed

    seeds = {data_seed(each, task, None) for each in origins if each.get("task") == task}
    if len(seeds) > 1:
        raise ModelError(
            f"the models of --start and --teacher have other test samples of {task}: they were "
            f"trained with the seeds {' and '.join(map(str, sorted(seeds)))}",
            help="take two that were trained with the same seed",
        )
    return seeds.pop() if seeds else seed or 0
