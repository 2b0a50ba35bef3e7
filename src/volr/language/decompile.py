"""From a ``Network`` back to a program: ``lower`` reversed, except for names.

Every population of a program lies between two boundaries. It has projections from all populations
of the boundary before it, and is a part of the boundary after it. So a program is also a graph
whose points are boundaries and whose arrows are populations, and

    ⊖  puts arrows between the same two points
    ⦶  puts a point between two arrows

A network is a program's if its arrows can be merged, by undoing these two, to a single one from the
input to the outputs. The time is proportional to the network, except for sorting.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from volr.errors import NetworkError
from volr.language.lowering import INPUT
from volr.language.operators import dense
from volr.language.printer import format_expression
from volr.language.syntax import Parallel, Sequence
from volr.network.connectors import AllToAll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.language.syntax import Expression
    from volr.network.graph import Network

Boundary: TypeAlias = frozenset[str]


@dataclass(frozen=True)
class Decompiled:
    """A program, and the network's name of each population of its lowering."""

    text: str
    names: Mapping[str, str]


@dataclass(slots=True)
class _Chain:
    """Arrows in a row, or a single one: ``parts`` are names of populations or bundles."""

    start: int
    end: int
    parts: list[str | _Bundle]


@dataclass(slots=True)
class _Bundle:
    """Arrows side by side. ``rank`` is where the first output within stands, if there is one."""

    parts: list[_Chain]


def decompile(network: Network) -> Decompiled:
    """The program of a network. Raises ``NetworkError`` if the language has none for it."""
    starts, ends = _boundaries(network)
    chain = _merge(network, starts, ends)
    expression, order = _expression(network, chain)
    names = {INPUT: network.inputs[0]}
    names |= {f"dense_{index}": name for index, name in enumerate(order, start=1)}
    outputs = [name for name in order if name in set(network.outputs)]
    if tuple(outputs) != network.outputs:
        raise _unsayable(f"its outputs stand in the order {', '.join(network.outputs)}")
    return Decompiled(format_expression(expression), names)


def _unsayable(why: str) -> NetworkError:
    return NetworkError(f"the language has no program for this network: {why}")


def _boundaries(network: Network) -> tuple[dict[str, int], dict[str, int]]:
    """The two boundaries of each population, by number: 0 is the input's, 1 the outputs'."""
    if len(network.inputs) != 1:
        raise _unsayable(f"it has the {len(network.inputs)} inputs {', '.join(network.inputs)}")
    for population in network.populations:
        if len(population.shape) != 1:
            raise _unsayable(f"{population.name!r} has the shape {population.shape}")
        if population.merge != "sum":
            raise _unsayable(f"at {population.name!r} the largest of what arrives counts")
    for projection in network.projections:
        if projection.back or projection.number > 1:
            what = "closes a loop" if projection.back else "is not the first between its ends"
            raise _unsayable(f"the projection {projection.name} {what}")
        if not isinstance(projection.connector, AllToAll):
            raise _unsayable(f"the projection {projection.name} is {projection.connector}")
    outputs = set(network.outputs)
    numbers: dict[Boundary, int] = {frozenset(network.inputs): 0, frozenset(network.outputs): 1}
    starts: dict[str, int] = {}
    after: dict[str, set[int]] = {p.name: set() for p in network.populations}
    before: dict[str, Boundary] = {}
    for population in network.layers:
        boundary = frozenset(p.source for p in network.incoming[population.name])
        before[population.name] = boundary
        number = numbers.setdefault(boundary, len(numbers))
        starts[population.name] = number
    for name, boundary in before.items():
        for each in boundary:
            after[each].add(starts[name])
    ends: dict[str, int] = {}
    for population in network.populations:
        name = population.name
        if name in outputs:
            if after[name] or name in network.inputs:
                raise _unsayable(f"the output {name!r} leads on, or is an input")
            ends[name] = 1
        elif len(after[name]) != 1:
            raise _unsayable(
                f"{name!r} leads to populations that get from others as well, but not all from "
                "the same ones"
            )
        else:
            (ends[name],) = after[name]
    return starts, ends


