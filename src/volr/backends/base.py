"""What every back end has in common: its record, what it may be asked for, and what it hands back.

    Backend  ::=  ArtificialBackend | SpikingBackend
    Document

A back end is one file, or one package, that defines one record. An artificial back end ``build``s a
forward function out of a model. A spiking one ``start``s a simulator, a context manager that runs
one model after another: a transfer calibrates by simulating many, and starting a simulator is the
slow part. A document is a file in somebody else's language, which ``volr compile`` writes. All of
them ``read_back`` what they hold, for ``volr verify``.

One file in spite of its length: it is what whoever adds a back end has to read, and all of it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from volr.backends.readback import (
    DOUBLE,
    ArtificialReadback,
    Readback,
    SpikingReadback,
    neurons_of,
)
from volr.checks.annotations import shown
from volr.checks.arrays import Booleans, Floats, Integers
from volr.errors import DataError, MissingError, ModelError, UnsupportedError
from volr.models.coding import stimuli_of
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.network import AllToAll, Connector
from volr.network.supported import check_connectors
from volr.system.commands import find_command

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike

    from volr.models.activations import Activation
    from volr.network import Network, Population
    from volr.neurons import Reset

Forward: TypeAlias = Callable[[Floats], Floats]
"""Stimuli ``[batch, unit]`` to logits ``[batch, unit]``."""

Files: TypeAlias = Mapping[str, bytes]
"""What a document consists of, by suffix: ``{".py": …, ".npz": …}``."""

Connectors: TypeAlias = tuple[type[Connector], ...]
"""Kinds of connectors; ``Connector`` itself stands for all of them."""

Progress: TypeAlias = Callable[[int], None]
"""Told how many more stimuli are done."""


@dataclass(frozen=True)
class Record:
    """What to keep of a simulation, by population; ``counts=None`` stands for the outputs.

    Counting spikes is cheap; ``spikes`` keeps whole spike trains and ``membranes`` the potential at
    the end of every step.
    """

    counts: tuple[str, ...] | None = None
    spikes: tuple[str, ...] = ()
    membranes: tuple[str, ...] = ()

    def counted(self, network: Network) -> tuple[str, ...]:
        return network.outputs if self.counts is None else self.counts

    def check(self, network: Network) -> None:
        """Raise ``ModelError`` when a population is asked for that the network does not have."""
        asked = (*self.counted(network), *self.spikes, *self.membranes)
        unknown = [name for name in asked if name not in network.by_name]
        if unknown:
            known = ", ".join(network.by_name)
            raise ModelError(
                f"cannot record {', '.join(map(repr, unknown))}: no such population",
                help=f"the populations are {known}",
            )


@dataclass(frozen=True)
class Recordings:
    """What was kept, by population.

    ``counts`` ``[batch, unit]``, ``spikes`` ``[time, batch, unit]``, ``membranes``
    ``[time, batch, unit]`` in mV, after the step and its reset. ``means`` ``[batch, unit]``, the
    mean of V − v_rest over all steps, mV, is kept of the outputs whose membrane is read, and of no
    others.
    """

    counts: Mapping[str, Integers]
    spikes: Mapping[str, Booleans] = field(default_factory=dict[str, Booleans])
    membranes: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    means: Mapping[str, Floats] = field(default_factory=dict[str, Floats])

    def output_values(self, model: SpikingModel) -> Floats:
        """What the outputs say, side by side, ``[batch, unit]``: counts, or mean membranes."""
        values = self.counts if model.readout == "count" else self.means
        parts = [values[name] for name in model.network.outputs]
        return np.concatenate(parts, axis=1).astype(np.float64)


class Simulator(Protocol):
    """A started simulator."""

    @property
    def backend(self) -> SpikingBackend:
        """The back end that it is of."""
        ...

    def run(
        self,
        model: SpikingModel,
        stimuli: ArrayLike,
        *,
        record: Record = Record(),
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        """Simulate each stimulus (``[batch, unit]``, values in [0, 1]) from rest, on its own.

        Stimuli may be an array, a tensor or lists. ``seed`` matters to random codings only.
        Raises ``DataError`` for stimuli that do not fit, ``UnsupportedError`` for a model that the
        simulator cannot honour, ``SimulatorError`` when the simulator fails.
        """
        ...

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        """Build the model, ask the simulator what it holds, and say so. Raises as ``run`` does.

        Each field is ``Asked``, or ``Told`` where the simulator cannot be asked for it.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class ArtificialBackend:
    """Runs artificial models. ``activations`` are the names of those it supports, ``connectors``
    the kinds: ``Connector`` stands for all.

    ``requires`` are Python packages, which the ``extra`` installs; ``programs`` are executables,
    each with how to get it. ``read_back`` builds the model and says what was built: of each field
    whether what runs was asked for it, or the model told it. ``precision`` is the relative error
    with which it claims to hold a number.
    """

    name: str
    summary: str
    requires: tuple[str, ...] = ()
    programs: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: str = ""
    activations: tuple[str, ...]
    build: Callable[[ArtificialModel], Forward]
    read_back: Callable[[ArtificialModel], ArtificialReadback]
    precision: float = DOUBLE
    connectors: Connectors = (AllToAll,)

    @property
    def generation(self) -> str:
        return "ANN"


