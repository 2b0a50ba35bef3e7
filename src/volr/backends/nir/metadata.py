"""What NIR has no fields for, as the metadata of a graph: one JSON text under ``volr``.

It says which node is which population or projection, and what the arrays of the graph do not hold:
names and their order, neuron models with reset and units, coding and timing, and biases to the last
digit. ``neurons`` has those of the populations that have their own, and ``delays`` those of the
projections, ms. Reading it is parsing JSON; ``volr.backends.nir.read`` compares it with the graph,
because another program may have changed either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from volr.backends.nir.connector_words import in_words as in_words_of
from volr.backends.nir.connector_words import out_of_words as connector_of
from volr.backends.nir.projections import weights_of
from volr.checks.json_values import in_word, numbers_out_of_words
from volr.models.activations import activation
from volr.models.coding import in_rates, rate_coding
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.parameters import bias_name, weight_name
from volr.network import Network, Population, Projection
from volr.neurons import NeuronsByUnit, neurons_with
from volr.neurons.by_unit import units_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.nir.graph import Graph
    from volr.checks.arrays import Floats
    from volr.neurons import NeuronModel, Neurons

KEY = "volr"
"""Where the description stands in a graph's metadata."""
LAYOUT = 1


class MalformedError(Exception):
    """A description that is not what ``describe`` writes; the text continues 'the metadata …'."""


@dataclass(frozen=True)
class Places:
    """Where a network is in a graph: the node of each population, projection and output.

    A population's node is its neurons, or its activation. For an input that is given as spikes or
    values it is the ``Input``; an artificial output has none. A projection has nodes in a row, or
    none where an edge is an identity.
    """

    inputs: Mapping[str, str]
    populations: Mapping[str, str]
    projections: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Described:
    """A description that has been read: everything of a model except its weights."""

    network: Network
    places: Places
    program: str | None
    settings: Mapping[str, Any]
    biases: Mapping[str, Floats]

    def model(self, graph: Graph) -> Model:
        """The model with the weights that the graph has.

        Raises ``MalformedError`` where one is not where it should be, and ``ModelError``.
        """
        values: dict[str, Floats] = {}
        for projection in self.network.projections:
            places = self.places.projections[projection.name]
            try:
                nodes = [graph.nodes[each] for each in places]
                values[weight_name(projection)] = weights_of(projection.connector, nodes)
            except LookupError as error:
                named = ", ".join(map(repr, places))
                raise MalformedError(f"name the node {named}, which has no weights") from error
        values |= {
            bias_name(p): self.biases[p.name] for p in self.network.layers if p.name in self.biases
        }
        return _model(self.network, values, self.settings)


def describe(model: Model, places: Places) -> str:
    """The description of a model, whose weights are those of its graph, as JSON."""
    network = model.network
    found: dict[str, Any] = {
        "layout": LAYOUT,
        "program": None if network.source is None else network.source.text,
        "populations": [
            [p.name, list(p.shape), places.populations.get(p.name)] for p in network.populations
        ],
        "projections": [_row(p, places.projections[p.name]) for p in network.projections],
        "inputs": [[name, places.inputs[name]] for name in network.inputs],
        "outputs": [[name, places.outputs[name]] for name in network.outputs],
        "biases": {
            p.name: model.parameters[bias_name(p)].tolist()
            for p in network.layers
            if bias_name(p) in model.parameters
        },
    }
    match model:
        case ArtificialModel():
            found |= {"kind": "artificial", "activation": model.activation.name}
        case SpikingModel():
            found |= {
                "kind": "spiking",
                "units": "s, and mV above v_rest; an input of a neuron is in mV/s (IFCurrDelta), "
                "or in nA of w_in / tau_syn (IFCurrExp), and a spike an impulse of area 1",
                **_neurons_in_words(model.neuron),
                "coding": [model.coding.name, in_rates(model.coding).rate_max],
                "dt": model.dt,
                "duration": model.duration,
                "delay": model.delay,
                "readout": model.readout,
            }
            if model.neurons:
                each = model.neurons.items()
                found["neurons"] = {name: _neurons_in_words(neurons) for name, neurons in each}
            if model.delays:
                found["delays"] = dict(model.delays)
    return json.dumps(found, ensure_ascii=False)


def _row(projection: Projection, nodes: tuple[str, ...]) -> list[Any]:
    """A projection: its ends and its node; or its nodes, and what else there is to say of it."""
    source, target = projection.source, projection.target
    if projection == Projection(source, target) and len(nodes) == 1:
        return [source, target, *nodes]
    words = {"connector": in_words_of(projection.connector), "number": projection.number}
    return [source, target, list(nodes), words]


def _projection(row: Any) -> tuple[Projection, tuple[str, ...]]:
    """The projection of a row, and its nodes."""
    cells = cast("list[Any]", _typed(row, list, "projections"))
    if len(cells) == 3:
        source, target, node = (_typed(each, str, "projections") for each in cells)
        return Projection(source, target), (node,)
    ((source, target, nodes, words),) = _rows({"one": [row]}, "one", str, str, list, dict)
    try:
        connector = connector_of(words.get("connector"))
    except (TypeError, ValueError) as error:
        raise MalformedError(f"have a projection of another form: {error}") from error
    number = words.get("number")
    if set(words) != {"connector", "number"} or not _is_whole(number):
        raise MalformedError("have a projection of another form")
    places = tuple(_typed(each, str, "projections") for each in nodes)
    return Projection(source, target, connector, number=number), places


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 40


