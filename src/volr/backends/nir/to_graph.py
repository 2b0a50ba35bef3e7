"""From a model to a NIR graph with the same meaning.

A population is its neurons' node; each projection into it is a Linear or Affine node, and NIR sums
up what meets in a node. Time is in s and a potential in mV above v_rest. A spike is an impulse of
area 1, so that NIR's equations, in the continuous time in which they are written, are ours:

    ours         NIR                             with
    IFCurrDelta  τ v̇ = (v_leak − v) + r (W S + b)     r = τ: an impulse lifts v by W mV;
                                                      b = 1000 I / c_m, in mV/s
      without leak v̇ = r (W S + b)                    r = 1: an impulse lifts v by W mV
    IFCurrExp    τ_syn İ = −I + w_in W S              w_in = τ_syn: an impulse lifts I by W nA;
                 τ_mem v̇ = (v_leak − v) + r I         r = τ_m / c_m, in MΩ;
                                                      v_leak = r I, the constant current's
    ReLU         v̇ = r I, v > v_threshold: spike      r = v_threshold = 1: the rate of spikes is
                                                      that of a ReLU, max(W x + b, 0)
    Identity     y = s x                              s = 1

The weights are Volr's to the last digit, and a number of a neuron can differ from unit to unit.

NIR's edges take no time, and ours a step at least. Where projections have delays of their own, a
Delay before the nodes of each says how much more than a step it takes. NIR has no reset by
subtraction and no refractory period. The metadata say these, and a delay that all projections have
(``volr.backends.nir.metadata``); ``losses`` tells which of them other programs will miss.
"""

from __future__ import annotations

import itertools
import keyword
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.backends.identifiers import identifiers
from volr.backends.nir.axes import axes_of
from volr.backends.nir.graph import Graph, Node
from volr.backends.nir.losses import bare, biased_of, driven
from volr.backends.nir.metadata import KEY, Places, describe
from volr.backends.nir.primitives import DELAY
from volr.backends.nir.projections import nodes_of
from volr.backends.populations import kinds_of
from volr.backends.refusals import elsewhere, written_for
from volr.errors import UnsupportedError
from volr.models.coding import ConstantCurrent
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.parameters import unit_biases, weight_name
from volr.network.connectors import AllToAll, by_channel
from volr.neurons import NeuronsByUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from volr.backends.nir.graph import Edge
    from volr.checks.arrays import Floats
    from volr.network import Network, Population, Projection
    from volr.network.connectors import Shape
    from volr.neurons import NeuronModel

    _Chain: TypeAlias = list[tuple[str, Node]]

SECOND = 1000.0
"""How many ms make one of NIR's units of time, s."""

# What PyTorch's modules have of their own: importers make a module of each node, under its name.
_MODULE = (
    "add_module apply buffers children compile cpu cuda double eval float forward half modules "
    "named_modules named_parameters parameters register_module share_memory state_dict to train "
    "training type xpu zero_grad"
)
_RESERVED = frozenset([*_MODULE.split(), *keyword.kwlist])


def canonical(model: Model) -> Graph:
    """The graph of a model, with its metadata. Raises ``UnsupportedError`` where there is none."""
    if isinstance(model, SpikingModel) and (why := _unsayable(model)):
        by_unit = any(isinstance(each, NeuronsByUnit) for each in model.neurons.values())
        way = elsewhere("engine", "nest", "brian2") if by_unit else written_for("brian2")
        raise UnsupportedError(why, help=way)
    network, axes = model.network, axes_of(model.network)
    chains = {p.name: each for p, each in _chains(model, axes)}
    names = _names(network, chains)
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for population in network.populations:
        name = population.name
        into: list[str] = []
        for projection in network.incoming[name]:
            row = [names[projection.source]]
            for word, node in chains[projection.name]:
                row.append(names[_place(projection, word)])
                nodes[row[-1]] = node
            edges += itertools.pairwise(row)
            into.append(row[-1])
        port, cells = _port("Input", axes[name]), _cells(model, population, axes[name])
        if name in network.inputs and cells is None:
            nodes[names[name]] = port
        elif name in network.inputs:
            into = [names[f" to {name}"]]
            nodes[into[0]] = port
        if cells is not None:
            nodes[names[name]] = cells
            edges += [(each, names[name]) for each in into]
        if name in network.outputs:
            # An artificial output hands out its sum, any other what its node says.
            is_sum = isinstance(model, ArtificialModel) and name not in network.inputs
            nodes[names[f" of {name}"]] = _port("Output", axes[name])
            edges += [(e, names[f" of {name}"]) for e in (into if is_sum else [names[name]])]
    places = Places(
        inputs={n: k if (k := names[f" to {n}"]) in nodes else names[n] for n in network.inputs},
        populations={p.name: names[p.name] for p in network.populations if names[p.name] in nodes},
        projections={
            p.name: tuple(names[_place(p, word)] for word, _ in chains[p.name])
            for p in network.projections
        },
        outputs={name: names[f" of {name}"] for name in network.outputs},
    )
    return Graph(nodes, tuple(edges), {KEY: describe(model, places)})


