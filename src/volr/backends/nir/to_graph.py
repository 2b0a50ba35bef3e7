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

The weights are Volr's to the last digit. NIR has no reset by subtraction, no refractory period and
no delay of a synapse. The metadata say these (``volr.backends.nir.metadata``), and ``losses`` tells
which of them other programs will miss.
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
from volr.backends.nir.projections import nodes_of
from volr.backends.populations import kinds_of
from volr.backends.refusals import written_for
from volr.errors import UnsupportedError
from volr.models.coding import ConstantCurrent
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.parameters import unit_biases, weight_name
from volr.network.connectors import AllToAll, by_channel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.backends.nir.graph import Edge
    from volr.network import Network, Population, Projection
    from volr.network.connectors import Shape

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
        raise UnsupportedError(why, help=written_for("brian2"))
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


def _chains(model: Model, axes: Mapping[str, Shape]) -> Iterator[tuple[Projection, _Chain]]:
    """The nodes of all projections, by what each does. One into each population has the bias."""
    network, joined = model.network, set[tuple[str, str]]()
    for population in network.layers:
        neuron = model.neuron_of(population.name) if isinstance(model, SpikingModel) else None
        # A neuron with a synapse is given its constant current as v_leak.
        biased = None if neuron and neuron.has_currents else biased_of(network, population)
        for projection in network.incoming[population.name]:
            bias = None
            if projection is biased:
                bias = np.array(unit_biases(population, model.parameters))
                bias = SECOND * (neuron.i_offset + bias) / neuron.cm if neuron else bias
                if not isinstance(projection.connector.parts[-1], AllToAll):
                    bias = by_channel(bias, population.shape)
            ends = (projection.source, population.name)
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
            if not chain:
                joined.add(ends)
            yield projection, chain


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
    neuron, each = model.neuron_of(population.name), np.ones(axes)
    current = neuron.i_offset + np.array(unit_biases(population, model.parameters)).reshape(axes)
    is_input = population.name in model.network.inputs
    tau = neuron.tau_m / SECOND * each
    if neuron.has_currents and not is_input:
        synapse = neuron.numbers["tau_syn_E"] / SECOND * each
        kind, nonspiking = "CubaLIF", "CubaLI"
        values = {
            "tau_syn": synapse,
            "tau_mem": tau,
            "r": neuron.resistance * each,
            "v_leak": neuron.resistance * current,
            "w_in": synapse,
        }
    elif neuron.leaks:
        bare = biased_of(model.network, population) is None
        leak = neuron.resistance * current if bare else 0.0 * each
        kind, nonspiking = "LIF", "LI"
        values = {"tau": tau, "r": tau, "v_leak": leak}
    else:
        kind, nonspiking, values = "IF", "I", {"r": each}
    if not is_input and not model.is_spiking(population.name):
        return Node(nonspiking, values)
    values["v_threshold"] = (neuron.v_thresh - neuron.v_rest) * each
    values["v_reset"] = (neuron.v_reset - neuron.v_rest) * each
    return Node(kind, values)
