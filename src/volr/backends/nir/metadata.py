"""What NIR has no words for, as the metadata of a graph: one JSON text under ``volr``.

It tells which node is which of our populations and projections, and what the arrays of the graph do
not hold: names and their order, the neuron model with its reset and units, coding and timing, and
biases to the last digit. Reading it is parsing JSON; ``volr.backends.nir.read`` holds it against
the graph, since another program may have changed either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from volr.checks.json_values import in_words, out_of_words
from volr.models.activations import activation
from volr.models.coding import input_coding
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.models.parameters import bias_name, weight_name
from volr.network import Network, Population, Projection
from volr.neurons import neuron_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Floats

KEY = "volr"
"""Where the description stands in a graph's metadata."""
LAYOUT = 1

_T = TypeVar("_T")


class MalformedError(Exception):
    """A description that is not what ``describe`` writes; the text continues 'the metadata …'."""


@dataclass(frozen=True)
class Places:
    """Where a network is in a graph: the node of each population, projection and output.

    A population's node is its neurons, or what stands for its activation; of an input that is
    given as spikes or values it is the ``Input``, of an artificial output there is none.
    """

    inputs: Mapping[str, str]
    populations: Mapping[str, str]
    projections: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Described:
    """A description that has been read: all of a model but its weights."""

    network: Network
    places: Places
    program: str | None
    settings: Mapping[str, Any]
    biases: Mapping[str, Floats]

    def model(self, weights: Mapping[str, Floats]) -> Model:
        """The model with these weights, by the projections' names. Raises ``ModelError``."""
        values = {weight_name(p): weights[p.name] for p in self.network.projections}
        values |= {bias_name(p): self.biases[p.name] for p in self.network.layers}
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
        "projections": [
            [p.source, p.target, places.projections[p.name]] for p in network.projections
        ],
        "inputs": [[name, places.inputs[name]] for name in network.inputs],
        "outputs": [[name, places.outputs[name]] for name in network.outputs],
        "biases": {p.name: model.parameters[bias_name(p)].tolist() for p in network.layers},
    }
    match model:
        case ArtificialModel():
            found |= {"kind": "artificial", "activation": model.activation.name}
        case SpikingModel():
            found |= {
                "kind": "spiking",
                "units": "s, and mV above v_rest; an input of a neuron is in mV/s (IFCurrDelta), "
                "or in nA of w_in / tau_syn (IFCurrExp), and a spike an impulse of area 1",
                "neuron": model.neuron.name,
                "numbers": in_words(model.neuron.numbers),
                "reset": model.neuron.reset,
                "coding": [model.coding.name, model.coding.rate_max],
                "dt": model.dt,
                "duration": model.duration,
                "delay": model.delay,
                "readout": model.readout,
            }
    return json.dumps(found, ensure_ascii=False)


def read_description(text: str) -> Described:
    """Parse a description. Raises ``MalformedError``, or ``NetworkError`` for no network."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError("are not JSON") from error
    found = _object(found, "something")
    if found.get("layout") != LAYOUT:
        raise MalformedError(f"have the layout {found.get('layout')!r}, expected {LAYOUT}")
    populations = [_row(each, 3, "populations") for each in _list(found, "populations")]
    projections = [_row(each, 3, "projections") for each in _list(found, "projections")]
    inputs = [_row(each, 2, "inputs") for each in _list(found, "inputs")]
    outputs = [_row(each, 2, "outputs") for each in _list(found, "outputs")]
    network = Network(
        tuple(
            Population(_typed(name, str, "populations"), _shape(shape))
            for name, shape, _ in populations
        ),
        tuple(
            Projection(_typed(source, str, "projections"), _typed(target, str, "projections"))
            for source, target, _ in projections
        ),
        tuple(_typed(name, str, "inputs") for name, _ in inputs),
        tuple(_typed(name, str, "outputs") for name, _ in outputs),
    )
    places = Places(
        {name: _typed(node, str, "inputs") for name, node in inputs},
        {name: _typed(n, str, "populations") for name, _, n in populations if n is not None},
        {f"{a}->{b}": _typed(node, str, "projections") for a, b, node in projections},
        {name: _typed(node, str, "outputs") for name, node in outputs},
    )
    biases = _object(found.get("biases"), "biases")
    if set(biases) != {p.name for p in network.layers}:
        raise MalformedError("have biases of other populations")
    program = found.get("program")
    return Described(
        network,
        places,
        None if program is None else _typed(program, str, "program"),
        found,
        {name: _floats(values, "biases") for name, values in biases.items()},
    )


def _model(network: Network, values: Mapping[str, Floats], found: Mapping[str, Any]) -> Model:
    if found.get("kind") == "artificial":
        return ArtificialModel(network, values, activation(_text(found, "activation")))
    if found.get("kind") != "spiking":
        raise MalformedError(f"have the kind {found.get('kind')!r}")
    numbers = _object(found.get("numbers"), "numbers")
    given = {key: _number(out_of_words(each), "numbers") for key, each in numbers.items()}
    neuron = neuron_model(_text(found, "neuron"), given, cast("Any", _text(found, "reset")))
    # A default that a later Volr changes must not change the model.
    if set(neuron.numbers) != set(given):
        raise MalformedError("lack parameters of the neuron model")
    name, rate = _row(found.get("coding"), 2, "coding")
    return SpikingModel(
        network=network,
        parameters=values,
        neuron=neuron,
        coding=input_coding(_typed(name, str, "coding"), _number(rate, "coding")),
        dt=_number(found.get("dt"), "dt"),
        duration=_number(found.get("duration"), "duration"),
        delay=_number(found.get("delay"), "delay"),
        readout=cast("Any", _text(found, "readout")),
    )


def _typed(value: Any, kind: type[_T], what: str) -> _T:
    if not isinstance(value, kind):
        raise MalformedError(f"have {what} of the wrong type")
    return value


def _object(value: Any, what: str) -> dict[str, Any]:
    return cast("dict[str, Any]", _typed(value, dict, what))


def _list(found: Mapping[str, Any], key: str) -> list[Any]:
    return cast("list[Any]", _typed(found.get(key), list, key))


def _text(found: Mapping[str, Any], key: str) -> str:
    return _typed(found.get(key), str, key)


def _row(value: Any, length: int, what: str) -> list[Any]:
    row = cast("list[Any]", _typed(value, list, what))
    if len(row) != length:
        raise MalformedError(f"have {what} of the wrong length")
    return row


def _shape(value: Any) -> tuple[int, ...]:
    axes = cast("list[Any]", _typed(value, list, "populations"))
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


def _floats(value: Any, what: str) -> Floats:
    row = cast("list[Any]", _typed(value, list, what))
    return np.array([_number(each, what) for each in row], dtype=np.float64)
