"""Arguments and options that several commands share, with the words that help says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# A path is `readable=False`: Typer does not try it, and so does not take a file that cannot be read
# for wrong usage. The command opens it, and says what is wrong with it.
Program = Annotated[str, typer.Argument(metavar="FILE", help="A program; - is standard input.")]
Model = Annotated[Path, typer.Argument(readable=False, metavar="MODEL", help="A model file.")]
Task = Annotated[
    str,
    typer.Option("--task", metavar="TASK", help="nand, xor, digits, mnist or mnist-parallel."),
]
Out = Annotated[
    Path, typer.Option("--out", readable=False, metavar="FILE", help="Model file to write.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        readable=False,
        metavar="DIR",
        help="Folder with MNIST's four files.",
        show_default="$VOLR_DATA, else a download",
    ),
]
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        readable=False,
        metavar="FILE",
        help="Settings, such as `volr search` writes; options given beside it come first.",
    ),
]
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