@dataclass(frozen=True, kw_only=True)
class SpikingBackend:
    """Runs spiking models. ``neurons``, ``resets`` and ``codings`` are the names it supports.

    A simulator takes ``connectors`` of every kind, since it goes by the synapses.

    ``exact`` are those of its ``neurons`` whose spike trains are the engine's, spike for spike.
    ``precision`` is the relative error with which it claims to hold a number.
    """

    name: str
    summary: str
    requires: tuple[str, ...] = ()
    programs: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: str = ""
    neurons: tuple[str, ...]
    exact: tuple[str, ...] = ()
    resets: tuple[Reset, ...] = ("hard",)
    codings: tuple[str, ...]
    readouts: tuple[str, ...] = ("count",)
    start: Callable[[], AbstractContextManager[Simulator]]
    precision: float = DOUBLE
    connectors: Connectors = (Connector,)

    @property
    def generation(self) -> str:
        return "SNN"


@dataclass(frozen=True, kw_only=True)
class Document:
    """Models as files in somebody else's language; of neither generation, one, or both.

    ``write`` gives the document's text or bytes, and those of files that belong beside it, by
    suffix; ``suffix`` is the document's own. ``read_back`` parses them, and ``precision`` is the
    relative error with which they claim to hold a number. Empty ``activations`` or
    ``neurons`` say that it has no artificial, or no spiking, networks. ``write_program`` is there
    where a network without numbers can be written; ``how_to`` says in a few lines what to do with
    a document of this name.
    """

    name: str
    summary: str
    suffix: str
    requires: tuple[str, ...] = ()
    programs: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: str = ""
    activations: tuple[str, ...] = ()
    neurons: tuple[str, ...] = ()
    resets: tuple[Reset, ...] = ()
    codings: tuple[str, ...] = ()
    readouts: tuple[str, ...] = ()
    write: Callable[[Model], Files]
    write_program: Callable[[Network, Activation], Files] | None = None
    read_back: Callable[[Files], Readback]
    precision: float = DOUBLE
    connectors: Connectors = (AllToAll,)
    how_to: Callable[[str], tuple[str, ...]] = lambda _: ()

    @property
    def generation(self) -> str:
        both = {"ANN": self.activations, "SNN": self.neurons}
        return ", ".join(name for name, some in both.items() if some)


Backend: TypeAlias = ArtificialBackend | SpikingBackend


def missing_packages(backend: Backend | Document) -> tuple[str, ...]:
    """The packages that the back end needs and that are not installed, without importing any."""
    return tuple(name for name in backend.requires if importlib.util.find_spec(name) is None)


def missing_programs(backend: Backend | Document) -> dict[str, str]:
    """The executables that are not on the path, and how to get them."""
    return {name: how for name, how in backend.programs.items() if find_command(name) is None}


