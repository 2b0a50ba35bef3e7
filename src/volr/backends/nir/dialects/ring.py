"""A spiking network as one population with synapses onto itself, which importers run to the step.

What importers of NIR make of a chain of layers has no delays: a spike goes through all of them in
the step in which it was fired, while biases act from the first step on, so that no shift of the
output makes it the network that was meant. But a synapse of a neuron onto its own population takes
one step in all of them. So all neurons, whatever their population, become the one population of a
ring, and the weights blocks of its matrix. Kernels, pools and identities are in it synapse by
synapse:

    input ── into ──▶ cells ── select ──▶ output
                      ▲   │
                      └ recurrent

Frame k of the input holds the spikes that the input populations fire in step k, and frame k of the
output those of the outputs. The units of the ring, u relative to v_reset, mV:

    u ← a u + x            or  i ← b i + x,  u ← a u + i     where currents decay (IFCurrExp)
    u ≥ θ: spike,  u ← 0   or  u ← u − θ
    x[k] = into · input[k] + bias + recurrent · spikes[k − 1]

from u = i = 0. Three kinds of units make this the network:

**Neurons.** A spike arrives d steps after it was fired, and where currents decay moves u one step
later still: D = d or d + 1 steps in all, the first D − 1 of which relays take up.

**Relays** spike when they are told to and forget it at once: one for each input neuron, without
delay, and a chain of D − 1 for each neuron that has projections. Where currents decay, a relay's
own spike takes away in the next step what is left of the current.

**Clocks** are relays that spike in every step, from step 0 or from step 1 on. They take back what
``bias`` has to give in the first step only: the way from v_rest, where V starts, to v_reset, where
u does; and a constant current, which in importers goes through the synapse and takes its time.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.refusals import written_for
from volr.errors import UnsupportedError
from volr.models.parameters import synapse_matrix, unit_biases
from volr.system.memory import check_room

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel
    from volr.network import Population
    from volr.neurons import NeuronModel


@dataclass(frozen=True, eq=False)
class Ring:
    """A network as a ring; in the words of the module.

    ``into`` ``[unit, input]``, ``bias`` ``[unit]`` and ``recurrent`` ``[unit, unit]`` in mV,
    ``select`` ``[output, unit]`` of zeros and ones; ``a`` and ``b`` are decays in one step, ``b``
    None where currents do not decay; ``theta`` mV. ``reset`` is ``hard`` (u ← 0) or ``subtract``.
    ``chains`` says of each population where its units begin, and those of each step of its relays.
    """

    into: Floats
    bias: Floats
    recurrent: Floats
    select: Floats
    a: float
    b: float | None
    theta: float
    reset: str
    chains: dict[str, list[int]]
    clocks: list[int]

    @property
    def units(self) -> int:
        return len(self.bias)

    def rows(self, population: Population, stage: int = 0) -> slice:
        """The units of a population, or of a step of its relays: −1 is the last one."""
        start = self.chains[population.name][stage]
        return slice(start, start + population.size)


def ring(model: SpikingModel) -> Ring:
    """The model as a ring; ``volr.backends.nir.dialects`` says of which models there is one.

    Raises ``ModelError`` where there is not the memory for its matrix.
    """
    network, neuron = model.network, neuron_of_layers(model)
    a, b, scale = _dynamics(neuron, model.dt)
    lag = model.delay_steps if b is None else model.delay_steps + 1

    first: dict[str, int] = {}
    units = 0
    for population in network.populations:
        first[population.name] = units
        units += population.size
    chains = {name: [start] for name, start in first.items()}
    for population in network.populations:
        if any(p.source == population.name for p in network.projections):
            for _ in range(lag - 1):
                chains[population.name].append(units)
                units += population.size
    start = neuron.v_rest - neuron.v_reset
    count = 2 if b is not None else int(start != 0.0)
    clocks = list(range(units, units + count))
    units += count
    way = written_for("brian2")
    check_room({"the ring": 8 * units * units}, "for the file", help=way)

    into = np.zeros((units, network.input_size))
    bias = np.zeros(units)
    recurrent = np.zeros((units, units))
    # What makes a relay spike, and leaves nothing behind that could do so again.
    push = neuron.theta * (2.0 if neuron.reset == "hard" else 1.0 + (1.0 - a) / 4.0)
    back = 0.0 if b is None else -b * push

    column = 0
    for name in network.inputs:
        here = np.arange(network[name].size)
        into[first[name] + here, column + here] = push
        recurrent[first[name] + here, first[name] + here] = back
        column += len(here)
    for name, starts in chains.items():
        here = np.arange(network[name].size)
        for before, after in itertools.pairwise(starts):
            recurrent[after + here, before + here] = push
            recurrent[after + here, after + here] = back
    for clock in clocks:
        recurrent[clock, clock] = back
    bias[clocks[:1]] = push
    recurrent[clocks[1:], clocks[:1]] = push

    for projection in network.projections:
        source, target = network[projection.source], network[projection.target]
        rows = slice(first[target.name], first[target.name] + target.size)
        # From the last relays of the source's chain.
        columns = slice(chains[source.name][-1], chains[source.name][-1] + source.size)
        block = scale * synapse_matrix(network, projection, model.parameters)
        # Several projections between two populations add up.
        recurrent[rows, columns] = (
            block + recurrent[rows, columns] if projection.number > 1 else block
        )
    for population in network.layers:
        rows = slice(first[population.name], first[population.name] + population.size)
        current = neuron.i_offset + unit_biases(population, model.parameters)
        # What u gets in every step, and in step 0 besides.
        each, once = neuron.rise(model.dt) * current + (1.0 - a) * start, a * start
        bias[rows] = each + once
        if b is None:
            for clock in clocks:
                recurrent[rows, clock] = -once
        else:
            # x of step 1 and of all later ones, after which i is what u has to get.
            second, later = each - b * (each + once), each - b * each
            recurrent[rows, clocks[0]] = second - bias[rows]
            recurrent[rows, clocks[1]] = later - second

    sizes = {name: network[name].size for name in network.outputs}
    shown = np.concatenate([first[name] + np.arange(size) for name, size in sizes.items()])
    select = np.zeros((len(shown), units))
    select[np.arange(len(shown)), shown] = 1.0
    return Ring(into, bias, recurrent, select, a, b, neuron.theta, neuron.reset, chains, clocks)


def neuron_of_layers(model: SpikingModel) -> NeuronModel:
    """The neurons of all populations but the inputs, whose spikes are given: a ring has one kind.

    Raises ``UnsupportedError`` for the first population that has another kind than the first one.
    """
    network = model.network
    neuron = model.neuron_of((network.layers or network.populations)[0].name)
    for population in network.layers:
        if model.neuron_of(population.name) != neuron:
            raise UnsupportedError(
                "NIR for one importer has one kind of neuron for all populations, and those of "
                f"{population.name} are not those of {network.layers[0].name}",
                help=written_for("brian2"),
                source=network.source,
                span=population.span,
                label=f"{population.name} differs",
            )
    return neuron


def _dynamics(neuron: NeuronModel, dt: float) -> tuple[float, float | None, float]:
    """The decays of u and i in one step, and what a weight of 1 adds to u, mV."""
    if neuron.has_currents:
        return neuron.decay(dt), neuron.synaptic_decays(dt)[0], neuron.synaptic_rises(dt)[0]
    return neuron.decay(dt), None, 1.0
