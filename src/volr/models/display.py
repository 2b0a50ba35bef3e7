"""What models show: their program, the drawing, and the populations with their numbers."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from volr.display.parts import Markup, Table
from volr.display.programs import program_html
from volr.models.activations import Staircase
from volr.models.coding import ConstantCurrent
from volr.network import network_svg
from volr.network.text import counted, shape_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from volr.checks.arrays import Floats
    from volr.display.parts import Part
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.network import Network, Population
    from volr.neurons import NeuronsByUnit


def artificial_parts(model: ArtificialModel) -> Iterator[Part]:
    """An artificial model: each population with its activation."""
    outputs = model.network.outputs

    def computes(population: Population) -> str:
        if population.name in model.network.starts:
            return ""
        if population.merge == "max":
            return "the largest"
        if population.name in outputs:
            return "logits"
        return model.activation_of(population.name).name

    yield from _program(model.network)
    yield f"{artificial_kind(model)}, {counted(model.network.parameter_count, 'parameter')}"
    yield Markup(network_svg(model.network))
    yield _populations(model.network, "activation", computes)


def spiking_parts(model: SpikingModel) -> Iterator[Part]:
    """A spiking model: each population with its neurons, and the numbers of these."""

    given = _given(model)

    def spikes(population: Population) -> str:
        if population.name in given:
            return "none, its spikes are given"
        name = model.neuron_of(population.name).name
        return name if model.is_spiking(population.name) else f"{name}, no spikes"

    yield from _program(model.network)
    numbers = (f"{each.name} {getattr(model.coding, each.name):g}" for each in fields(model.coding))
    coding = ", ".join([model.coding.name, *numbers])
    delays = f"delay {model.delay:g} ms" + (", others by projection" if model.delays else "")
    yield (
        f"{spiking_kind(model)}, {counted(model.network.parameter_count, 'parameter')}\n"
        f"inputs: {coding}; outputs: {model.readout}; {delays}"
    )
    yield Markup(network_svg(model.network))
    yield _populations(model.network, "neurons are", spikes)
    # Neurons of different models have different parameters, and so another table.
    populations: dict[tuple[str, ...], dict[NeuronsByUnit, list[str]]] = {}
    for each in model.network.populations:
        if each.name in given:
            continue
        neurons = model.units_of(each.name)
        alike = populations.setdefault((neurons.name, *neurons.first.numbers), {})
        alike.setdefault(neurons, []).append(each.name)
    several = sum(map(len, populations.values())) > 1
    for (name, *parameters), alike in populations.items():
        rows = [
            [
                ", ".join(names) if several else "all",
                each.first.reset,
                *map(_range, each.stacked(lambda neuron: neuron.numbers).values()),
            ]
            for each, names in alike.items()
        ]
        yield Table([f"{name} of", "reset", *parameters], rows, left=2)


def _range(value: float | Floats) -> str:
    """A number of neurons, or the least and the largest where they differ by unit."""
    low, high = np.min(value), np.max(value)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def artificial_kind(model: ArtificialModel) -> str:
    """What kind of an artificial model it is, in a line."""
    activation = model.activation
    levels = f" of {activation.levels} levels" if isinstance(activation, Staircase) else ""
    return f"an ANN with the activation {activation.name}{levels}"


def spiking_kind(model: SpikingModel) -> str:
    """What kind of a spiking model it is, in a line."""
    given = _given(model)
    each = (p.name for p in model.network.populations if p.name not in given)
    names = dict.fromkeys(model.neuron_of(name).name for name in each)
    neurons = " and ".join(names or {model.neuron.name: None})
    return f"an SNN of {neurons} neurons, {model.steps} steps of {model.dt:g} ms"


def _given(model: SpikingModel) -> tuple[str, ...]:
    """The populations without neurons, whose spikes are given: a clock, and inputs unless currents
    drive them.
    """
    return () if isinstance(model.coding, ConstantCurrent) else model.network.starts


def _program(network: Network) -> Iterator[Part]:
    if network.source is not None:
        yield Markup(program_html(network.source.text))


def _populations(network: Network, heading: str, said: Callable[[Population], str]) -> Table:
    weights = {
        each.name: sum(map(network.weight_count, network.incoming[each.name]))
        for each in network.populations
    }
    rows = [
        [
            each.name,
            shape_text(each.shape).replace("x", " × "),
            f"{each.size:,}",
            f"{weights[each.name]:,}",
            f"{network.biases(each):,}",
            said(each),
        ]
        for each in network.populations
    ]
    return Table(["population", "shape", "neurons", "weights", "biases", heading], rows)
