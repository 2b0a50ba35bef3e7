"""What every back end has: its record, and what it can be asked to do.

    Backend  ::=  ArtificialBackend | SpikingBackend
    Document

A back end is one file, or one package, that defines one record. An artificial back end ``build``s a
forward function from a model. A spiking back end ``start``s a simulator, a context manager that
runs one model after another: a transfer simulates many models, and starting is slow. A document is
a file in another language, which ``volr compile`` writes. All of them ``read_back`` what they hold,
for ``volr verify``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from volr.backends.readback import (
    DOUBLE,
    ArtificialReadback,
    Readback,
    SpikingReadback,
)
from volr.backends.recordings import Record, Recordings
from volr.checks.arrays import Floats
from volr.network import AllToAll, Connector

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike

    from volr.models.activations import Activation
    from volr.models.model import ArtificialModel, Model, SpikingModel
    from volr.models.spike_trains import SpikeTrains
    from volr.network import Network
    from volr.neurons import Reset

Forward: TypeAlias = Callable[[Floats], Floats]
"""Stimuli ``[batch, unit]`` to logits ``[batch, unit]``."""

Files: TypeAlias = Mapping[str, bytes]
"""The files of a document, by suffix: ``{".py": …, ".npz": …}``."""

Connectors: TypeAlias = tuple[type[Connector], ...]
"""Classes of connectors; ``Connector`` itself stands for all of them."""

Progress: TypeAlias = Callable[[int], None]
"""Called with the number of stimuli that have been simulated since the last call."""


class Simulator(Protocol):
    """A started simulator."""

    @property
    def backend(self) -> SpikingBackend:
        """The back end that started it."""
        ...

    def run(
        self,
        model: SpikingModel,
        stimuli: ArrayLike | SpikeTrains,
        *,
        record: Record = Record(),
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        """Simulate each stimulus from rest, on its own: values in [0, 1], ``[batch, unit]``, or
        spike trains, ``[time, batch, unit]``.

        Stimuli may be an array, a tensor or lists, or ``SpikeTrains``. Random codings draw by
        ``seed`` and the number of a stimulus; ``first`` is that of the first. Raises ``DataError``
        for stimuli that do not fit, ``UnsupportedError`` for a model that the simulator cannot
        honour, ``SimulatorError`` when the simulator fails.
        """
        ...

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        """Build the model and ask the simulator what it holds. Raises as ``run`` does.

        Each field is ``Asked``, or ``Told`` where the simulator cannot be asked for it.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class ArtificialBackend:
    """A back end that runs artificial models.

    ``activations`` and ``connectors`` are those it supports, ``merges`` how a population can merge
    what arrives, and ``several`` says whether several projections can lead from one population to
    another. ``requires`` are Python packages, which the ``extra`` installs; ``programs`` are
    executables, each with how to get it. ``read_back`` builds the model and says what was built.
    ``precision`` is the relative error of the numbers that it holds.
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
    merges: tuple[str, ...] = ("sum",)
    several: bool = False

    @property
    def generation(self) -> str:
        return "ANN"


@dataclass(frozen=True, kw_only=True)
class SpikingBackend:
    """A back end that runs spiking models.

    ``neurons``, ``resets``, ``codings`` and ``readouts`` are the names of those it supports. It
    supports ``connectors`` of every kind, because it takes synapses one by one. ``exact`` are those
    of its ``neurons`` whose spike trains equal the engine's. ``precision`` is the relative error of
    the numbers that it holds, and ``delays`` says whether projections can have delays of their own.
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
    delays: bool = False
    connectors: Connectors = (Connector,)
    merges: tuple[str, ...] = ("sum",)
    several: bool = False

    @property
    def generation(self) -> str:
        return "SNN"


@dataclass(frozen=True, kw_only=True)
class Document:
    """A format of files in another language, for artificial models, spiking models, or both.

    ``write`` returns the bytes of the document, and of files that belong beside it, by suffix;
    ``suffix`` is the document's own. ``read_back`` parses them, and ``precision`` is the relative
    error of the numbers in them. A format without ``activations`` has no artificial networks, one
    without ``neurons`` no spiking ones. ``write_program`` writes a network without numbers, in
    formats that can. ``how_to`` says in a few lines how to use a document at this path, and
    ``how_to_program`` the same of one without numbers. ``delays`` is as in ``SpikingBackend``;
    ``by_unit`` says whether the neurons of a population can differ in their numbers.
    ``why`` it lacks something, by the name of that.
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
    delays: bool = False
    by_unit: bool = False
    connectors: Connectors = (AllToAll,)
    merges: tuple[str, ...] = ("sum",)
    several: bool = False
    why: Mapping[str, str] = field(default_factory=dict[str, str])
    how_to: Callable[[str], tuple[str, ...]] = lambda _: ()
    how_to_program: Callable[[str], tuple[str, ...]] = lambda _: ()

    @property
    def generation(self) -> str:
        both = {"ANN": self.activations, "SNN": self.neurons}
        return ", ".join(name for name, some in both.items() if some)


Backend: TypeAlias = ArtificialBackend | SpikingBackend
