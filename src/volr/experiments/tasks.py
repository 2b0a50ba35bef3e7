"""The tasks: a data set, and the program that learns it.

    nand, xor               two bits to their truth value
    digits                  scikit-learn's 8 × 8 digits, offline
    mnist, mnist-parallel   MNIST at 10 × 10 pixels, or at 28 × 28 for programs with 784 inputs
    fashion                 Fashion-MNIST at 28 × 28 pixels

Any other program of the right sizes can replace a task's own: the inputs may have any shape of as
many neurons, such as ``[1 28 28]``. ``volr.experiments.programs`` has some.
"""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from volr.checks.names import named
from volr.errors import DataError
from volr.experiments.datasets.arrays import checked
from volr.experiments.datasets.digits import load_digits
from volr.experiments.datasets.fashion import load_fashion
from volr.experiments.datasets.files import ARCHIVE, read_files
from volr.experiments.datasets.logic import load_logic, nand, xor
from volr.experiments.datasets.mnist import load_mnist
from volr.experiments.datasets.split import check_seed
from volr.experiments.first_layer import beginnings

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.experiments.datasets.arrays import Own
    from volr.models.samples import Data
    from volr.network import Network

    # The seed, the number of inputs, the data folder.
    Loader: TypeAlias = Callable[[int, int, Path | None], Data]


@dataclass(frozen=True)
class InputForm:
    """One form of a task's stimuli: the number of values, and what they are."""

    units: int
    description: str

    def __str__(self) -> str:
        return f"{self.units} ({self.description})"


@dataclass(frozen=True)
class Task:
    """A data set under a name, with the default ``program`` that learns it.

    ``forms`` are the possible input sizes, that of the default program first. ``classes`` is the
    number of outputs that a program must have. ``reads_files`` is whether the data are in files,
    for which there is a data folder.
    """

    name: str
    summary: str
    program: str
    forms: tuple[InputForm, ...]
    classes: int
    loader: Loader
    reads_files: bool = False
    own: Own | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was taken for granted of data in files of somebody's own, in sentences."""
        return () if self.own is None else self.own.notes

    def load(
        self,
        *,
        seed: int = 0,
        inputs: int | None = None,
        data_dir: Path | None = None,
    ) -> Data:
        """The data for a program with ``inputs`` inputs, by default those of the task's program.

        ``seed``, 0 or more, draws the points of ``nand`` and ``xor``; the samples of the others are
        the same for every seed. ``data_dir`` is the folder with the files of MNIST or
        Fashion-MNIST, or with the subfolders ``mnist`` and ``fashion-mnist``; the other tasks need
        none. Raises ``DataError`` if the size or the seed is not possible or the files are wrong,
        and ``MissingError`` if a package is not installed.
        """
        units = self.forms[0].units if inputs is None else inputs
        check_fits(self, units, self.classes)
        check_seed(seed)
        if self.own is not None:
            return self.own.data(seed)
        return self.loader(seed, units, data_dir)


def task(name: str) -> Task:
    """The task of this name, or that of the data in a file or folder of this path.

    ``DataError`` names the nearest task, and all of them, or what is wrong with the data.
    """
    return own_task(name) if is_path(name) else known_task(name)


def known_task(name: str) -> Task:
    """The task of this name; ``DataError`` names the nearest one, and all of them."""
    if is_path(name):
        raise DataError(
            f"{name} is a path, and experiments take tasks by their names",
            help="`volr train`, `transfer`, `quantise`, `evaluate`, `verify` and `explain` take "
            "data of your own",
        )
    return named("task", name, {each.name: each for each in TASKS}, DataError)


def is_path(name: str) -> bool:
    """Whether a task is data in a file or a folder."""
    if not name or any(each.name == name for each in TASKS):
        return False
    path = Path(name)
    return path.suffix == ARCHIVE or "/" in name or os.sep in name or path.exists()


def own_task(path: str | Path) -> Task:
    """The data in a ``.npz`` file, in a folder of IDX files or of images by class, as a task.

    Raises ``DataError`` and ``MissingError`` as ``read_files`` and ``checked`` do.
    """
    found = checked(read_files(Path(path)))
    units = math.prod(found.shape)
    sizes = " × ".join(map(str, found.shape))
    return Task(
        name=str(path),
        summary=f"the data in {path}",
        program=f"dense {units} 64 ⦶ dense 64 {found.classes}",
        forms=(InputForm(units, f"{sizes} values"),),
        classes=found.classes,
        loader=lambda seed, _inputs, _data_dir: found.data(seed),
        own=found,
    )