def _place(projection: Projection, word: str) -> str:
    """What the node of a projection that does what ``word`` says wants to be called."""
    return f"{projection.name} {word}".strip()


def _names(network: Network, chains: Mapping[str, _Chain]) -> dict[str, str]:
    """The names of nodes, by population and projection, and those of Inputs and Outputs."""
    # No two names of populations and projections are alike, and no name has a space.
    wanted = [each.name for each in (*network.populations, *network.projections)]
    wanted += [f" to {name}" for name in network.inputs]
    wanted += [f" of {name}" for name in network.outputs]
    wanted += [_place(p, word) for p in network.projections for word, _ in chains[p.name]]
    return identifiers(wanted, reserved=_RESERVED)


def _unsayable(model: SpikingModel) -> str:
    """Why NIR has no nodes for the model, in words; empty where it has."""
    for where, neuron in kinds_of(model):
        if neuron.has_conductances:
            return f"{where}NIR has no synapses that change a conductance"
        if len(neuron.channels) > 1:
            taus = (f"{key} {neuron.numbers[key]:g} ms" for key in ("tau_syn_E", "tau_syn_I"))
            return (
                f"{where}NIR has one synaptic time constant to a neuron, and this model's are "
                + " and ".join(taus)
            )
        if neuron.has_currents and not neuron.leaks:
            return (
                f"{where}NIR's neurons with synapses have a time constant in s, and this model's "
                "tau_m is infinite"
            )
    for population in model.network.populations:
        if why := _uneven(model, population):
            return f"population {population.name}: {why}"
    for neuron in driven(model):
        if not neuron.leaks and neuron.i_offset != 0.0:
            return (
                "NIR's IF has no constant current of its own, and this model's inputs have "
                f"i_offset, {neuron.i_offset:g} nA"
            )
    for population in bare(model):
        if not model.neuron_of(population.name).leaks:
            return (
                f"NIR's IF has no constant current of its own, and {population.name}, which gets "
                "neither a kernel nor a dense layer, has one"
            )
    return ""


def _uneven(model: SpikingModel, population: Population) -> str:
    """Why NIR has no node for neurons that differ by unit as these do; empty where it has."""
    neurons = model.units_of(population.name)
    if len({kind.leaks for kind in neurons.kinds}) > 1:
        return "NIR's IF has no time constant, its LIF has one, and these neurons are some of each"
    last = biased_of(model.network, population) if population in model.network.layers else None
    if last is None or neurons.first.has_currents or isinstance(last.connector.parts[-1], AllToAll):
        return ""
    bias = _rises(model, population).reshape(population.shape[0], -1)
    if (bias == bias[:, :1]).all():
        return ""
    return (
        "NIR's kernels have one bias for each channel, and the constant currents over cm differ "
        "within one"
    )


def _rises(model: SpikingModel, population: Population) -> Floats:
    """What its constant current adds to each membrane of a population, mV/s ``[unit]``."""
    membranes = model.units_of(population.name).of(lambda each: each.cm)
    return SECOND * _current(model, population) / membranes


def _current(model: SpikingModel, population: Population) -> Floats:
    """The constant current of each neuron of a population, nA ``[unit]``."""
    own = model.units_of(population.name).of(lambda each: each.i_offset)
    return own + np.array(unit_biases(population, model.parameters))


