"""A spiking network in a straight line: what is simulated, without its numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from volr.models.coding import ticking
from volr.models.parameters import bias_name, weight_name
from volr.network.connectors import AllToAll, Connector, Pooled
from volr.neurons import NeuronsByUnit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from volr.models.model import SpikingModel
    from volr.network.connectors import Shape
    from volr.neurons import NeuronModel


@dataclass(frozen=True, slots=True)
class Term:
    """A projection into a population: its ``source``, the name of its ``weight``s, and its
    ``connector``, between ``ends``, the shapes of source and target.

    A spike of step k arrives in step k + ``delay``.
    """

    source: str
    weight: str
    ends: tuple[Shape, Shape]
    connector: Connector = AllToAll()
    delay: int = 1

    @property
    def mixes(self) -> bool:
        """Whether synapses of several weights can lead from one neuron to another.

        They add up to one. Where pools overlap, and not all weights are the same, they do.
        """
        connector = self.connector
        if not isinstance(connector, Pooled) or connector.weight_count(*self.ends) == 1:
            return False
        axes = [each for p in connector.pools for each in zip(p.stride, p.window, strict=True)]
        return any(stride < window for stride, window in axes)


@dataclass(frozen=True, slots=True)
class Layer:
    """One population of ``size`` neurons, and what drives it.

    ``terms`` are the projections into it, ``bias`` is the name of its biases. ``units`` are the
    neurons where they differ by unit; then ``neuron`` is the first. A layer that is not
    ``spiking`` only integrates, and either its last membrane is read, or the mean of all.
    """

    name: str
    size: int
    terms: tuple[Term, ...]
    bias: str
    neuron: NeuronModel
    spiking: bool
    last: bool = False
    units: NeuronsByUnit | None = None

    @property
    def neurons(self) -> NeuronsByUnit:
        """The neurons unit by unit."""
        return self.units or NeuronsByUnit((self.neuron,))

    @property
    def channels(self) -> tuple[int, ...]:
        """Which weights go where (``NeuronModel.channels``): apart if one kind of neurons needs it.

        In one unit both currents may decay alike, and in the next one not.
        """
        return max((each.channels for each in self.neurons.kinds), key=len)

    def kinds(self) -> list[tuple[Layer, NDArray[np.int64]]]:
        """A layer of each kind of neurons in this one, and the numbers of its units here."""
        return [
            (replace(self, size=len(which), neuron=neuron, units=None), which)
            for neuron, which in self.neurons.units(self.size)
        ]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The populations in topological order, and how all of them run.

    ``inputs`` are names and sizes, side by side in a stimulus, and a clock is the last of them;
    its neurons spike in the steps ``clock``. ``input_neuron`` is what the others are where they are
    driven by currents. There are ``steps`` steps of ``dt`` ms.
    """

    inputs: tuple[tuple[str, int], ...]
    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]
    input_neuron: NeuronModel
    dt: float
    steps: int
    clock: tuple[int, ...] = ()

    def size(self, name: str) -> int:
        """The number of neurons of a population."""
        return self.sizes[name]

    @property
    def sizes(self) -> dict[str, int]:
        """The number of neurons of every population."""
        return {**dict(self.inputs), **{layer.name: layer.size for layer in self.layers}}

    @property
    def clock_name(self) -> str | None:
        """The name of the clock; None where there is none."""
        return self.inputs[-1][0] if self.clock else None

    @property
    def kinds(self) -> frozenset[type[NeuronModel]]:
        """The neuron models of the layers: each has kernels of its own."""
        return frozenset(type(layer.neuron) for layer in self.layers)

    @property
    def connectors(self) -> frozenset[type[Connector]]:
        """The kinds of connectors: each has kernels of its own."""
        terms = (term for layer in self.layers for term in layer.terms)
        return frozenset(type(part) for term in terms for part in term.connector.parts)

    def input_units(self, name: str) -> slice:
        """Where an input population is in a stimulus."""
        names = [each for each, _ in self.inputs]
        start = sum(size for _, size in self.inputs[: names.index(name)])
        return slice(start, start + self.size(name))


def _units(model: SpikingModel, population: str) -> NeuronsByUnit | None:
    units = model.units_of(population)
    return units if len(units.kinds) > 1 else None


def schedule_of(model: SpikingModel) -> Schedule:
    """The schedule of a model; its parameters are left behind."""
    network = model.network
    return Schedule(
        inputs=tuple((name, network[name].size) for name in network.starts),
        layers=tuple(
            Layer(
                name=population.name,
                size=population.size,
                terms=tuple(
                    Term(
                        p.source,
                        weight_name(p),
                        network.ends(p),
                        p.connector,
                        model.delay_steps_of(p),
                    )
                    for p in network.incoming[population.name]
                ),
                bias=bias_name(population),
                neuron=model.neuron_of(population.name),
                units=_units(model, population.name),
                spiking=model.is_spiking(population.name),
                last=model.readout == "final" and not model.is_spiking(population.name),
            )
            for population in network.layers
        ),
        outputs=network.outputs,
        input_neuron=model.neuron_of(network.inputs[0]),
        dt=model.dt,
        steps=model.steps,
        clock=tuple(ticking(model).tolist()),
    )
