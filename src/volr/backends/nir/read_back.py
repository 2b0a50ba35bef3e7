"""What a file that Volr wrote holds, node by node, in Volr's names and units.

The numbers come from the graph. The metadata say what NIR has no fields for: which node is which
population, the unit of currents, the potential that is 0, and timing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.nir.metadata import KEY, MalformedError, read_description
from volr.backends.nir.primitives import PRIMITIVES, Neuron, is_linear, size_of
from volr.backends.nir.to_graph import SECOND
from volr.backends.readback import (
    METADATA,
    Answer,
    ArtificialReadback,
    Asked,
    Cells,
    Readback,
    SpikingReadback,
    all_asked,
    precision_of,
    uniform,
)
from volr.errors import ModelError, ModelFileError, NetworkError
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph, Node
    from volr.backends.nir.metadata import Places
    from volr.backends.readback import Ends
    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.neurons import NeuronModel

ORDER = "the nodes are NIR's; Volr's own metadata say which node is which population"

_ACTIVATIONS = {"IF": "relu", "Scale": "identity"}


def back(graph: Graph) -> Readback:
    """What a graph of Volr's holds. Raises ``ModelFileError`` for any other graph."""
    try:
        described = read_description(graph.metadata[KEY])
        # A number that overflows is another than the model's, and so it is seen.
        with np.errstate(all="ignore"):
            model = described.model(graph)
            return _Back(graph, described.places, model, described.neurons).read()
    except KeyError as error:
        raise ModelFileError(f"this NIR file is none of Volr's: it lacks {error}") from error
    except (MalformedError, ModelError, NetworkError) as error:
        raise ModelFileError(f"this NIR file is none of Volr's: its metadata: {error}") from error
    except ValueError as error:
        raise ModelFileError(
            f"this NIR file is none of Volr's: its arrays do not fit: {error}"
        ) from error


@dataclass
class _Back:
    graph: Graph
    places: Places
    model: Model
    neurons: Mapping[str, NeuronModel]

    def read(self) -> Readback:
        model = self.model
        network = model.network
        populations = {p.name: self._size(p.name) for p in network.populations}
        weights: dict[Ends, Floats] = {}
        for projection in network.projections:
            node = self.places.projections[projection.name]
            if self._joined(projection.source, node, projection.target):
                ends = (projection.source, projection.target)
                weights[ends] = self.graph.nodes[node].values["weight"]
        inputs = tuple(n for n in network.inputs if self.places.inputs[n] in self.graph.nodes)
        common: dict[str, Any] = {
            "populations": all_asked(populations),
            "inputs": Asked(inputs, ORDER),
            "outputs": Asked(tuple(n for n in network.outputs if self._is_read(n)), ORDER),
            "weights": all_asked(weights),
            "biases": all_asked({p.name: self._bias(p.name) for p in network.layers}),
            "precision": precision_of(self.graph.types),
        }
        if isinstance(model, ArtificialModel):
            hidden = {p.source for p in network.projections} - set(network.inputs)
            kinds = {name: self._cells(name).kind for name in populations if name in hidden}
            activations = {name: _ACTIVATIONS.get(kind, "unknown") for name, kind in kinds.items()}
            return ArtificialReadback(**common, activations=all_asked(activations))
        return SpikingReadback(
            **common,
            cells={
                name: self._numbers(self._neuron(model, name), name, model.dt)
                for name in populations
                if self._cells(name).kind != "Input"
            },
            delays=all_asked(dict.fromkeys(weights, model.delay_steps * model.dt), METADATA),
            dt=Asked(model.dt, METADATA),
        )

    def _neuron(self, model: SpikingModel, name: str) -> NeuronModel:
        """The neurons of a population, from the metadata."""
        return self.neurons.get(name, model.neuron)

    def _cells(self, name: str) -> Node:
        return self.graph.nodes[self.places.populations[name]]

    def _size(self, name: str) -> int:
        if name in self.places.populations:
            node = self._cells(name)
            if node.kind == "Input":
                return int(np.prod(node.values["shape"]))
            return size_of(node)
        return max(len(self.graph.nodes[each].values["weight"]) for each in self._into(name))

    def _into(self, name: str) -> list[str]:
        """The nodes of the weights that lead to a population."""
        node = self.places.populations.get(name, self.places.outputs.get(name, ""))
        return [each for each in self.graph.before[node] if is_linear(self.graph.nodes[each])]

    def _joined(self, source: str, node: str, target: str) -> bool:
        return self.graph.before[node] == (self.places.populations[source],) and (
            node in self._into(target)
        )

    def _is_read(self, name: str) -> bool:
        output = self.places.outputs[name]
        if output not in self.graph.nodes:
            return False
        artificial = isinstance(self.model, ArtificialModel) and name not in self.places.inputs
        wanted = self._into(name) if artificial else [self.places.populations[name]]
        return set(self.graph.before[output]) == set(wanted)

    def _bias(self, name: str) -> Floats:
        """The whole bias; of a spiking population in nA."""
        into = [self.graph.nodes[each].values for each in self._into(name)]
        total = sum((v["bias"] for v in into if "bias" in v), np.zeros(self._size(name)))
        match self.model:
            case ArtificialModel():
                return total
            case SpikingModel() as model:
                neuron, values = self._neuron(model, name), self._cells(name).values
                if not neuron.has_currents:
                    # mV/s: r / τ of it is what the membrane sees.
                    total = total * neuron.cm / SECOND
                    if not neuron.leaks:
                        return total * uniform(values["r"])
                return total + values["v_leak"] / neuron.resistance

    def _numbers(self, neuron: NeuronModel, name: str, dt: float) -> Cells:
        """The parameters of a node's neurons. The metadata add those that NIR has no field for."""
        node = self._cells(name)
        values = node.values
        rest, own = neuron.v_rest, neuron.numbers
        primitive = PRIMITIVES.get(node.kind)
        ours = primitive.ours if isinstance(primitive, Neuron) else ""
        kind = Asked(ours or node.kind)
        # IF and I have no time constant.
        tau = values.get("tau_mem", values.get("tau", np.full(1, np.inf)))
        numbers: dict[str, Answer[float]] = {
            "v_rest": Asked(rest, METADATA),
            "tau_refrac": Asked(neuron.refractory_steps(dt) * dt, METADATA),
            "v_thresh": Asked(math.inf),
            "v_reset": Asked(neuron.v_reset, METADATA),
            "tau_m": Asked(SECOND * uniform(tau)),
        }
        if "tau_syn" in values:
            synapse = Asked(SECOND * uniform(values["tau_syn"]))
            numbers["tau_syn_E"] = numbers["tau_syn_I"] = synapse
            # The resistance is r; w_in takes up the synapse's time constant.
            resistance = values["r"] * values["w_in"] / values["tau_syn"]
            numbers["cm"] = Asked(uniform(tau * SECOND / resistance))
        elif name in self.model.network.inputs and neuron.has_currents:
            # Nothing leads to it, so it needs no synapses, and is said without.
            kind = Asked(neuron.name, METADATA)
            numbers |= {k: Asked(own[k], METADATA) for k in ("tau_syn_E", "tau_syn_I", "cm")}
        else:
            share = values["r"] / tau if np.isfinite(tau).all() else values["r"]
            numbers["cm"] = Asked(neuron.cm * uniform(share), METADATA)
        if "v_threshold" in values:
            numbers["v_thresh"] = Asked(rest + uniform(values["v_threshold"]))
            numbers["v_reset"] = Asked(rest + uniform(values["v_reset"]))
        return Cells(kind, Asked(neuron.reset, METADATA), numbers)
