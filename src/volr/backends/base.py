"""What every back end has in common: its record, what it may be asked for, and what it hands back.

    Backend  ::=  ArtificialBackend | SpikingBackend
    Document

A back end is one file, or one package, that defines one record. An artificial back end ``build``s a
forward function out of a model. A spiking one ``start``s a simulator, a context manager that runs
one model after another: a transfer calibrates by simulating many, and starting a simulator is the
slow part. A document is a file in somebody else's language, which ``volr compile`` writes. All of
them ``read_back`` what they hold, for ``volr verify``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from volr.backends.readback import (
    DOUBLE,
    ArtificialReadback,
    Readback,
    SpikingReadback,
)
from volr.checks.arrays import Booleans, Floats, Integers
from volr.errors import ModelError
from volr.network import AllToAll, Connector

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike

    from volr.models.activations import Activation
    from volr.models.model import ArtificialModel, Model, SpikingModel
    from volr.network import Network
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
