"""What every back end has in common: its record, what it may be asked for, and what it hands back.

    Backend  ::=  ArtificialBackend | SpikingBackend

A back end is one file that defines one record. An artificial back end ``build``s a forward function
out of a model. A spiking one ``start``s a simulator, a context manager that runs one model after
another: a transfer calibrates by simulating many, and starting a simulator is the slow part.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from volr.errors import MissingError, ModelError, UnsupportedError
from volr.models.arrays import Booleans, Floats, Integers
from volr.models.model import ArtificialModel, Model, SpikingModel

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from volr.network import Network

Forward: TypeAlias = Callable[[Floats], Floats]
"""Stimuli ``[batch, unit]`` to logits ``[batch, unit]``."""

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

    def output_counts(self, network: Network) -> Integers:
        """The counts of the network's outputs side by side, ``[batch, unit]``."""
        return np.concatenate([self.counts[name] for name in network.outputs], axis=1)


class Simulator(Protocol):
    """A started simulator."""

    def run(
        self,
        model: SpikingModel,
        stimuli: Floats,
        *,
        record: Record = Record(),
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        """Simulate each stimulus (``[batch, unit]``, values in [0, 1]) from rest, on its own.

        ``seed`` matters to random codings only. Raises ``DataError`` for stimuli that do not fit,
        ``UnsupportedError`` for a model that the simulator cannot honour, ``SimulatorError`` when
        the simulator fails.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class ArtificialBackend:
    """Runs artificial models. ``activations`` are the names of those it supports."""

    name: str
    summary: str
    requires: tuple[str, ...] = ()
    extra: str = ""
    activations: tuple[str, ...]
    build: Callable[[ArtificialModel], Forward]

    @property
    def generation(self) -> str:
        return "ANN"


@dataclass(frozen=True, kw_only=True)
class SpikingBackend:
    """Runs spiking models. ``neurons``, ``resets`` and ``codings`` are the names it supports."""

    name: str
    summary: str
    requires: tuple[str, ...] = ()
    extra: str = ""
    neurons: tuple[str, ...]
    resets: tuple[str, ...] = ("hard",)
    codings: tuple[str, ...]
    start: Callable[[], AbstractContextManager[Simulator]]

    @property
    def generation(self) -> str:
        return "SNN"


Backend: TypeAlias = ArtificialBackend | SpikingBackend


def missing_packages(backend: Backend) -> tuple[str, ...]:
    """The packages that the back end needs and that are not installed, without importing any."""
    return tuple(name for name in backend.requires if importlib.util.find_spec(name) is None)


def install_hint(backend: Backend) -> str:
    return f"pip install 'volr[{backend.extra}]'"


def require(backend: Backend) -> None:
    """Raise ``MissingError``, with what to install, unless the back end's packages are there."""
    missing = missing_packages(backend)
    if missing:
        raise MissingError(
            f"{backend.name} needs {', '.join(missing)}, which is not installed",
            help=install_hint(backend),
        )


def check_supported(backend: Backend, model: Model) -> None:
    """Raise ``UnsupportedError`` for the first thing in the model that the back end lacks."""
    match backend, model:
        case ArtificialBackend(), ArtificialModel():
            _check_named(backend, "the activation", model.activation.name, backend.activations)
        case SpikingBackend(), SpikingModel():
            _check_named(backend, "the neuron model", model.neuron.name, backend.neurons)
            _check_named(backend, "the reset", model.neuron.reset, backend.resets)
            _check_named(backend, "the input coding", model.coding.name, backend.codings)
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


def _check_named(backend: Backend, what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise UnsupportedError(
            f"{backend.name} lacks {what} {name!r}", help=f"it has {', '.join(known)}"
        )