def check_fits(task: Task, inputs: int, outputs: int, network: Network | None = None) -> None:
    """Raise ``DataError`` if a program with these sizes cannot learn the task.

    ``network`` is the program's, where it is known: the help of the error has its first layer.
    """
    wrong: list[str] = []
    edits: list[str] = []
    if all(inputs != form.units for form in task.forms):
        offer = " or ".join(str(form) for form in task.forms)
        wrong.append(f"the program takes {inputs} inputs, and the task offers {offer}")
        edits.append(beginnings([form.units for form in task.forms], network))
    if outputs != task.classes:
        wrong.append(
            f"the program gives {outputs} outputs, and the task has {task.classes} classes"
        )
        edits.append(f"end it with `dense … {task.classes}`, one output per class")
    if wrong:
        raise DataError(
            f"this program does not fit the task {task.name}: " + "; ".join(wrong),
            help=f"{'; '.join(edits)}; the task's own program is `{task.program}`",
        )


def check_model(task: Task, network: Network, trained: object) -> None:
    """``check_fits`` for a model that was ``trained`` on a task, by its origin, or on none.

    Raises ``DataError`` if it does not fit, with its own task in the help. If it fits, and its own
    task has other data, that is logged as a warning.
    """
    is_known = any(each.name == trained for each in TASKS)
    if is_known and trained in same_data(task):
        is_known = False
    try:
        check_fits(task, network.input_size, network.output_size, network)
    except DataError as error:
        if not is_known:
            raise
        raise DataError(
            f"the model was trained on {trained}, and does not fit the task {task.name}",
            help=f"name its own task: --task {trained}",
        ) from error
    if is_known:
        logging.getLogger("volr").warning(
            "the model was trained on %s, and not on %s", trained, task.name
        )


def same_data(task: Task) -> tuple[str, ...]:
    """The tasks with the data of this one, including itself: both of MNIST have the same."""
    return (task.name, *(each.name for each in TASKS if each.loader is task.loader))


_WHOLE = InputForm(784, "28 × 28 pixels")
_PIXELS = (InputForm(100, "10 × 10 pixels"), _WHOLE)


def _load_mnist(_seed: int, inputs: int, data_dir: Path | None) -> Data:
    return load_mnist(math.isqrt(inputs), data_dir)


TASKS: tuple[Task, ...] = (
    Task(
        name="nand",
        summary="not both of two bits",
        program="dense 2 4 ⦶ dense 4 2",
        forms=(InputForm(2, "two bits"),),
        classes=2,
        loader=lambda seed, _inputs, _data_dir: load_logic(nand, seed),
    ),
    Task(
        name="xor",
        summary="one of two bits, but not both",
        program="dense 2 4 ⦶ dense 4 2",
        forms=(InputForm(2, "two bits"),),
        classes=2,
        loader=lambda seed, _inputs, _data_dir: load_logic(xor, seed),
    ),
    Task(
        name="digits",
        summary="handwritten digits, scikit-learn's, offline",
        program="dense 64 64 ⦶ dense 64 10",
        forms=(InputForm(64, "8 × 8 pixels"),),
        classes=10,
        loader=lambda _seed, _inputs, _data_dir: load_digits(),
    ),
    Task(
        name="mnist",
        summary="handwritten digits, MNIST, layers in sequence",
        program="dense 100 100 ⦶ dense 100 10",
        forms=_PIXELS,
        classes=10,
        loader=_load_mnist,
        reads_files=True,
    ),
    Task(
        name="mnist-parallel",
        summary="handwritten digits, MNIST, layers in parallel",
        program="dense 100 20 ⦶ (dense 20 10 ⊖ dense 20 10) ⦶ dense 20 10",
        forms=_PIXELS,
        classes=10,
        loader=_load_mnist,
        reads_files=True,
    ),
    Task(
        name="fashion",
        summary="pictures of clothes, Fashion-MNIST",
        program="dense 784 100 ⦶ dense 100 10",
        forms=(_WHOLE,),
        classes=10,
        loader=lambda _seed, _inputs, data_dir: load_fashion(data_dir),
        reads_files=True,
    ),
)
