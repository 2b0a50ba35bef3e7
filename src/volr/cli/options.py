"""Arguments and options that several commands share, with the words that help says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from volr.cli.groups import SPIKING

Program = Annotated[str, typer.Argument(metavar="FILE", help="A program; - is standard input.")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.")]
Task = Annotated[
    str,
    typer.Option("--task", metavar="TASK", help="nand, xor, digits, mnist or mnist-parallel."),
]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Model file to write.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder with MNIST's four files.",
        show_default="$VOLR_DATA, else a download",
    ),
]

# Of an artificial network: `train` has words of its own.
Epochs = Annotated[
    int | None,
    typer.Option(
        "--epochs",
        metavar="N",
        min=1,
        help="Passes over the training data.",
        show_default="30, or as many as make 2,000 updates",
    ),
]
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
        help="Spike rate of a full activation.",
        rich_help_panel=SPIKING,
    ),
]
Duration = Annotated[
    float,
    typer.Option(
        "--duration",
        metavar="MS",
        help="Simulated time of one stimulus.",
        rich_help_panel=SPIKING,
    ),
]
Step = Annotated[
    float,
    typer.Option(
        "--dt", metavar="MS", help="Time step of the simulation.", rich_help_panel=SPIKING
    ),
]
Delay = Annotated[
    float | None,
    typer.Option(
        "--delay",
        metavar="MS",
        help="Delay of every synapse.",
        show_default="one step",
        rich_help_panel=SPIKING,
    ),
]
