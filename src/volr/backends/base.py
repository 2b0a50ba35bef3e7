"""What every back end has: its record, what it can be asked to record, and what it returns.

    Backend  ::=  ArtificialBackend | SpikingBackend
    Document

A back end is one file, or one package, that defines one record. An artificial back end ``build``s a
forward function from a model. A spiking back end ``start``s a simulator, a context manager that
runs one model after another: a transfer simulates many models, and starting is slow. A document is
a file in another language, which ``volr compile`` writes. All of them ``read_back`` what they hold,
for ``volr verify``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import numpy as np

from volr.backends.readback import DOUBLE, ArtificialReadback, Readback, SpikingReadback
from volr.checks.annotations import shown
from volr.checks.arrays import Booleans, Floats, Integers, same_fields
from volr.errors import ModelError
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


@dataclass(frozen=True)
class Record:
    """What to keep of a simulation, by population; ``counts=None`` stands for the outputs.

    ``counts`` keeps the number of spikes, which is cheap; ``spikes`` whole spike trains;
    ``membranes`` the potential at the end of every step.
    """

    counts: tuple[str, ...] | None = None
    spikes: tuple[str, ...] = ()
    membranes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (value is None and name == "counts"):
                object.__setattr__(self, name, _names(name, value))

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


def _names(what: str, given: Any) -> tuple[str, ...]:
    """The names of populations in what was given; ``ModelError`` where it is something else."""
    is_some = isinstance(given, Iterable) and not isinstance(given, (str, bytes))
    names = tuple(cast("Iterable[Any]", given)) if is_some else ()
    if not is_some or not all(isinstance(name, str) for name in names):
        raise ModelError(
            f"cannot record: {what} is {shown(cast('Any', given))}, not the names of populations",
            help=f"give a tuple of them, such as {what}=('dense_1',)",
        )
    return names


@dataclass(frozen=True, eq=False)  # with an == of its own
class Recordings:
    """What was kept of a simulation, by population.

    ``counts`` ``[batch, unit]``, ``spikes`` ``[time, batch, unit]``, ``membranes``
    ``[time, batch, unit]`` in mV, after the step and its reset. ``means`` ``[batch, unit]`` is the
    mean of V − v_rest over all steps, mV, of the outputs whose membrane is read, and ``finals``
    that after the last step, of the outputs whose final membrane is. ``shaped`` has the axes of
    maps in place of ``unit``.
    """

    counts: Mapping[str, Integers]
    spikes: Mapping[str, Booleans] = field(default_factory=dict[str, Booleans])
    membranes: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    means: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    finals: Mapping[str, Floats] = field(default_factory=dict[str, Floats])

    def __eq__(self, other: object) -> bool:
        return same_fields(self, other)

    def __hash__(self) -> int:
        return hash((*self.counts, *self.spikes, *self.membranes, *self.means, *self.finals))

    def output_values(self, model: SpikingModel) -> Floats:
        """The values of all outputs side by side, ``[batch, unit]``: counts, or membranes, mV."""
        values = {"count": self.counts, "membrane": self.means, "final": self.finals}[model.readout]
        # Those of maps may be shaped.
        parts = [
            each.reshape(len(each), math.prod(each.shape[1:]))
            for each in (values[name] for name in model.network.outputs)
        ]
        return np.concatenate(parts, axis=1).astype(np.float64)

    def shaped(self, network: Network) -> Recordings:
        """The same recordings with the axes of each population's shape in place of ``unit``.

        Spikes of a map of the shape ``(c, h, w)`` are ``[time, batch, c, h, w]``, and its counts
        ``[batch, c, h, w]``. The arrays are views. Raises ``ModelError`` for a network of which
        these are no recordings.
        """
        kinds = {each.name: getattr(self, each.name) for each in fields(self)}
        for each in kinds.values():
            for name, values in each.items():
                known = network.by_name.get(name)
                if known is None or values.shape[-1] != known.size:
                    raise ModelError(
                        f"these are no recordings of this network: it has no population {name!r} "
                        f"of {values.shape[-1]} neurons",
                        help="give the network of the model that was simulated",
                    )
        return Recordings(
            **{
                kind: {
                    name: values.reshape(*values.shape[:-1], *network[name].shape)
                    for name, values in each.items()
                }
                for kind, each in kinds.items()
            }
        )


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