def _merge(network: Network, starts: Mapping[str, int], ends: Mapping[str, int]) -> _Chain:
    """All populations as one arrow from the input's point to the outputs'."""
    arrows: dict[tuple[int, int], list[_Chain]] = {}
    into: dict[int, set[int]] = {}
    out: dict[int, set[int]] = {}
    for population in network.layers:
        a, b = starts[population.name], ends[population.name]
        arrows.setdefault((a, b), []).append(_Chain(a, b, [population.name]))
        into.setdefault(b, set()).add(a)
        out.setdefault(a, set()).add(b)
    # Points in the order of the network, so that a long chain grows at its end.
    todo = deque(dict.fromkeys(starts.values()))
    while todo:
        point = todo.popleft()
        if point in {0, 1} or len(into.get(point, ())) != 1 or len(out.get(point, ())) != 1:
            continue
        (a,), (b,) = into.pop(point), out.pop(point)
        first, second = _one(arrows.pop((a, point))), _one(arrows.pop((point, b)))
        first.end = b
        first.parts += second.parts
        arrows.setdefault((a, b), []).append(first)
        out[a].discard(point)
        out[a].add(b)
        into[b].discard(point)
        into[b].add(a)
        todo += [a, b]
    if set(arrows) != {(0, 1)}:
        names = [p.name for p in network.layers if starts[p.name] not in {0, 1}][:5]
        raise _unsayable(
            "it is not made of populations in a row and side by side"
            + (f", around {', '.join(map(repr, names))}" if names else "")
        )
    return _one(arrows[0, 1])


def _one(chains: list[_Chain]) -> _Chain:
    """Arrows between the same points as one."""
    if len(chains) == 1:
        return chains[0]
    return _Chain(chains[0].start, chains[0].end, [_Bundle(chains)])


def _expression(network: Network, chain: _Chain) -> tuple[Expression, list[str]]:
    """The chain as a syntax tree, and its populations in the order of the text.

    Bundles are sorted by their outputs, or else by the network's order.
    """
    ranks = {p.name: len(network.outputs) + i for i, p in enumerate(network.populations)}
    ranks |= {name: index for index, name in enumerate(network.outputs)}
    lowest: dict[int, int] = {}
    built: dict[int, Expression] = {}
    orders: dict[int, list[str]] = {}
    todo: list[tuple[_Chain | _Bundle, bool]] = [(chain, False)]
    while todo:
        part, ready = todo.pop()
        if not ready:
            todo.append((part, True))
            todo += [(each, False) for each in part.parts if not isinstance(each, str)]
            continue
        key = id(part)
        if isinstance(part, _Bundle):
            parts = sorted(part.parts, key=lambda each: lowest[id(each)])
            expressions = [built.pop(id(each)) for each in parts]
            order = [name for each in parts for name in orders.pop(id(each))]
            lowest[key] = min(lowest[id(each)] for each in parts)
        else:
            expressions, order = list["Expression"](), list[str]()
            for each in part.parts:
                if isinstance(each, str):
                    expressions.append(_dense(network, each))
                    order.append(each)
                else:
                    expressions.append(built.pop(id(each)))
                    order += orders.pop(id(each))
            lowest[key] = min(
                ranks[each] if isinstance(each, str) else lowest[id(each)] for each in part.parts
            )
        whole = expressions[0]
        for each in expressions[1:]:
            is_bundle = isinstance(part, _Bundle)
            whole = Parallel(whole, each) if is_bundle else Sequence(whole, each)
        built[key], orders[key] = whole, order
    return built[id(chain)], orders[id(chain)]


def _dense(network: Network, name: str) -> Expression:
    inputs = sum(network[p.source].size for p in network.incoming[name])
    return dense(inputs, network[name].size)
