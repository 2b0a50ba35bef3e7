"""Where models run: one file per back end, and here the list of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from volr.backends.base import ArtificialBackend, Backend, Document, Simulator, SpikingBackend
from volr.backends.brian2 import BRIAN2
from volr.backends.brian2.script import BRIAN2_SCRIPT
from volr.backends.engine import ENGINE
from volr.backends.engine import start as start_engine
from volr.backends.futhark import FUTHARK, FUTHARK_PROGRAM
from volr.backends.nest import NEST
from volr.backends.nir import NIR
from volr.backends.nir.dialects import DOCUMENTS as NIR_DIALECTS
from volr.backends.onnx import ONNX, ONNX_FILE
from volr.backends.pynn import PYNN, PYNN_BRIAN2, PYNN_NEST, PYNN_NEURON
from volr.backends.reference import REFERENCE
from volr.backends.shares import shared
from volr.backends.torch import TORCH
from volr.checks.arguments import check_on
from volr.checks.names import named
from volr.errors import BackendError
from volr.models.model import ArtificialModel, Model, SpikingModel

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from volr.engine.devices import Device

BACKENDS: tuple[Backend, ...] = (
    *(REFERENCE, TORCH, FUTHARK, ONNX),
    *(ENGINE, NEST, PYNN_NEST, PYNN_BRIAN2, PYNN_NEURON, BRIAN2),
)
DOCUMENTS: tuple[Document, ...] = (
    *(FUTHARK_PROGRAM, ONNX_FILE, PYNN, BRIAN2_SCRIPT),
    *(NIR, *NIR_DIALECTS),
)

__all__ = [
    "BACKENDS",
    "DOCUMENTS",
    "ENGINE",
    "NEST",
    "REFERENCE",
    "TORCH",
    "Backend",
    "On",
    "backend",
    "backend_of",
    "default_backend",
    "document",
    "running",
    "simulator",
    "spiking_backend",
    "target",
    "title",
]


def backend(name: str) -> Backend:
    """The back end of that name; ``BackendError`` when there is none, and for a document."""
    known = {each.name: each for each in BACKENDS}
    if name in [each.name for each in DOCUMENTS if each.name not in known]:
        raise BackendError(
            f"{name} is a document, which runs nothing; `volr compile --to {name}` writes it",
            help=f"choose one of {', '.join(known)}",
        )
    return named("back end", name, known, BackendError)


def document(name: str) -> Document:
    """The document format of that name; ``BackendError`` when there is none."""
    return named("document", name, {each.name: each for each in DOCUMENTS}, BackendError)


def target(name: str) -> Backend | Document:
    """The back end or document with this ``title``; ``BackendError`` when there is none."""
    everything = {title(each): each for each in (*DOCUMENTS, *BACKENDS)}
    return named("back end or document", name, everything, BackendError)


def title(found: Backend | Document) -> str:
    """Its name, with the suffix for a document that has the name of a back end: ``brian2.py``."""
    if isinstance(found, Document) and any(found.name == each.name for each in BACKENDS):
        return f"{found.name}{found.suffix}"
    return found.name


def simulator(
    name: str = "engine", *, device: Device = "cpu", dask: str | None = None
) -> AbstractContextManager[Simulator]:
    """The spiking back end of that name, started: ``with simulator("nest") as nest: …``.

    ``device`` is where the engine computes: ``cpu``, ``cuda``, or ``auto`` for a GPU where there is
    one. With ``dask``, the address of a Dask scheduler such as ``tcp://host:8786``, its workers
    start the back end, and get the stimuli in shares.

    Raises ``BackendError`` for another device than ``cpu`` with any other back end or with
    ``dask``, and where no scheduler answers; ``MissingError`` for what is not installed, and for
    ``cuda`` without a GPU.
    """
    check_on("simulator", name, "name")
    found = spiking_backend(name)
    if dask is not None:
        if device != "cpu":
            raise BackendError(
                f"the workers of a cluster run on their processors alone, and not on {device}",
                help="leave out the device, or the cluster",
            )
        return shared(found, dask)
    if device == "cpu":
        return found.start()
    if found is not ENGINE:
        raise BackendError(
            f"{name} runs on the processor alone, and not on {device}",
            help="leave out --device, or run on the engine: --on engine",
        )
    return start_engine(device)


def spiking_backend(on: On | Document) -> SpikingBackend:
    """The back end that ``on`` stands for, if it simulates; ``BackendError`` otherwise."""
    found = backend_of(on)
    match found:
        case SpikingBackend():
            return found
        case ArtificialBackend():
            spiking = ", ".join(each.name for each in BACKENDS if isinstance(each, SpikingBackend))
            raise BackendError(
                f"{found.name} runs artificial models and simulates nothing",
                help=f"the simulators are {spiking}",
            )


On: TypeAlias = str | Backend | Simulator
"""Where a model runs: the name of a back end, the back end itself, or a started simulator."""


def backend_of(on: On | Document) -> Backend:
    """The back end that ``on`` stands for; ``BackendError`` where a name is none, and for a
    document."""
    if isinstance(on, Document):
        raise BackendError(
            f"{on.name} is a document, which runs nothing",
            help="`volr.backend(…)` finds what runs, by its name",
        )
    if isinstance(on, str):
        return backend(on)
    return on if isinstance(on, (ArtificialBackend, SpikingBackend)) else on.backend


@contextmanager
def running(on: On) -> Generator[Simulator]:
    """The simulator that ``on`` stands for. One that is not started is started, and ended after.

    Raises ``BackendError`` for what simulates nothing, ``MissingError`` for what is not installed.
    """
    if isinstance(on, (str, ArtificialBackend, SpikingBackend, Document)):
        with spiking_backend(on).start() as started:
            yield started
    else:
        yield on


def default_backend(model: Model) -> Backend:
    """The back end that runs a model by default."""
    match model:
        case ArtificialModel():
            return TORCH
        case SpikingModel():
            return ENGINE
