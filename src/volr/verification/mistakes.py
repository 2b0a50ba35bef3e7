"""Known mistakes, which are tried until one gives the result of the back end.

Each suspect is the model as a back end with one mistake would run it. The engine, or the reference
for artificial models, runs the suspect. If its result is that of the back end, this mistake is the
cause.
"""

from __future__ import annotations

import itertools
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from volr.errors import ModelError
from volr.models.activations import ACTIVATIONS
from volr.models.parameters import bias_name, weight_name
from volr.network.text import counted
from volr.neurons import RESETS
from volr.verification.kernel_suspects import kernel_suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.network import Network

ModelT = TypeVar("ModelT")
Suspect: TypeAlias = tuple[str, ModelT]
"""The mistake in words, and the model with it."""

# The most single projections and populations that are tried.
_MOST = 300
# Time constants, ms, that a simulator may use for an infinite one.
_LEAKS = (1e6, 1e5, 1e4, 1e3, 20.0)
# Units that are easily confused differ by a factor of a thousand.
_UNIT = 1000.0


def spiking_suspects(model: SpikingModel) -> Iterator[Suspect[SpikingModel]]:
    """The mistakes of a simulator, the likeliest first."""
    neuron, dt = model.neuron, model.dt

    def with_neurons(**change: Any) -> SpikingModel:
        return model.with_neurons(lambda each: replace(each, **change))

    tried: list[tuple[str, Callable[[], SpikingModel]]] = []
    for more in (1, -1, 2, -2, 3, -3):
        steps = model.delay_steps + more
        mistake = f"delay: {abs(more)} step{'s' * (abs(more) > 1)} {'more' if more > 0 else 'less'}"
        tried.append((mistake, lambda s=steps: replace(model, delay=s * dt)))
    for reset in RESETS:
        if reset != neuron.reset:
            mistake = f"reset: {reset!r} instead of {neuron.reset!r}"
            tried.append((mistake, lambda r=reset: with_neurons(reset=r)))
    changes: list[tuple[str, dict[str, float]]] = [
        (f"reset: to v_rest, {neuron.v_rest:g} mV", {"v_reset": neuron.v_rest}),
        ("reset: to 0 mV", {"v_reset": 0.0}),
    ]
    rest = neuron.refractory_steps(dt)
    changes += [
        (
            f"refractoriness: {counted(steps, 'step')} instead of {rest}",
            {"tau_refrac": steps * dt},
        )
        for steps in dict.fromkeys((0, rest + 1, rest - 1, rest + 2, rest + 3))
        if steps >= 0 and steps != rest
    ]
    changes += [("constant current: i_offset is missing", {"i_offset": 0.0})]
    if not neuron.leaks:
        changes += [
            (f"leak: a time constant of {tau:g} ms instead of none", {"tau_m": tau})
            for tau in _LEAKS
        ]
    elif dt < neuron.tau_m:
        # The membrane decays by 1 − dt/τ instead of e^(−dt/τ), its resistance the same.
        euler = -dt / math.log1p(-dt / neuron.tau_m)
        change = {"tau_m": euler, "cm": neuron.cm * euler / neuron.tau_m}
        changes.append(("integration: Euler's method instead of the exact solution", change))
    for mistake, change in changes:
        if any(neuron.numbers[key] != value for key, value in change.items()):
            tried.append((mistake, lambda c=change: with_neurons(**c)))
    for mistake, make in tried:
        # Some have no model: a reset above the threshold, or a delay of 0.
        with suppress(ModelError):
            yield mistake, make()
    for mistake, values in _parameter_suspects(model.network, model.parameters):
        yield mistake, replace(model, parameters=values)
    kernels = kernel_suspects(model.network, model.parameters, largest=False)
    for mistake, network, values in kernels:
        yield mistake, replace(model, network=network, parameters=values)


