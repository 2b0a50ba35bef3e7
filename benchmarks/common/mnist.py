"""MNIST for a benchmark: the option that says where it is, its data, and the ANN at 10 × 10."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import volr

if TYPE_CHECKING:
    import argparse

    from volr.models.model import ArtificialModel

_TASK = volr.task("mnist")


def add_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the files of MNIST are")


def load(data_dir: Path | None, side: int = 10) -> volr.Data:
    """The data, or the end of the program with the reason why there are none."""
    try:
        return _TASK.load(seed=0, inputs=side * side, data_dir=data_dir)
    except volr.VolrError as error:
        sys.exit(str(error))


def trained(data: volr.Data) -> ArtificialModel:
    """The task's own network, 100-100-10, trained as it is unless told."""
    return volr.train_ann(volr.to_network(_TASK.program), data.train).model
