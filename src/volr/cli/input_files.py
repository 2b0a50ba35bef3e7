"""Files that a command reads: programs and models, and the models that training starts from or
learns from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from volr.cli.options import refuse
from volr.cli.output import note
from volr.cli.output_files import check_writable
from volr.cli.progress import patience
from volr.errors import ModelError, ModelFileError
from volr.system.incoming import check_ordinary, is_model

if TYPE_CHECKING:
    from volr.experiments.tasks import Task
    from volr.model_files.model_file import ModelFile, Origin
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.network import Network

_M = TypeVar("_M")


def read_subject(file: str) -> Network | ModelFile:
    """The network of a program, or a model; raises ``ProgramError`` or ``ModelFileError``.

    A program may also be one that comes with Volr, by its name.
    """
    from volr.experiments.programs import program_source
    from volr.language import to_network

    return read_model(file) if is_model_file(file) else to_network(program_source(file))


def read_model(file: str | Path) -> ModelFile:
    """A model file, or a NIR or ONNX file as a model; what is taken for granted is told.

    Raises ``ModelFileError`` and ``UnsupportedError``.
    """
    from volr.model_files.model_file import ModelFile, read_model_file

    if Path(file).suffix.lower() not in FOREIGN:
        return read_model_file(file)
    from volr.importing import import_file

    with patience("reading"):
        found = import_file(file)
    for each in found.notes:
        note(each)
    return ModelFile(found.model, {})


FOREIGN = (".nir", ".onnx")


def is_model_file(file: str) -> bool:
    """Whether the name or the first bytes are those of a model file, or of one to be imported."""
    if file == "-":
        return False
    path = Path(file)
    if path.suffix.lower() in {".safetensors", *FOREIGN}:
        return True
    try:
        check_ordinary(path)  # a pipe can be read only once
        with path.open("rb") as opened:
            head = opened.read(9)
    except OSError:
        return False
    return is_model(head)


def check_data(data: Path | None, *tasks: Task) -> None:
    """Tell what was taken for granted of the data of tasks.

    ``--data``, which would have no effect, is refused for tasks whose data are in no files of
    Volr's.
    """
    for each in tasks:
        for text in each.notes:
            note(text)
    if data is not None and not any(each.reads_files for each in tasks):
        names = " and ".join(each.name for each in tasks)
        has = "have their data in no files" if len(tasks) > 1 else "has its data in no files"
        refuse([f"--data {data}"], f"{names} {has}; leave it out")


def data_for(task: Task, network: Network, origin: Origin, data: Path | None) -> Task:
    """The task for a model of this network and origin, after ``check_data``.

    Data of somebody's own are scaled and labelled as those that the model was trained on. Raises
    ``DataError`` as ``check_model`` and ``as_trained`` do.
    """
    from volr.experiments.evaluation import as_trained
    from volr.experiments.tasks import check_model

    found = as_trained(task, origin, network.output_size)
    check_data(data, found)
    check_model(found, network, origin.get("task"))
    return found


@dataclass(frozen=True)
class Read(Generic[_M]):
    """A model of one kind, its file and its origin."""

    path: Path
    model: _M
    origin: Origin


def start_of(path: Path, network: Network, out: Path) -> Read[SpikingModel]:
    """The model to start from; ``ModelError`` if it is not a spiking model of ``network``."""
    from volr.models.model import SpikingModel

    check_writable(out, source=path)
    loaded = read_model(path)
    if not isinstance(loaded.model, SpikingModel):
        raise ModelError(
            f"{path} is an artificial model, and --start goes on from a spiking one",
            help="make it one with `volr transfer`",
        )
    if loaded.model.network.clock is not None:
        raise ModelError(
            f"{path} has first spikes, and its weights are not to be trained",
            help="train the artificial model that it came from, and transfer that one again",
        )
    _check_program(path, loaded.model.network, network)
    return Read(path, loaded.model, loaded.origin)


def artificial_start_of(path: Path, network: Network, out: Path) -> Read[ArtificialModel]:
    """The same for an artificial network, which is to become one of whole numbers."""
    from volr.models.activations import ReLU
    from volr.models.model import ArtificialModel

    check_writable(out, source=path)
    loaded = read_model(path)
    if not isinstance(loaded.model, ArtificialModel):
        raise ModelError(
            f"{path} is a spiking model, and --levels are those of an artificial one",
            help="name the model that it was transferred from",
        )
    if not isinstance(loaded.model.activation, ReLU):
        raise ModelError(
            f"{path} has the activation {loaded.model.activation.name}, and --levels need relu",
            help="name the model that `volr train` wrote",
        )
    _check_program(path, loaded.model.network, network)
    return Read(path, loaded.model, loaded.origin)


def _check_program(path: Path, found: Network, network: Network) -> None:
    """Raise ``ModelError`` for a model of another program."""
    if found != network:
        own = "" if found.source is None else f": it was made from `{found.source.text.strip()}`"
        raise ModelError(f"{path} is not a model of this program{own}")


def source_of(file: Path, origin: Origin, ann: Path | None) -> Read[ArtificialModel] | None:
    """The artificial model that the one of ``file`` comes from: ``ann``, or the one that its
    ``origin`` names, or None.

    Raises ``ModelFileError`` for a file that cannot be read, and ``ModelError`` for a spiking
    model.
    """
    from volr.models.model import ArtificialModel

    named = origin.get("ann")
    if ann is None and not isinstance(named, str):
        return None
    # A relative path starts at the folder of the file that names it.
    path = ann if ann is not None else file.parent / str(named)
    try:
        loaded = read_model(path)
    except ModelFileError as error:
        if ann is not None:
            raise
        raise ModelFileError(
            f"{file} comes from another model, {path}: {error.message}",
            help="if that file was moved, name it with --ann MODEL",
        ) from error
    if not isinstance(loaded.model, ArtificialModel):
        raise ModelError(f"{path} is a spiking model", help="name the ANN that it came from")
    return Read(path, loaded.model, loaded.origin)


def teacher_of(path: Path, task: Task, out: Path) -> Read[ArtificialModel]:
    """The model to learn from; ``ModelError`` if it is not an artificial one, or was trained on
    other data.
    """
    from volr.experiments.tasks import same_data
    from volr.models.model import ArtificialModel

    check_writable(out, source=path)
    loaded = read_model(path)
    if not isinstance(loaded.model, ArtificialModel):
        raise ModelError(
            f"{path} is a spiking model, and a teacher is an artificial one",
            help="name the model that it was transferred from, or train one with `volr train`",
        )
    learned = loaded.origin.get("task")
    # Both MNIST tasks have the same images, so a network of one may teach one of the other.
    if learned is not None and learned not in same_data(task):
        raise ModelError(
            f"{path} was trained on {learned}, and cannot teach {task.name}",
            help=f"take a teacher that was trained with --task {task.name}",
        )
    return Read(path, loaded.model, loaded.origin)


def split_of(origins: Iterable[Origin], task: str, seed: int | None) -> int:
    """The seed that splits the data.

    It is that of the start and of the teacher, so that neither has seen test samples of the
    network. Raises ``ModelError`` if the two differ.
    """
    from volr.experiments.evaluation import data_seed, trained_on

    seeds = {data_seed(each, task, None) for each in origins if trained_on(each, task)}
    if len(seeds) > 1:
        raise ModelError(
            f"the models of --start and --teacher have other test samples of {task}: they were "
            f"trained with the seeds {' and '.join(map(str, sorted(seeds)))}",
            help="take two that were trained with the same seed",
        )
    return seeds.pop() if seeds else seed or 0
