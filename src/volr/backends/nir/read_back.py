"""What a file that Volr wrote holds, node by node, in Volr's names and units.

The numbers come from the graph. The metadata say what NIR has no fields for: which node is which
population, the unit of currents, the potential that is 0, and timing.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.affine.forms import Form, SizeError, source, total
from volr.affine.terms import Room, block
from volr.backends.nir.metadata import KEY, MalformedError, read_description
from volr.backends.nir.primitives import PRIMITIVES, Linear, Neuron, shape_of, size_of
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
    distinct,
    precision_of,
    shared,
)
from volr.backends.terms import added_up
from volr.errors import ModelError, ModelFileError, NetworkError
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph, Node
    from volr.backends.nir.metadata import Places
    from volr.backends.readback import Number
    from volr.backends.terms import Ends
    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.neurons import NeuronsByUnit

ORDER = "the nodes are NIR's; Volr's own metadata say which node is which population"

_ACTIVATIONS = {"IF": "relu", "Scale": "identity"}


def back(graph: Graph) -> Readback:
    """What a graph of Volr's holds. Raises ``ModelFileError`` for any other graph."""
    try:
        described = read_description(graph.metadata[KEY])
        # A number that overflows is another than the model's, and so it is seen.
        with np.errstate(all="ignore"):
            model = described.model(graph)
            return _Back(graph, described.places, model).read()
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

    room: Room = field(default_factory=Room)

    def __post_init__(self) -> None:
        self.arrived = self._arrived()

    def _arrived(self) -> dict[str, Form]:
        """What arrives at each population and at each Output, by node, as the graph's nodes say.

        A node that something else leads to than should, so that sizes do not fit, gives nothing.
        Raises ``ValueError`` where they do not fit in any other node.
        """
        graph, room = self.graph, self.room
        before: dict[str, str] = {}
        for projection in self.model.network.projections:
            source_node = self.places.populations[projection.source]
            chain = (source_node, *self.places.projections[projection.name])
            before |= {after: one for one, after in itertools.pairwise(chain)}
        of = {node: name for name, node in self.places.populations.items()}
        forms: dict[str, Form] = {}
        arrived: dict[str, Form] = {}
        for name in graph.in_order()[0]:
            node = graph.nodes[name]
            primitive = PRIMITIVES.get(node.kind)
            parts = [forms[each] for each in graph.before[name] if each in forms]
            try:
                if parts:
                    arrived[name] = total(parts, room)
                if name in of:
                    forms[name] = source(of[name], shape_of(node))
                elif isinstance(primitive, Linear) and name in arrived:
                    forms[name] = primitive.through(node.values, arrived[name], room)
            except SizeError as error:
                if graph.before[name] == (before.get(name),):
                    raise ValueError(f"node {name!r}: {error}") from error
        return arrived

    def _into(self, name: str) -> Form:
        """What arrives at a population; nothing of its size where nothing does."""
        node = self.places.populations.get(name, self.places.outputs.get(name, ""))
        size = size_of(self._cells(name)) if name in self.places.populations else 0
        return self.arrived.get(node, Form((size,)))

    def read(self) -> Readback:
        model = self.model
        network = model.network
        populations = {p.name: self._size(p.name) for p in network.populations}
        weights = added_up(
            ((term.source, p.name), block(term, self.room))
            for p in network.layers
            for term in self._into(p.name).terms
        )
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
                name: self._numbers(model.units_of(name), name, model.dt)
                for name in populations
                if self._cells(name).kind != "Input"
            },
            delays=self._delays(model),
            dt=Asked(model.dt, METADATA),
        )

    def _cells(self, name: str) -> Node:
        return self.graph.nodes[self.places.populations[name]]

    def _size(self, name: str) -> int:
        if name in self.places.populations:
            node = self._cells(name)
            if node.kind == "Input":
                return int(np.prod(node.values["shape"]))
            return size_of(node)
        return self._into(name).size

    def _is_read(self, name: str) -> bool:
        output = self.places.outputs[name]
        if output not in self.graph.nodes:
            return False
        if isinstance(self.model, ArtificialModel) and name not in self.places.inputs:
            # It hands out the sum, which is compared as the weights that arrive.
            return output in self.arrived
        return set(self.graph.before[output]) == {self.places.populations[name]}

    def _bias(self, name: str) -> Floats:
        """The whole bias; of a spiking population in nA."""
        given = self._into(name).offset()
        match self.model:
            case ArtificialModel():
                return given
            case SpikingModel() as model:
                neurons, values = model.units_of(name), self._cells(name).values
                if not neurons.first.has_currents:
                    # mV/s: r / τ of it is what the membrane sees.
                    given = given * neurons.of(lambda each: each.cm) / SECOND
                    if not neurons.first.leaks:
                        return given * values["r"].ravel()
                resistances = neurons.of(lambda each: each.resistance)
                return given + values["v_leak"].ravel() / resistances

    def _delays(self, model: SpikingModel) -> Mapping[Ends, Answer[Number]]:
        """What each projection takes, ms: a step, and as much more as its Delay says.

        Where no projection has a delay of its own, the metadata have that of all.
        """
        usual = 0.0 if model.delays else (model.delay_steps - 1) * model.dt
        found: dict[Ends, list[float]] = {}
        for each in model.network.layers:
            for term in self._into(each.name).terms:
                later = SECOND * term.delay + usual
                found.setdefault((term.source, each.name), []).append(model.dt + later)
        return all_asked({ends: distinct(each) for ends, each in found.items()}, METADATA)

    def _numbers(self, neurons: NeuronsByUnit, name: str, dt: float) -> Cells:
        """The parameters of a node's neurons. The metadata add those that NIR has no field for."""
        node = self._cells(name)
        values = {key: each.ravel() for key, each in node.values.items()}
        first = neurons.first
        own = neurons.stacked(lambda each: each.numbers)
        primitive = PRIMITIVES.get(node.kind)
        ours = primitive.ours if isinstance(primitive, Neuron) else ""
        kind = Asked(ours or node.kind)
        # IF and I have no time constant.
        tau = values.get("tau_mem", values.get("tau", np.full(1, np.inf)))
        refractory = neurons.of(lambda each: each.refractory_steps(dt) * dt)
        numbers: dict[str, Answer[Number]] = {
            "v_rest": Asked(own["v_rest"], METADATA),
            "tau_refrac": Asked(shared(refractory), METADATA),
            "v_thresh": Asked(math.inf),
            "v_reset": Asked(own["v_reset"], METADATA),
            "tau_m": Asked(shared(SECOND * tau)),
        }
        if "tau_syn" in values:
            synapse = Asked(shared(SECOND * values["tau_syn"]))
            numbers["tau_syn_E"] = numbers["tau_syn_I"] = synapse
            # The resistance is r; w_in takes up the synapse's time constant.
            resistance = values["r"] * values["w_in"] / values["tau_syn"]
            numbers["cm"] = Asked(shared(tau * SECOND / resistance))
        elif name in self.model.network.inputs and first.has_currents:
            # Nothing leads to it, so it needs no synapses, and is said without.
            kind = Asked(first.name, METADATA)
            numbers |= {k: Asked(own[k], METADATA) for k in ("tau_syn_E", "tau_syn_I", "cm")}
        else:
            share = values["r"] / tau if np.isfinite(tau).all() else values["r"]
            numbers["cm"] = Asked(shared(own["cm"] * share), METADATA)
        if "v_threshold" in values:
            numbers["v_thresh"] = Asked(shared(own["v_rest"] + values["v_threshold"]))
            numbers["v_reset"] = Asked(shared(own["v_rest"] + values["v_reset"]))
        return Cells(kind, Asked(first.reset, METADATA), numbers)
