"""Why a back end does not run a model: it is not installed, or it lacks something of the model.

``require`` and ``check_supported`` compare a record (``volr.backends.base``) with the machine and
with a model. Every refusal names what is missing, its place in the program, and a way out.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING

from volr.backends.base import ArtificialBackend, Document, Record, SpikingBackend
from volr.backends.populations import neurons_of
from volr.backends.readback import DOUBLE
from volr.checks.annotations import shown
from volr.checks.arguments import check_record
from volr.errors import DataError, MissingError, ModelError, UnsupportedError
from volr.exact.sums import staircase_of
from volr.models.activations import Staircase
from volr.models.first_spike import FirstSpike
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.stimuli import given_stimuli
from volr.network import Connector
from volr.network.supported import check_connectors
from volr.neurons import NeuronsByUnit
from volr.system.commands import find_command

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from volr.backends.base import Backend
    from volr.models.spike_trains import SpikeTrains, Stimuli
    from volr.network import Network, Population


def missing_packages(backend: Backend | Document) -> tuple[str, ...]:
    """The packages that the back end needs and that are not installed. None is imported."""
    return tuple(name for name in backend.requires if importlib.util.find_spec(name) is None)


def missing_programs(backend: Backend | Document) -> dict[str, str]:
    """The executables that are not on the path, and how to get them."""
    return {name: how for name, how in backend.programs.items() if find_command(name) is None}


def install_hint(backend: Backend | Document) -> str:
    """How to install what is missing, or the extra where nothing is missing."""
    ways = [f"{name}: {how}" for name, how in missing_programs(backend).items()]
    if missing_packages(backend) or not ways:
        ways.insert(0, f"pip install 'volr[{backend.extra}]'")
    return "; ".join(ways)


def require(backend: Backend | Document) -> None:
    """Raise ``MissingError``, with what to install, if anything that it needs is missing."""
    missing = (*missing_packages(backend), *missing_programs(backend))
    if missing:
        are = "are" if len(missing) > 1 else "is"
        raise MissingError(
            f"{backend.name} needs {', '.join(missing)}, which {are} not installed",
            help=install_hint(backend),
        )


def is_ready(backend: Backend | Document) -> bool:
    """Whether everything that it needs is installed."""
    return not missing_packages(backend) and not missing_programs(backend)


def takes(backend: Backend | Document, model: Model) -> bool:
    """Whether it supports any network of the model's generation, artificial or spiking."""
    match model:
        case ArtificialModel():
            return not isinstance(backend, SpikingBackend) and bool(backend.activations)
        case SpikingModel():
            return not isinstance(backend, ArtificialBackend) and bool(backend.neurons)


def check_supported(backend: Backend | Document, model: Model) -> None:
    """Raise ``UnsupportedError`` for the first thing in the model that the back end lacks."""
    match backend, model:
        case Document(activations=()), ArtificialModel():
            raise UnsupportedError(
                f"{backend.name} has no artificial networks, and this model is one",
                help="make it a spiking one with `volr transfer`, or see `volr doctor`",
            )
        case Document(neurons=()), SpikingModel():
            raise UnsupportedError(
                f"{backend.name} has no spiking neurons, and this model is a spiking one",
                help="`volr doctor` lists the back ends and documents that have",
            )
        case ArtificialBackend() | Document(), ArtificialModel():
            check_network(backend, model.network, "reference")
            _check_named(
                backend, model, "the activation", model.activation.name, backend.activations
            )
            if isinstance(model.activation, Staircase) and backend.precision > DOUBLE:
                _check_whole(backend, model)
        case SpikingBackend() | Document(), SpikingModel():
            coding = "the input coding", model.coding.name, backend.codings
            if isinstance(model.coding, FirstSpike):
                # It explains connectors and delays that might be lacking, too.
                _check_named(backend, model, *coding)
            _check_connections(backend, model)
            _check_neurons(backend, model)
            _check_named(backend, model, *coding)
            _check_named(backend, model, "the readout", model.readout, backend.readouts)
        case ArtificialBackend(), SpikingModel():
            raise UnsupportedError(
                f"{backend.name} has no spiking neurons, and this model is a spiking one",
                help="run it on a spiking back end, such as nest",
            )
        case SpikingBackend(), ArtificialModel():
            raise UnsupportedError(
                f"{backend.name} simulates spiking models, and this one is artificial",
                help="make it one with `volr transfer`, or evaluate it on torch or reference",
            )


def elsewhere(*names: str, verb: str = "run it on") -> str:
    """The help of a refusal: other back ends, or documents, that support the same network."""
    keep = "keeps" if len(names) == 1 else "keep"
    return f"{verb} {' or '.join(names)}, which {keep} the network"


def written_for(*names: str) -> str:
    """The same with documents, and how they are asked for."""
    typed = " or ".join(f"`volr compile --to {each}`" for each in names)
    return f"{elsewhere(*names, verb='write it for')} ({typed})"


def otherwise(*changes: str) -> str:
    """The help of a refusal: changes to the model, which make it another network."""
    makes = "makes" if len(changes) == 1 else "make"
    return f"{' or '.join(changes)} {makes} another network"


