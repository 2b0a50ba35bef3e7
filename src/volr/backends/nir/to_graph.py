"""From a model to a NIR graph that says the same, and to the bytes of a file.

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

The weights are ours to the last digit. NIR has no reset by subtraction, refractoriness or delay of
a synapse; these and whatever else it has no words for stand in the metadata
(``volr.backends.nir.metadata``); ``losses`` tells which of them there are.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import elsewhere
from volr.backends.identifiers import identifiers
from volr.backends.nir.graph import Graph, Node
from volr.backends.nir.metadata import KEY, Places, describe
from volr.errors import UnsupportedError
from volr.models.coding import ConstantCurrent
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from volr.backends.nir.graph import Edge
    from volr.checks.arrays import Floats
    from volr.network import Network, Population

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
    if isinstance(model, SpikingModel):
        _check_sayable(model)
    return _Writer(model).graph()


def _check_sayable(model: SpikingModel) -> None:
    neuron = model.neuron
    if neuron.has_conductances:
        raise UnsupportedError(
            "NIR has no synapses that change a conductance",
            help=elsewhere("brian2", verb="write it for"),
        )
    if len(neuron.channels) > 1:
        taus = (f"{key} {neuron.numbers[key]:g} ms" for key in ("tau_syn_E", "tau_syn_I"))
        raise UnsupportedError(
            "NIR has one synaptic time constant to a neuron, and this model's are "
            + " and ".join(taus),
            help=elsewhere("brian2", verb="write it for"),
        )
    if neuron.has_currents and not neuron.leaks:
        raise UnsupportedError(
            "NIR's neurons with synapses have a time constant in s, and this model's tau_m is "
            "infinite",
            help=elsewhere("brian2", verb="write it for"),
        )
    driven = isinstance(model.coding, ConstantCurrent)
    if driven and not neuron.leaks and neuron.i_offset != 0.0:
        raise UnsupportedError(
            "NIR's IF has no constant current of its own, and this model's inputs have i_offset, "
            f"{neuron.i_offset:g} nA",
            help=elsewhere("brian2", verb="write it for"),
        )


class _Writer:
    """One graph in the making."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.network: Network = model.network
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        network = self.network
        wanted = [p.name for p in network.populations]
        wanted += [p.name for p in network.projections]
        # No two names of populations and projections are alike, and no name begins with a space.
        wanted += [f" to {name}" for name in network.inputs]
        wanted += [f" of {name}" for name in network.outputs]
        self.names = identifiers(wanted, reserved=_RESERVED)

    def graph(self) -> Graph:
        network = self.network
        inputs: dict[str, str] = {}
        populations: dict[str, str] = {}
        outputs: dict[str, str] = {}
        for population in network.populations:
            name = population.name
            if name in network.inputs:
                inputs[name], populations[name] = self._input(population)
            else:
                self._layer(population, populations)
            if name in network.outputs:
                outputs[name] = self._add(f" of {name}", _port("Output", population))
                sources = [populations[name]] if self._has_cells(name) else self._into(name)
                self.edges += [(each, outputs[name]) for each in sources]
        projections = {p.name: self.names[p.name] for p in network.projections}
        places = Places(inputs, populations, projections, outputs)
        return Graph(self.nodes, tuple(self.edges), {KEY: describe(self.model, places)})

    def _input(self, population: Population) -> tuple[str, str]:
        """The Input of a population, and its neurons, which may be the same node."""
        model = self.model
        if isinstance(model, SpikingModel) and isinstance(model.coding, ConstantCurrent):
            port = self._add(f" to {population.name}", _port("Input", population))
            cells = self._add(population.name, _delta(model, population, spiking=True))
            self.edges.append((port, cells))
            return port, cells
        port = self._add(population.name, _port("Input", population))
        return port, port

    def _layer(self, population: Population, populations: dict[str, str]) -> None:
        name = population.name
        into = self.network.incoming[name]
        bias = self._bias(population)
        for projection in into:
            weight = np.array(self.model.parameters[weight_name(projection)])
            if bias is None:
                node = Node("Linear", {"weight": weight})
            else:
                node = Node("Affine", {"weight": weight, "bias": bias})
                bias = None
            added = self._add(projection.name, node)
            self.edges.append((populations[projection.source], added))
        if self._has_cells(name) or any(p.source == name for p in self.network.projections):
            populations[name] = self._add(name, self._cells(population))
            self.edges += [(each, populations[name]) for each in self._into(name)]

    def _bias(self, population: Population) -> Floats | None:
        """What an Affine adds; none where a neuron is given its constant current as v_leak."""
        bias = np.array(self.model.parameters[bias_name(population)])
        match self.model:
            case ArtificialModel():
                return bias
            case SpikingModel(neuron=neuron) if not neuron.has_currents:
                return SECOND * (neuron.i_offset + bias) / neuron.cm
            case SpikingModel():
                return None

    def _cells(self, population: Population) -> Node:
        model = self.model
        if isinstance(model, SpikingModel):
            spiking = model.is_spiking(population.name)
            cells = _exp if model.neuron.has_currents else _delta
            return cells(model, population, spiking=spiking)
        ones = np.ones(population.size)
        if model.activation.name == "identity":
            return Node("Scale", {"scale": ones})
        return Node("IF", {"r": ones, "v_threshold": ones, "v_reset": 0.0 * ones})

    def _has_cells(self, name: str) -> bool:
        """Whether an output hands out what its node says: an artificial one gives its sum."""
        return isinstance(self.model, SpikingModel) or name in self.network.inputs

    def _into(self, name: str) -> list[str]:
        return [self.names[each.name] for each in self.network.incoming[name]]

    def _add(self, wanted: str, node: Node) -> str:
        name = self.names[wanted]
        self.nodes[name] = node
        return name


def _port(kind: str, population: Population) -> Node:
    return Node(kind, {"shape": np.array([float(population.size)])})


def _delta(model: SpikingModel, population: Population, *, spiking: bool) -> Node:
    """LIF or LI; without leak IF or I.

    An input's constant current is its v_leak, since no Affine leads there.
    """
    neuron, each = model.neuron, np.ones(population.size)
    if not neuron.leaks:
        return _spiking("IF", "I", model, {"r": each}, spiking=spiking)
    offset = 0.0
    if population.name in model.network.inputs:
        offset = neuron.resistance * neuron.i_offset
    tau = neuron.tau_m / SECOND * each
    values = {"tau": tau, "r": tau, "v_leak": offset * each}
    return _spiking("LIF", "LI", model, values, spiking=spiking)


def _exp(model: SpikingModel, population: Population, *, spiking: bool) -> Node:
    """CubaLIF or CubaLI. A constant current is its v_leak: others go through the synapse."""
    neuron, each = model.neuron, np.ones(population.size)
    tau = neuron.numbers["tau_syn_E"] / SECOND * each
    current = neuron.i_offset + np.array(model.parameters[bias_name(population)])
    values = {
        "tau_syn": tau,
        "tau_mem": neuron.tau_m / SECOND * each,
        "r": neuron.resistance * each,
        "v_leak": neuron.resistance * current,
        "w_in": tau,
    }
    return _spiking("CubaLIF", "CubaLI", model, values, spiking=spiking)


def _spiking(
    kind: str, silent: str, model: SpikingModel, values: dict[str, Floats], *, spiking: bool
) -> Node:
    if not spiking:
        return Node(silent, values)
    neuron, each = model.neuron, np.ones_like(values["r"])
    values["v_threshold"] = (neuron.v_thresh - neuron.v_rest) * each
    values["v_reset"] = (neuron.v_reset - neuron.v_rest) * each
    return Node(kind, values)
