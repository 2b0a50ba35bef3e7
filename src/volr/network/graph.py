"""The narrow waist: a network as a graph of populations and projections.

    Network     populations, projections, and which of the populations are inputs and outputs
    Population  a name and a shape
    Projection  a source, a target and a connector
    Connector   which neurons a projection connects, and with which weights (``connectors``)

The graph has no arrays, no names from the program, and no layers. Front ends write it, back ends
read it, and neither knows the other. Everything is frozen and compares with ``==``. Spans are kept
outside equality, so that an error about a part of the graph can point at the text that made it.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

from volr.checks.annotations import settle
from volr.checks.names import named
from volr.errors import NetworkError
from volr.network.connectors import AllToAll, Connector
from volr.network.text import network_text
from volr.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.network.connectors import Shape


class UnknownPopulationError(NetworkError, KeyError):
    """A name that no population of a network has."""


@dataclass(frozen=True, slots=True)
class Population:
    """Neurons of one kind. ``shape`` is ``(n,)`` for a row of n; every axis is at least 1.

    ``name`` is printable and has neither spaces nor ``->``, so that a line of text can hold it and
    the name of a projection tells its two ends apart. What arrives at a neuron is added up; with
    ``merge`` "max", its largest counts. A list for a shape becomes a tuple. Raises
    ``NetworkError`` for values of another type.
    """

    name: str
    shape: tuple[int, ...]
    span: Span | None = field(default=None, compare=False)
    merge: Literal["sum", "max"] = "sum"

    def __post_init__(self) -> None:
        if wrong := settle(self, Span=Span):
            raise NetworkError(
                "this is not a population: " + "; ".join(wrong),
                help="write it as Population('hidden', (4,)), with the size of each axis",
            )

    @property
    def size(self) -> int:
        """The number of neurons."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Projection:
    """The synapses from one population to another, which it names.

    A projection that leads ``back`` closes a loop. Of several between the same populations, the
    first has the ``number`` 1, the next 2, and so on. Raises ``NetworkError`` for values of
    another type.
    """

    source: str
    target: str
    connector: Connector = AllToAll()
    span: Span | None = field(default=None, compare=False)
    back: bool = False
    number: int = 1

    def __post_init__(self) -> None:
        if wrong := settle(self, Connector=Connector, Span=Span):
            raise NetworkError(
                "this is not a projection: " + "; ".join(wrong),
                help="write it as Projection('input', 'hidden', AllToAll())",
            )

    @property
    def name(self) -> str:
        """``source->target``, or ``source->target#2``: unique within a network."""
        ends = f"{self.source}->{self.target}"
        return ends if self.number == 1 else f"{ends}#{self.number}"


@dataclass(frozen=True)
class Network:
    """A graph of populations.

    ``populations`` stand in topological order: a projection leads from an earlier one to a later
    one, except for those that lead ``back``. ``inputs`` receive stimuli, ``outputs`` are read; the
    network's result is the outputs side by side, in this order. A ``clock`` is a population that
    spikes alike for every stimulus. ``source`` is the program that the
    spans point into, when there is one. Lists become tuples. Raises ``NetworkError`` for values of
    another type, and with everything that is wrong when a rule of ``problems`` is broken.
    ``str`` gives the stable text form; a notebook shows the drawing.
    """

    _repr_svg_: ClassVar[Callable[..., str]]  # given by the package, which has the drawing

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    source: Source | None = field(default=None, compare=False, repr=False)
    clock: str | None = None

    def __post_init__(self) -> None:
        if wrong := settle(self, Population=Population, Projection=Projection, Source=Source):
            raise NetworkError(
                "this is not a network: " + "; ".join(wrong),
                help="write it as Network((Population(…), …), (Projection(…), …), "
                "inputs=('input',), outputs=('output',)), or use `volr.to_network(…)`",
            )
        found = problems(self)
        if found:
            raise NetworkError("this is not a network:\n" + "\n".join(f"  - {p}" for p in found))

    def __str__(self) -> str:
        return network_text(self)

    def __getstate__(self) -> dict[str, object]:
        # without the cached views: a mapping proxy can be neither copied nor pickled
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def by_name(self) -> Mapping[str, Population]:
        return MappingProxyType({p.name: p for p in self.populations})

    @cached_property
    def incoming(self) -> Mapping[str, tuple[Projection, ...]]:
        """The projections into each population, in the order of ``projections``."""
        into: dict[str, list[Projection]] = {p.name: [] for p in self.populations}
        for projection in self.projections:
            into[projection.target].append(projection)
        return MappingProxyType({name: tuple(each) for name, each in into.items()})

    def __getitem__(self, name: str) -> Population:
        """The population of that name. ``UnknownPopulationError``, where there is none, is a
        ``NetworkError`` and a ``KeyError``.
        """
        with suppress(KeyError, TypeError):
            return self.by_name[name]
        return named("population", name, self.by_name, UnknownPopulationError)

    @property
    def input_size(self) -> int:
        """The number of values in one stimulus."""
        return sum(self[name].size for name in self.inputs)

    @property
    def output_size(self) -> int:
        """The number of neurons that are read."""
        return sum(self[name].size for name in self.outputs)

    @property
    def starts(self) -> tuple[str, ...]:
        """The populations that nothing leads to: the inputs, and the clock where there is one."""
        return self.inputs if self.clock is None else (*self.inputs, self.clock)

    @property
    def layers(self) -> tuple[Population, ...]:
        """The populations that compute: all but the inputs and the clock."""
        starts = set(self.starts)
        return tuple(p for p in self.populations if p.name not in starts)

    @property
    def neuron_count(self) -> int:
        """The neurons of all populations, those of the inputs and of the clock included."""
        return sum(p.size for p in self.populations)

    def synapses(self, projection: Projection) -> int:
        """The number of synapses in one projection."""
        return projection.connector.synapse_count(*self.ends(projection))

    def weight_count(self, projection: Projection) -> int:
        """The number of weights of one projection, which several synapses may share."""
        return projection.connector.weight_count(*self.ends(projection))

    def ends(self, projection: Projection) -> tuple[Shape, Shape]:
        """The shapes of its source and of its target."""
        return self[projection.source].shape, self[projection.target].shape

    @property
    def synapse_count(self) -> int:
        """The synapses of all projections."""
        return sum(map(self.synapses, self.projections))

    @property
    def multiplication_count(self) -> int:
        """The products of a weight and a value in one forward pass.

        There is one for each synapse, but pools and identities take none.
        """
        return sum(p.connector.multiplication_count(*self.ends(p)) for p in self.projections)

    def biases(self, population: Population) -> int:
        """The number of biases of a population: one for each neuron, one for each channel, or none.

        Its projections say how many they need, and the population has the most.
        """
        incoming = self.incoming[population.name]
        return max((p.connector.bias_count(population.shape) for p in incoming), default=0)

    @property
    def bias_count(self) -> int:
        """The biases of all populations."""
        return sum(map(self.biases, self.layers))

    @property
    def parameter_count(self) -> int:
        """Weights and biases together."""
        return sum(map(self.weight_count, self.projections)) + self.bias_count


