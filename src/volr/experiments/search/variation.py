"""Settings and program with the values of a trial."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from volr.errors import DataError
from volr.language import to_network
from volr.language.decompile import decompile
from volr.network.connectors import Convolution
from volr.network.scaling import has_channels, tied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.experiments.settings import Settings
    from volr.network import Network, Population

Value: TypeAlias = float | int | str

WIDTH = "width"
OF_NEURON = "neuron_parameters."


def varied(values: Mapping[str, Value], settings: Settings, program: str) -> tuple[Settings, str]:
    """The settings and the program with these values. Raises as settings and programs do.

    If the step, the duration or the delay is varied, the last two are rounded to whole steps.
    """
    neuron = dict(settings.neuron_parameters)
    changes: dict[str, object] = {}
    for name, value in values.items():
        if name.startswith(OF_NEURON):
            neuron[name.removeprefix(OF_NEURON)] = float(value)
        elif name != WIDTH:
            changes[name] = value
    if not changes.keys().isdisjoint(("dt", "duration", "delay")):
        times = {"dt": settings.step, "duration": settings.duration, "delay": settings.delay}
        changes |= _whole_steps({**times, **{k: v for k, v in values.items() if k in times}})
    if WIDTH in values:
        program = with_width(program, int(values[WIDTH]))
    return replace(settings, **changes, neuron_parameters=neuron), program


def with_width(program: str, width: int) -> str:
    """The program with ``width`` neurons in the widest hidden population, the others in proportion.

    The width of maps is the number of their channels, which stays a multiple of all groups. What an
    identity or a pool ties to an input or an output stays as it is. Raises ``DataError`` if there
    is no hidden population.
    """
    network = to_network(program)
    fixed = tied(network, [*network.inputs, *network.outputs])
    hidden = {each.name: each.shape[0] for each in network.layers if each.name not in fixed}
    if not hidden:
        raise DataError("the program has no hidden layer that could be wider or narrower")
    if width < 1:
        raise DataError(f"width is {width}, below 1")
    widest = max(hidden.values())
    populations = tuple(
        replace(each, shape=(_scaled(each, width / widest, network), *each.shape[1:]))
        if each.name in hidden
        else each
        for each in network.populations
    )
    return decompile(replace(network, populations=populations)).text


def _scaled(population: Population, factor: float, network: Network) -> int:
    """The width of a population, scaled: at least 1; that of maps a multiple of all groups.

    Of all: populations that an identity ties to each other keep one width.
    """
    parts = [part for each in network.projections for part in each.connector.parts]
    groups = 1
    if has_channels(network, population.name):
        groups = math.lcm(*(part.groups for part in parts if isinstance(part, Convolution)))
    return max(1, round(population.shape[0] * factor / groups)) * groups


def _whole_steps(times: Mapping[str, Value | None]) -> dict[str, float]:
    numbers = {name: float(value) for name, value in times.items() if value is not None}
    step = numbers.pop("dt")
    if not step > 0:
        return {}
    # Twelve digits: 3 · 0.1 is 0.3.
    return {
        name: float(f"{max(1, round(value / step)) * step:.12g}") for name, value in numbers.items()
    }
