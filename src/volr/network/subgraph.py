"""Parts of a network that are networks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from volr.network.graph import Network

if TYPE_CHECKING:
    from collections.abc import Sequence


def upto(network: Network, outputs: Sequence[str]) -> Network:
    """The network of all that the populations ``outputs`` depend on, with these as its outputs.

    It has all inputs, and the clock, so that both networks take the same stimuli. Raises
    ``NetworkError`` if no output depends on one of them.
    """
    needed: set[str] = set()
    todo = list(outputs)
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += [projection.source for projection in network.incoming[name]]
    needed |= set(network.starts)
    return Network(
        populations=tuple(p for p in network.populations if p.name in needed),
        projections=tuple(p for p in network.projections if p.target in needed),
        inputs=network.inputs,
        outputs=tuple(outputs),
        clock=network.clock,
        source=network.source,
    )


def without_clock(network: Network) -> Network:
    """The network without its clock, and without what comes from it."""
    return replace(
        network,
        populations=tuple(each for each in network.populations if each.name != network.clock),
        projections=tuple(each for each in network.projections if each.source != network.clock),
        clock=None,
    )


def depths(network: Network) -> tuple[tuple[str, ...], ...]:
    """The populations by the length of their longest path from an input, the inputs first.

    Projections that lead back do not count.
    """
    depth: dict[str, int] = {}
    levels: list[list[str]] = []
    for population in network.populations:
        into = [each for each in network.incoming[population.name] if not each.back]
        depth[population.name] = 1 + max((depth[p.source] for p in into), default=-1)
        while len(levels) <= depth[population.name]:
            levels.append([])
        levels[depth[population.name]].append(population.name)
    return tuple(tuple(level) for level in levels)