def problems(network: Network) -> list[str]:
    """Everything that keeps a graph from being a network, in words; empty when nothing does."""
    found: list[str] = []
    rank: dict[str, int] = {}
    for index, population in enumerate(network.populations):
        if population.name in rank:
            found.append(f"two populations are called {population.name!r}")
        rank[population.name] = index
        if not _is_name(population.name):
            found.append(
                f"a population is called {population.name!r}; a name is printable and has neither "
                "spaces nor '->'"
            )
        if not population.shape or any(axis < 1 for axis in population.shape):
            found.append(
                f"population {population.name!r} has the shape {population.shape}; "
                "each axis must be at least 1"
            )
    for side, names in (("input", network.inputs), ("output", network.outputs)):
        if not names:
            found.append(f"there is no {side} population")
        if len(set(names)) != len(names):
            found.append(f"a population is listed twice among the {side}s: {', '.join(names)}")
        found += [f"the {side} {name!r} is not a population" for name in names if name not in rank]
    if network.clock is not None:
        if network.clock not in rank:
            found.append(f"the clock {network.clock!r} is not a population")
        if network.clock in (*network.inputs, *network.outputs):
            found.append(f"the clock {network.clock!r} is an input or an output as well")
    seen: set[tuple[str, str, int]] = set()
    forward: set[str] = set()
    shapes = {population.name: population.shape for population in network.populations}
    for projection in network.projections:
        ends = (projection.source, projection.target)
        unknown = [name for name in ends if name not in rank]
        found += [f"projection {projection.name}: there is no population {n!r}" for n in unknown]
        if not projection.back:
            forward.add(projection.target)
            if not unknown and rank[projection.source] >= rank[projection.target]:
                found.append(f"projection {projection.name} does not lead to a later population")
        if not unknown:
            misfit = projection.connector.misfit(*(shapes[name] for name in ends))
            found += [] if misfit is None else [f"projection {projection.name}: {misfit}"]
        if (*ends, projection.number) in seen:
            found.append(f"projection {projection.name} occurs twice")
        seen.add((*ends, projection.number))
    sources = {projection.source for projection in network.projections}
    targets = {projection.target for projection in network.projections}
    starts, outputs = set(network.starts), set(network.outputs)
    for name in rank:
        if name in starts and name in targets:
            role = "clock" if name == network.clock else "input"
            found.append(f"the {role} {name!r} is the target of a projection")
        if name not in starts and name not in forward:
            found.append(f"nothing leads to population {name!r}, which is not an input")
        if name not in outputs and name not in sources:
            found.append(f"population {name!r} leads nowhere and is not an output")
    return found


def _is_name(name: str) -> bool:
    return name != "" and name.isprintable() and " " not in name and "->" not in name