def check_request(
    backend: SpikingBackend,
    model: SpikingModel,
    stimuli: ArrayLike | SpikeTrains,
    record: Record,
    seed: int,
    first: int,
) -> Stimuli:
    """Check what ``Simulator.run`` is asked for, and return the stimuli as an array, or as spike
    trains. Raises as that does.
    """
    check_supported(backend, model)
    given = given_stimuli(model, stimuli)
    check_record("run", record, Record, "record")
    record.check(model.network)
    for what, number in (("the seed", seed), ("the number of the first stimulus", first)):
        if not hasattr(number, "__index__") or number < 0:
            raise DataError(f"{what} is {shown(number)}, not a whole number from 0 up")
    return given


def check_network(
    backend: Backend | Document, network: Network, other: str, doing: str = ""
) -> None:
    """Raise ``UnsupportedError`` for the first part of the network that the back end lacks.

    ``other`` is the back end that lacks nothing. ``doing`` are words before the name of the one
    that does.
    """
    known = ", ".join(each.name for each in backend.connectors if each is not Connector)
    way = f"{elsewhere(other)}; {backend.name} has {known}"
    check_connectors(
        network,
        backend.connectors,
        f"{doing}{backend.name}",
        way,
        merges=backend.merges,
        several=backend.several,
    )


def _check_connections(backend: SpikingBackend | Document, model: SpikingModel) -> None:
    """Refuse connectors, merges and delays that the back end lacks.

    With first spikes, the first spike that arrives tells the largest, on any simulator.
    """
    merges = ("sum", "max") if isinstance(model.coding, FirstSpike) else backend.merges
    check_network(replace(backend, merges=merges), model.network, "engine")
    if backend.delays or not model.delays:
        return
    name, delay = next(iter(model.delays.items()))
    raise UnsupportedError(
        f"{backend.name} lacks delays by projection, and {name} has one of {delay:g} ms where "
        f"others have {model.delay:g} ms",
        help=elsewhere("engine"),
        source=model.network.source,
        span=next(each.span for each in model.network.projections if each.name == name),
        label="it is made here",
    )


def _check_whole(backend: Backend | Document, model: ArtificialModel) -> None:
    """Refuse a staircase network whose sums single precision may not add up exactly."""
    try:
        staircase_of(model)
    except ModelError as error:
        raise UnsupportedError(
            f"{backend.name} computes in single precision, where this staircase network is not "
            f"exact: {error.message}",
            help=error.help,
        ) from error


def _check_neurons(backend: SpikingBackend | Document, model: SpikingModel) -> None:
    """Refuse the first population whose neuron model, or whose reset, the back end lacks."""
    network, neurons = model.network, neurons_of(model)
    if isinstance(backend, Document) and not backend.by_unit:
        _check_alike(backend, model)
    # Inputs come last: they have no line of their own in the program.
    names = sorted(neurons, key=lambda name: name in network.inputs)
    kinds = {name: neurons[name].name for name in names}
    resets: dict[str, str] = {name: neurons[name].reset for name in names}
    for what, by_population, known in (
        ("the neuron model", kinds, backend.neurons),
        ("the reset", resets, backend.resets),
    ):
        for name, value in by_population.items():
            of = f" of population {name}" if len(set(by_population.values())) > 1 else ""
            _check_named(backend, model, what, value, known, network[name], of)


def _check_alike(document: Document, model: SpikingModel) -> None:
    """Refuse the first population whose neurons differ by unit."""
    for name, neurons in model.neurons.items():
        if isinstance(neurons, NeuronsByUnit):
            raise UnsupportedError(
                f"{document.name} lacks neurons that differ by unit, and those of {name} do",
                help=elsewhere("engine", "nest", "brian2"),
                source=model.network.source,
                span=model.network[name].span,
                label=f"{name} has them",
            )


def _check_named(
    backend: Backend | Document,
    model: Model,
    what: str,
    name: str,
    known: tuple[str, ...],
    place: Population | None = None,
    of: str = "",
) -> None:
    """Refuse a ``name`` that is not ``known``, at ``place`` or else at the first layer."""
    if name in known:
        return
    message = f"{backend.name} lacks {what} {name!r}{of}"
    if isinstance(backend, Document) and name in backend.why:
        message += f": {backend.why[name]}"
    first = place or next((each for each in model.network.layers if each.span is not None), None)
    # These have all activations, all neurons and so on that a model can have.
    match backend, model:
        case Document(), SpikingModel():
            other, way = "brian2", written_for("brian2")
        case Document(), ArtificialModel():
            other, way = "onnx", written_for("onnx")
        case _, SpikingModel():
            other, way = "engine", elsewhere("engine")
        case _, ArtificialModel():
            other, way = "reference", elsewhere("reference")
    ways = [] if other == backend.name else [way]
    ways.append(f"{backend.name} has {what} {' or '.join(known)}; that makes another network")
    raise UnsupportedError(
        message,
        help="; ".join(ways),
        source=model.network.source,
        span=None if first is None else first.span,
        label="" if first is None else f"{first.name} has it",
    )