def install_hint(backend: Backend | Document) -> str:
    """How to get what is missing; the extra's command where nothing is."""
    ways = [f"{name}: {how}" for name, how in missing_programs(backend).items()]
    if missing_packages(backend) or not ways:
        ways.insert(0, f"pip install 'volr[{backend.extra}]'")
    return "; ".join(ways)


def require(backend: Backend | Document) -> None:
    """Raise ``MissingError``, with what to install, unless all that it needs is there."""
    missing = (*missing_packages(backend), *missing_programs(backend))
    if missing:
        are = "are" if len(missing) > 1 else "is"
        raise MissingError(
            f"{backend.name} needs {', '.join(missing)}, which {are} not installed",
            help=install_hint(backend),
        )


def is_ready(backend: Backend | Document) -> bool:
    """Whether all that it needs is installed."""
    return not missing_packages(backend) and not missing_programs(backend)


def takes(backend: Backend | Document, model: Model) -> bool:
    """Whether it has networks of the model's generation at all."""
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
            _check_connectors(backend, model)
            _check_named(
                backend, model, "the activation", model.activation.name, backend.activations
            )
        case SpikingBackend() | Document(), SpikingModel():
            _check_connectors(backend, model)
            _check_neurons(backend, model)
            _check_named(backend, model, "the input coding", model.coding.name, backend.codings)
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
    """A way out of a refusal: other back ends, or documents, that have the very same network."""
    keep = "keeps" if len(names) == 1 else "keep"
    return f"{verb} {' or '.join(names)}, which {keep} the network"


def otherwise(*changes: str) -> str:
    """What else could be done, and that it is not the same network any more."""
    makes = "makes" if len(changes) == 1 else "make"
    return f"{' or '.join(changes)} {makes} another network"


def check_request(
    backend: SpikingBackend,
    model: SpikingModel,
    stimuli: ArrayLike,
    record: Record,
    seed: int,
) -> Floats:
    """What a simulator checks before it runs anything; the stimuli as an array. Raises as
    ``Simulator.run`` does.
    """
    check_supported(backend, model)
    given = stimuli_of(stimuli, model.network.input_size)
    record.check(model.network)
    if not hasattr(seed, "__index__") or seed < 0:
        raise DataError(f"the seed is {shown(seed)}, not a whole number from 0 up")
    return given


def _check_connectors(backend: Backend | Document, model: Model) -> None:
    known = ", ".join(each.name for each in backend.connectors if each is not Connector)
    all_of_them = "reference" if isinstance(model, ArtificialModel) else "engine"
    way = f"{elsewhere(all_of_them)}; {backend.name} has {known}"
    check_connectors(model.network, backend.connectors, backend.name, way)


def _check_neurons(backend: SpikingBackend | Document, model: SpikingModel) -> None:
    """Refuse the first population whose neuron model, or whose reset, the back end lacks."""
    network, neurons = model.network, neurons_of(model)
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


def _check_named(
    backend: Backend | Document,
    model: Model,
    what: str,
    name: str,
    known: tuple[str, ...],
    place: Population | None = None,
    of: str = "",
) -> None:
    """Refuse a ``name`` that is not ``known``, at ``place``; at the first layer unless told."""
    if name in known:
        return
    message = f"{backend.name} lacks {what} {name!r}{of}"
    first = place or next((each for each in model.network.layers if each.span is not None), None)
    match backend, model:
        case Document(), SpikingModel():
            way = elsewhere("brian2", verb="write it for")
        case Document(), ArtificialModel():
            way = elsewhere("onnx", verb="write it for")
        case _, SpikingModel():
            way = elsewhere("engine")
        case _, ArtificialModel():
            way = elsewhere("reference")
    raise UnsupportedError(
        message,
        help=f"{way}; {backend.name} has {', '.join(known)}, and another one makes another network",
        source=model.network.source,
        span=None if first is None else first.span,
        label="" if first is None else f"{first.name} has it",
    )