def artificial_suspects(model: ArtificialModel) -> Iterator[Suspect[ArtificialModel]]:
    """The mistakes of an artificial back end."""
    for each in ACTIVATIONS:
        if each != model.activation:
            yield f"activation: {each.name}", replace(model, activation=each)
    for mistake, values in _parameter_suspects(model.network, model.parameters):
        yield mistake, replace(model, parameters=values)
    kernels = kernel_suspects(model.network, model.parameters, largest=True)
    for mistake, network, values in kernels:
        yield mistake, replace(model, network=network, parameters=values)


def _parameter_suspects(
    network: Network, parameters: Mapping[str, Floats]
) -> Iterator[tuple[str, dict[str, Floats]]]:
    values = dict(parameters)
    weights = {weight_name(p): values[weight_name(p)] for p in network.projections}
    biases = {bias_name(p): values[bias_name(p)] for p in network.layers if network.biases(p)}
    wholes = {
        "sign: negative weights act as positive ones": _each(weights, np.abs),
        "sign: negative weights are missing": _each(weights, lambda w: np.maximum(w, 0.0)),
        "sign: all weights are flipped": _each(weights, np.negative),
        "bias: all are missing": _each(biases, np.zeros_like),
        f"unit: weights are {_UNIT:g} times too large": _each(weights, lambda w: w * _UNIT),
        f"unit: weights are {_UNIT:g} times too small": _each(weights, lambda w: w / _UNIT),
        f"unit: biases are {_UNIT:g} times too large": _each(biases, lambda b: b * _UNIT),
        f"unit: biases are {_UNIT:g} times too small": _each(biases, lambda b: b / _UNIT),
    }
    for mistake, changed in wholes.items():
        yield mistake, {**values, **changed}
    parts = itertools.chain(_blocks(network, values), _pairs(network, values))
    for mistake, changed in itertools.islice(parts, _MOST):
        yield mistake, {**values, **changed}


def _each(values: Mapping[str, Floats], change: Callable[[Floats], Floats]) -> dict[str, Floats]:
    return {name: change(value) for name, value in values.items()}


def _blocks(
    network: Network, values: Mapping[str, Floats]
) -> Iterator[tuple[str, dict[str, Floats]]]:
    for projection in network.projections:
        name = weight_name(projection)
        block = values[name]
        if block.ndim == 2:
            yield (
                f"transposition: the block {projection.name} is transposed",
                # A square block is transposed. Any other keeps its shape, in another memory order.
                {name: block.ravel().reshape(block.shape[::-1]).T},
            )
        yield f"sign: the block {projection.name} is flipped", {name: -block}
        mistake = f"sign: negative weights of {projection.name}"
        yield f"{mistake} act as positive ones", {name: np.abs(block)}
        yield f"{mistake} are missing", {name: np.maximum(block, 0.0)}
        yield f"projection: {projection.name} is missing", {name: np.zeros_like(block)}
    for population in filter(network.biases, network.layers):
        name = bias_name(population)
        mistake = f"bias: that of {population.name} is missing"
        yield mistake, {name: np.zeros_like(values[name])}


def _pairs(
    network: Network, values: Mapping[str, Floats]
) -> Iterator[tuple[str, dict[str, Floats]]]:
    """Two populations of the same size, with the weights to or from the same others exchanged."""
    names = {(p.source, p.target): weight_name(p) for p in network.projections}
    for first, second in itertools.combinations(network.populations, 2):
        if first.size != second.size:
            continue
        a, b = first.name, second.name
        sent = {
            one: values[other]
            for (source, target), name in names.items()
            if source == a and (b, target) in names
            for one, other in ((name, names[b, target]), (names[b, target], name))
        }
        received = {
            one: values[other]
            for (source, target), name in names.items()
            if target == a and (source, b) in names
            for one, other in ((name, names[source, b]), (names[source, b], name))
        }
        if received and network.biases(first) and network.biases(second):
            ours, theirs = bias_name(first), bias_name(second)
            received |= {ours: values[theirs], theirs: values[ours]}
        for changed in (sent, received):
            if changed and all(each.shape == values[n].shape for n, each in changed.items()):
                yield f"order: the populations {a} and {b} are exchanged", changed
