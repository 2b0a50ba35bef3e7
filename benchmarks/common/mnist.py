"""MNIST at 10 × 10 for a benchmark: the task, the option that says where it is, its data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import volr

if TYPE_CHECKING:
    import argparse

TASK = volr.task("mnist")


def add_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the files of MNIST are")


def load(data_dir: Path | None) -> volr.Data:
    """The data, or the end of the program with the reason why there are none."""
    try:
        return TASK.load(seed=0, data_dir=data_dir)
    except volr.VolrError as error:
        sys.exit(str(error))
