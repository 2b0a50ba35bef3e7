"""From a ``Network`` back to a program: ``lower`` reversed, except for names.

A population is driven by layers, each of which reads a boundary (``drives``). So a program is also
a graph whose points are boundaries and whose arrows are layers, and a network is a program's if the
graph can be merged to a single arrow (``series_parallel``). A population that several boundaries
have is a point of its own, from which an `id` leads into the others.

What is found is lowered again and compared, so it is the network's program, or there is none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.errors import NetworkError, ProgramError
from volr.language.drives import Drives
from volr.language.layer_expressions import passed_on, pools_of
from volr.language.lowering import INPUT
from volr.language.printer import format_expression
from volr.language.series_parallel import INPUT as START
from volr.language.series_parallel import OUTPUTS, Arrow, Graph, Junction
from volr.language.stages import to_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.language.drives import Boundary
    from volr.language.syntax import Expression
    from volr.network.graph import Network


@dataclass(frozen=True)
class Decompiled:
    """A program, and the network's name of each population of its lowering."""

    text: str
    names: Mapping[str, str]


def decompile(network: Network) -> Decompiled:
    """The program of a network. Raises ``NetworkError`` if the language has none for it."""
    _check(network)
    why = ""
    for split in (True, False):
        drives = Drives(network, split=split)
        arrow = _Points(network, drives).graph().merged()
        if arrow is None:
            why = why or f"it is not made of layers in a row and side by side{_places(network)}"
            continue
        late = [name for name in network.outputs if _only_reads(drives, name)]
        order = [*(each for each in arrow.order if each not in set(late)), *late]
        text = format_expression(arrow.expression)
        try:
            lowered = to_network(text)
        except ProgramError as error:
            why = error.diagnostics[0].message
            continue
        names = {INPUT: network.inputs[0]}
        names |= zip((each.name for each in lowered.layers), order, strict=False)
        different = _difference(lowered, network, names)
        if different is None:
            return Decompiled(text, names)
        why = different
    raise _unsayable(why)


def _unsayable(why: str) -> NetworkError:
    return NetworkError(f"the language has no program for this network: {why}")


def _check(network: Network) -> None:
    """Refuse what no program has, whatever the form of the graph."""
    if len(network.inputs) != 1:
        raise _unsayable(f"it has the {len(network.inputs)} inputs {', '.join(network.inputs)}")
    for name in network.outputs:
        if name in network.inputs:
            raise _unsayable(f"the output {name!r} is an input")
    drives = Drives(network, split=False)
    for population in network.layers:
        for back in (False, True):
            for drive in drives.of(population.name, back=back):
                if drive.layer is None:
                    what = "" if population.merge == "sum" else ", of which the largest counts"
                    first = drive.projections[0]
                    raise _unsayable(
                        f"the projection {first.name} is {first.connector}{what}, which no layer is"
                    )


def _only_reads(drives: Drives, name: str) -> bool:
    """Whether an output is what waits at the end: it is made when all else is."""
    found = drives.of(name)
    return len(found) == 1 and found[0].only_reads and not drives.of(name, back=True)


def _places(network: Network) -> str:
    count = Counter(each.source for each in network.projections)
    names = [name for name, several in count.items() if several > 1][:5]
    return f", after {', '.join(map(repr, names))}" if names else ""


def _difference(lowered: Network, network: Network, names: Mapping[str, str]) -> str | None:
    """What the program's network has in another way; None if it is the network."""
    shapes = {each.name: (each.shape, each.merge) for each in network.populations}
    found = {names.get(each.name): (each.shape, each.merge) for each in lowered.populations}
    if found != shapes:
        return "its populations are not those of layers"
    one = Counter((p.source, p.target, str(p.connector), p.back) for p in network.projections)
    other = Counter(
        (names[p.source], names[p.target], str(p.connector), p.back) for p in lowered.projections
    )
    if one != other:
        return f"it has {', '.join(f'{a}->{b}' for a, b, _, _ in (one - other) or other - one)}"
    if tuple(names[each] for each in lowered.outputs) != network.outputs:
        return f"its outputs stand in the order {', '.join(network.outputs)}"
    return None


class _Points:
    """The graph of a network: a number for each boundary, and the arrows between them."""

    def __init__(self, network: Network, drives: Drives) -> None:
        self._network = network
        self._drives = drives
        self._next = OUTPUTS + 1
        self._boundaries = drives.boundaries()
        self._numbers: dict[Boundary, int] = {drives.outputs: OUTPUTS}
        self._own: dict[str, int] = {network.inputs[0]: START}
        for name, found in self._boundaries.items():
            several = len(found) > 1 or drives.of(name, back=True)
            if several and name not in self._own:
                self._own[name] = self._new()

    def graph(self) -> Graph:
        network, graph = self._network, Graph()
        ranks = {p.name: len(network.outputs) + i for i, p in enumerate(network.populations)}
        ranks |= {name: index for index, name in enumerate(network.outputs)}
        for population in network.layers:
            name = population.name
            end = self._own.get(name)
            after: list[Expression] = []
            if end is None:
                (boundary,) = self._boundaries[name]
                end = self._number(boundary)
                after = pools_of(network, [name], dict(boundary)[name])
            for back in (False, True):
                drives = self._drives.of(name, back=back)
                if not drives:
                    continue
                at = self._new()
                rank = ranks[name]
                graph.join(at, Junction(name, len(drives), end, rank, tuple(after), back))
                for place, each in enumerate(drives):
                    start = self._number(each.boundary)
                    passing = passed_on(network, each.items[0])
                    graph.add(Arrow(start, at, [*each.parts], passing, rank, place))
        for name, point in self._own.items():
            for boundary in self._boundaries[name]:
                pools = dict(boundary)[name]
                ends = boundary == self._drives.outputs
                end = OUTPUTS if ends else self._number(boundary)
                if end != point:
                    parts = pools_of(network, [name], pools)
                    passing = passed_on(network, (name, pools))
                    graph.add(Arrow(point, end, parts, passing, ranks[name]))
        return graph

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _number(self, boundary: Boundary) -> int:
        """The point of a boundary. That of one population alone is the population's."""
        if len(boundary) == 1:
            ((name, pools),) = boundary
            if not pools and name in self._own:
                return self._own[name]
        if boundary not in self._numbers:
            self._numbers[boundary] = self._new()
        return self._numbers[boundary]