def _chains(model: Model, axes: Mapping[str, Shape]) -> Iterator[tuple[Projection, _Chain]]:
    """The nodes of all projections, by what each does. One into each population has the bias."""
    network, joined = model.network, set[tuple[str, str]]()
    for population in network.layers:
        # A neuron with a synapse is given its constant current as v_leak.
        currents = isinstance(model, SpikingModel) and model.neuron_of(population.name).has_currents
        biased = None if currents else biased_of(network, population)
        for projection in network.incoming[population.name]:
            bias = None
            if projection is biased:
                bias = (
                    _rises(model, population)
                    if isinstance(model, SpikingModel)
                    else np.array(unit_biases(population, model.parameters))
                )
                if not isinstance(projection.connector.parts[-1], AllToAll):
                    bias = by_channel(bias, population.shape)
            ends = (projection.source, population.name)
            late = _delay(model, projection, axes[projection.source])
            # An Input with an edge to neurons would drive them.
            given = isinstance(model, SpikingModel) and _is_given(model, projection.source)
            chain = nodes_of(
                projection.connector,
                model.parameters[weight_name(projection)],
                bias,
                network.ends(projection),
                (axes[projection.source], axes[population.name]),
                direct=not given and ends not in joined,
            )
            if not chain and not late:
                joined.add(ends)
            yield projection, [*late, *chain]


def _delay(model: Model, projection: Projection, axes: Shape) -> _Chain:
    """The node that says how much more than a step a projection takes, s, where delays differ."""
    if not isinstance(model, SpikingModel) or not model.delays:
        return []
    steps = model.delay_steps_of(projection) - 1
    late = np.full(axes, steps * model.dt / SECOND)
    return [("delay", Node("Delay", {DELAY: late}))] if steps else []


def _is_given(model: SpikingModel, name: str) -> bool:
    """Whether a population is an input that is given as spikes."""
    return name in model.network.inputs and not isinstance(model.coding, ConstantCurrent)


def _cells(model: Model, population: Population, axes: Shape) -> Node | None:
    """The node of a population's neurons or activation; None where it has neither."""
    name, network = population.name, model.network
    if isinstance(model, SpikingModel):
        return None if _is_given(model, name) else _neurons(model, population, axes)
    if name in network.inputs or not any(p.source == name for p in network.projections):
        return None
    ones = np.ones(axes)
    if model.activation_of(name).name == "identity":
        return Node("Scale", {"scale": ones})
    return Node("IF", {"r": ones, "v_threshold": ones, "v_reset": 0.0 * ones})


def _port(kind: str, axes: Shape) -> Node:
    return Node(kind, {"shape": np.array([float(each) for each in axes])})


def _neurons(model: SpikingModel, population: Population, axes: Shape) -> Node:
    """A population's neurons: IF or LIF, or CubaLIF; those that never spike are I, LI, or CubaLI.

    A constant current is their v_leak where no node with a bias leads to them, as in inputs, and in
    a CubaLIF: others go through the synapse.
    """
    neurons = model.units_of(population.name)

    def each(number: Callable[[NeuronModel], float]) -> Floats:
        return np.broadcast_to(neurons.of(number), (population.size,)).reshape(axes)

    resistances = each(lambda neuron: neuron.resistance if neuron.leaks else 0.0)
    leak = resistances * _current(model, population).reshape(axes)
    is_input = population.name in model.network.inputs
    tau = each(lambda neuron: neuron.tau_m / SECOND)
    if neurons.first.has_currents and not is_input:
        synapse = each(lambda neuron: neuron.numbers["tau_syn_E"] / SECOND)
        kind, nonspiking = "CubaLIF", "CubaLI"
        values = {
            "tau_syn": synapse,
            "tau_mem": tau,
            "r": each(lambda neuron: neuron.resistance),
            "v_leak": leak,
            "w_in": synapse,
        }
    elif neurons.first.leaks:
        bare = biased_of(model.network, population) is None
        kind, nonspiking = "LIF", "LI"
        values = {"tau": tau, "r": tau, "v_leak": leak if bare else 0.0 * leak}
    else:
        kind, nonspiking, values = "IF", "I", {"r": np.ones(axes)}
    if not is_input and not model.is_spiking(population.name):
        return Node(nonspiking, values)
    values["v_threshold"] = each(lambda neuron: neuron.v_thresh - neuron.v_rest)
    values["v_reset"] = each(lambda neuron: neuron.v_reset - neuron.v_rest)
    return Node(kind, values)