def _neurons_in_words(neurons: Neurons) -> dict[str, Any]:
    each = units_in(neurons)
    numbers = each.stacked(lambda neuron: neuron.numbers)
    return {
        "neuron": each.name,
        "numbers": {key: in_word(value) for key, value in numbers.items()},
        "reset": each.first.reset,
    }


def read_description(text: str) -> Described:
    """Parse a description. Raises ``MalformedError``, or ``NetworkError`` for no network."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError("are not JSON") from error
    _typed(found, dict, "something")
    if found.get("layout") != LAYOUT:
        raise MalformedError(f"have the layout {found.get('layout')!r}, expected {LAYOUT}")
    populations = _rows(found, "populations", str, list, object)
    projections = [_projection(each) for each in _get(found, "projections", list)]
    inputs = _rows(found, "inputs", str, str)
    outputs = _rows(found, "outputs", str, str)
    network = Network(
        tuple(Population(name, _shape(shape)) for name, shape, _ in populations),
        tuple(projection for projection, _ in projections),
        tuple(name for name, _ in inputs),
        tuple(name for name, _ in outputs),
    )
    places = Places(
        dict(inputs),
        {name: _typed(n, str, "populations") for name, _, n in populations if n is not None},
        {projection.name: nodes for projection, nodes in projections},
        dict(outputs),
    )
    biases = _get(found, "biases", dict)
    spiking = found.get("kind") == "spiking"
    if set(biases) != {p.name for p in network.layers if spiking or network.biases(p)}:
        raise MalformedError("have biases of other populations")
    program = found.get("program")
    if program is not None:
        _typed(program, str, "program")
    values = {name: _floats(each, "biases") for name, each in biases.items()}
    return Described(network, places, program, found, values)


def _model(network: Network, values: Mapping[str, Floats], found: Mapping[str, Any]) -> Model:
    if found.get("kind") == "artificial":
        return ArtificialModel(network, values, activation(_get(found, "activation", str)))
    if found.get("kind") != "spiking":
        raise MalformedError(f"have the kind {found.get('kind')!r}")
    ((name, rate),) = _rows({"coding": [found.get("coding")]}, "coding", str, object)
    return SpikingModel(
        network=network,
        parameters=values,
        neuron=_neuron(found),
        neurons={
            name: _neurons(_typed(each, dict, "neurons"))
            for name, each in _typed(found.get("neurons", {}), dict, "neurons").items()
        },
        coding=rate_coding(name, _number(rate, "coding")),
        dt=_number(found.get("dt"), "dt"),
        duration=_number(found.get("duration"), "duration"),
        delay=_number(found.get("delay"), "delay"),
        delays={
            name: _number(each, "delays")
            for name, each in _typed(found.get("delays", {}), dict, "delays").items()
        },
        readout=_get(found, "readout", str),
    )


def _neuron(found: Mapping[str, Any]) -> NeuronModel:
    neurons = _neurons(found)
    if isinstance(neurons, NeuronsByUnit):
        raise MalformedError("have neurons by unit for all populations")
    return neurons


def _neurons(found: Mapping[str, Any]) -> Neurons:
    """Neurons, of which a parameter that differs by unit is a list."""
    given = {
        key: numbers_out_of_words(value, lambda each: _number(each, "numbers"))
        for key, value in _get(found, "numbers", dict).items()
    }
    neurons = neurons_with(_get(found, "neuron", str), given, _get(found, "reset", str))
    # A default that a later Volr changes must not change the model.
    if set(units_in(neurons).first.numbers) != set(given):
        raise MalformedError("lack parameters of the neuron model")
    return neurons


def _get(found: Mapping[str, Any], key: str, kind: type) -> Any:
    return _typed(found.get(key), kind, key)


def _rows(found: Mapping[str, Any], key: str, *kinds: type) -> list[list[Any]]:
    rows = [_typed(row, list, key) for row in _get(found, key, list)]
    if any(len(row) != len(kinds) for row in rows):
        raise MalformedError(f"have {key} of the wrong length")
    return [[_typed(*pair, key) for pair in zip(row, kinds, strict=True)] for row in rows]


def _typed(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise MalformedError(f"have {what} of the wrong type")
    return value


def _shape(axes: list[Any]) -> tuple[int, ...]:
    if not all(isinstance(each, int) and 0 < each < 1 << 40 for each in axes):
        raise MalformedError("have populations of an odd shape")
    return tuple(axes)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedError(f"have {what} that are not numbers")
    try:
        return float(value)
    except OverflowError as error:
        raise MalformedError(f"have {what} beyond all numbers") from error


def _floats(values: Any, what: str) -> Floats:
    return np.array([_number(each, what) for each in _typed(values, list, what)], dtype=np.float64)
