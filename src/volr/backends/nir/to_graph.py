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

import keyword
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.identifiers import identifiers
from volr.backends.nir.graph import Graph, Node
from volr.backends.nir.metadata import KEY, Places, describe
from volr.backends.populations import kinds_of, neurons_of
from volr.backends.refusals import elsewhere
from volr.errors import UnsupportedError
from volr.models.coding import ConstantCurrent
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.parameters import unit_biases, weight_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.nir.graph import Edge
    from volr.checks.arrays import Floats
    from volr.network import Network, Population
    from volr.neurons import NeuronModel

SECOND = 1000.0
"""How many ms make one of NIR's units of time, s."""

# What PyTorch's modules have of their own: importers make a module of each node, under its name.
_MODULE = (
    "add_module apply buffers children compile cpu cuda double eval float forward half modules "
    "named_modules named_parameters parameters register_module share_memory state_dict to train "
    "training type xpu zero_grad"
)
_NO_RELU = (
    "NIR has no ReLU: hidden populations are written as integrate-and-fire neurons whose rate is "
    "that of a ReLU, and other programs will simulate them"
)
_RESERVED = frozenset([*_MODULE.split(), *keyword.kwlist])


def canonical(model: Model) -> Graph:
    """The graph of a model, with its metadata. Raises ``UnsupportedError`` where there is none."""
    if isinstance(model, SpikingModel) and (why := _unsayable(model)):
        raise UnsupportedError(why, help=elsewhere("brian2", verb="write it for"))
    network, names = model.network, _names(model.network)
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for population in network.populations:
        name = population.name
        into = [names[each.name] for each in network.incoming[name]]
        for projection, node in zip(
            network.incoming[name], _weights(model, population), strict=True
        ):
            nodes[names[projection.name]] = node
            edges.append((names[projection.source], names[projection.name]))
        port, cells = Node("Input", _shape(population)), _cells(model, population)
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
            nodes[names[f" of {name}"]] = Node("Output", _shape(population))
            edges += [(e, names[f" of {name}"]) for e in (into if is_sum else [names[name]])]
    places = Places(
        inputs={n: k if (k := names[f" to {n}"]) in nodes else names[n] for n in network.inputs},
        populations={p.name: names[p.name] for p in network.populations if names[p.name] in nodes},
        projections={p.name: names[p.name] for p in network.projections},
        outputs={name: names[f" of {name}"] for name in network.outputs},
    )
    return Graph(nodes, tuple(edges), {KEY: describe(model, places)})


def _names(network: Network) -> dict[str, str]:
    """The names of nodes, by population and projection, and those of Inputs and Outputs."""
    # No two names of populations and projections are alike, and no name begins with a space.
    wanted = [each.name for each in (*network.populations, *network.projections)]
    wanted += [f" to {name}" for name in network.inputs]
    wanted += [f" of {name}" for name in network.outputs]
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
    for neuron in _driven(model):
        if not neuron.leaks and neuron.i_offset != 0.0:
            return (
                "NIR's IF has no constant current of its own, and this model's inputs have "
                f"i_offset, {neuron.i_offset:g} nA"
            )
    return ""


def _driven(model: SpikingModel) -> list[NeuronModel]:
    """The neurons of the inputs. Inputs that are given as spikes have none."""
    neurons = neurons_of(model)
    return [neurons[name] for name in model.network.inputs if name in neurons]


def losses(model: Model) -> list[str]:
    """What the nodes of the graph do not say, so that other programs miss it; in words."""
    network = model.network
    if isinstance(model, ArtificialModel):
        hidden = any(p.source not in network.inputs for p in network.projections)
        return [_NO_RELU] if hidden and model.activation.name == "relu" else []
    neurons, found = neurons_of(model), list[str]()
    if any(each.reset == "subtract" for each in neurons.values()):
        found.append("NIR has no reset by subtraction: other programs will reset to v_reset")
    if any(each.refractory_steps(model.dt) > 0 for each in neurons.values()):
        found.append("NIR has no refractory period: other programs will ignore tau_refrac")
    if model.delay_steps > 1:
        found.append(
            f"NIR's edges have no delay: other programs will ignore the delay {model.delay:g} ms"
        )
    if any(
        neurons[each.name].has_currents
        and (neurons[each.name].i_offset != 0.0 or unit_biases(each, model.parameters).any())
        for each in network.layers
    ):
        found.append(
            "NIR leads every current of CubaLIF through the synapse, so biases and i_offset are "
            "written as v_leak, which some importers refuse or ignore"
        )
    elif any(each.i_offset != 0.0 for each in _driven(model)):
        found.append("i_offset of the inputs is written as v_leak, which some importers ignore")
    return found


def _weights(model: Model, population: Population) -> Iterator[Node]:
    """The nodes of the projections into a population. The first one has the bias."""
    neuron = model.neuron_of(population.name) if isinstance(model, SpikingModel) else None
    for number, projection in enumerate(model.network.incoming[population.name]):
        values = {"weight": np.array(model.parameters[weight_name(projection)])}
        # A neuron with a synapse is given its constant current as v_leak.
        if number == 0 and not (neuron and neuron.has_currents):
            bias = np.array(unit_biases(population, model.parameters))
            values["bias"] = SECOND * (neuron.i_offset + bias) / neuron.cm if neuron else bias
        yield Node("Affine" if "bias" in values else "Linear", values)


def _cells(model: Model, population: Population) -> Node | None:
    """The node of a population's neurons or activation; None where it has neither."""
    name, network = population.name, model.network
    is_input = name in network.inputs
    if isinstance(model, SpikingModel):
        driven = isinstance(model.coding, ConstantCurrent)
        return None if is_input and not driven else _neurons(model, population)
    if is_input or not any(p.source == name for p in network.projections):
        return None
    ones = np.ones(population.size)
    if model.activation.name == "identity":
        return Node("Scale", {"scale": ones})
    return Node("IF", {"r": ones, "v_threshold": ones, "v_reset": 0.0 * ones})


def _shape(population: Population) -> dict[str, Floats]:
    return {"shape": np.array([float(population.size)])}


def _neurons(model: SpikingModel, population: Population) -> Node:
    """A population's neurons: IF or LIF, or CubaLIF; those that never spike are I, LI, or CubaLI.

    An input's constant current is its v_leak, since no Affine leads there, and so is that of a
    CubaLIF: others go through the synapse.
    """
    neuron, each = model.neuron_of(population.name), np.ones(population.size)
    is_input = population.name in model.network.inputs
    tau = neuron.tau_m / SECOND * each
    if neuron.has_currents and not is_input:
        synapse = neuron.numbers["tau_syn_E"] / SECOND * each
        current = neuron.i_offset + np.array(unit_biases(population, model.parameters))
        kind, nonspiking = "CubaLIF", "CubaLI"
        values = {
            "tau_syn": synapse,
            "tau_mem": tau,
            "r": neuron.resistance * each,
            "v_leak": neuron.resistance * current,
            "w_in": synapse,
        }
    elif neuron.leaks:
        offset = neuron.resistance * neuron.i_offset if is_input else 0.0
        kind, nonspiking = "LIF", "LI"
        values = {"tau": tau, "r": tau, "v_leak": offset * each}
    else:
        kind, nonspiking, values = "IF", "I", {"r": each}
    if not is_input and not model.is_spiking(population.name):
        return Node(nonspiking, values)
    values["v_threshold"] = (neuron.v_thresh - neuron.v_rest) * each
    values["v_reset"] = (neuron.v_reset - neuron.v_rest) * each
    return Node(kind, values)
