"""Networks as a back end that is mistaken about kernels, pools or biases by channel runs them."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from volr.backends.terms import Wiring
from volr.errors import NetworkError
from volr.models.parameters import bias_name, weight_name
from volr.network import AllToAll, Network, Population, Projection
from volr.network.connectors import Pooled, Windows, shape_through
from volr.verification.kernels import in_places, in_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from volr.checks.arrays import Floats
    from volr.verification.kernels import Mistake

Changed: TypeAlias = tuple[str, Network, "dict[str, Floats]"]
"""The mistake in words, and the network and the parameters with it."""
# The most of one kind that are tried.
_MOST = 300


def kernel_suspects(
    network: Network, values: Mapping[str, Floats], *, largest: bool
) -> Iterator[Changed]:
    """Every network with one such mistake, the likeliest first.

    ``largest`` says whether a population can take the largest of what arrives.
    """
    yield from itertools.islice(_each(network, values, in_places), _MOST)
    yield from _spread(network, values)
    if largest:
        yield from _largest(network, values)
        yield from _means(network, values)
    yield from itertools.islice(_each(network, values, in_weights), _MOST)


def _each(
    network: Network, values: Mapping[str, Floats], mistakes: Callable[[Wiring], Iterator[Mistake]]
) -> Iterator[Changed]:
    for projection in network.projections:
        name = weight_name(projection)
        wiring = Wiring(projection.connector, values[name], *network.ends(projection))
        for mistake in mistakes(wiring):
            other = replace(projection, connector=mistake.connector)
            with suppress(NetworkError):
                yield (
                    f"kernel: {mistake.said}, in {projection.name}",
                    replace(network, projections=_with(network, projection, other)),
                    {**values, name: mistake.weights},
                )


def _with(network: Network, right: Projection, *others: Projection) -> tuple[Projection, ...]:
    """The projections of a network, with others in place of one."""
    return tuple(
        other for each in network.projections for other in (others if each is right else (each,))
    )


def _spread(network: Network, values: Mapping[str, Floats]) -> Iterator[Changed]:
    """Biases by channel that go round from pixel to pixel."""
    for population in network.layers:
        count = network.biases(population)
        if not 1 < count < population.size:
            continue
        source = network.incoming[population.name][0].source
        # Weights of 0 change nothing, and so the population has a bias for each unit.
        numbers = [p.number for p in network.incoming[population.name] if p.source == source]
        nothing = Projection(source, population.name, AllToAll(), number=max(numbers) + 1)
        biases = np.resize(values[bias_name(population)], population.size)
        zeros = np.zeros((population.size, network[source].size))
        yield (
            f"bias: those of the channels of {population.name} are spread by pixel",
            replace(network, projections=(*network.projections, nothing)),
            {**values, weight_name(nothing): zeros, bias_name(population): biases},
        )


def _largest(network: Network, values: Mapping[str, Floats]) -> Iterator[Changed]:
    """The largest of a pool's windows in place of the mean."""
    for projection in network.projections:
        connector = projection.connector
        if not isinstance(connector, Pooled):
            continue
        *before, pool = connector.pools
        shape = shape_through(before, network[projection.source].shape)
        name = f"{projection.name.replace('->', '_')}_windows"
        made = Population(name, pool.reduced(shape), merge="max")
        windows = Windows(pool.window, pool.stride)
        first = Projection(
            projection.source, name, Pooled(tuple(before), windows) if before else windows
        )
        second = Projection(name, projection.target, connector.connector)
        place = network.populations.index(network[projection.target])
        populations = (*network.populations[:place], made, *network.populations[place:])
        changed = {key: each for key, each in values.items() if key != weight_name(projection)}
        changed |= {
            weight_name(first): np.ones(1),
            weight_name(second): values[weight_name(projection)],
        }
        with suppress(NetworkError):
            projections = _with(network, projection, first, second)
            whole = replace(network, populations=populations, projections=projections)
            yield f"pool: the largest in place of the mean, in {projection.name}", whole, changed


def _means(network: Network, values: Mapping[str, Floats]) -> Iterator[Changed]:
    """The mean of windows in place of the largest."""
    for population in network.layers:
        incoming = network.incoming[population.name]
        if population.merge != "max" or len(incoming) != 1 or population.name in network.outputs:
            continue
        (into,) = incoming
        windows = into.connector
        if not isinstance(windows, Windows):
            continue
        changed = dict(values)
        factor = changed.pop(weight_name(into))[0]
        projections: list[Projection] = []
        for each in network.projections:
            if each is into:
                continue
            if each.source == population.name:
                numbers = [p.number for p in projections if p.target == each.target]
                inner = each.connector
                pools = (windows.pool, *(inner.pools if isinstance(inner, Pooled) else ()))
                other = replace(
                    each,
                    source=into.source,
                    connector=Pooled(pools, inner.parts[-1]),
                    number=max(numbers, default=0) + 1,
                )
                changed[weight_name(other)] = factor * changed.pop(weight_name(each))
                projections.append(other)
            else:
                projections.append(each)
        kept = tuple(each for each in network.populations if each != population)
        with suppress(NetworkError):
            whole = replace(network, populations=kept, projections=tuple(projections))
            yield f"pool: the mean in place of the largest, in {population.name}", whole, changed
