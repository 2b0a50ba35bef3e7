"""From a term to a ``Network``: nesting disappears, populations and projections remain.

A boundary is a list of populations. A term reads one boundary and fills the next. ``⦶`` puts a new
one between, and ``⊖`` gives both sides the same two. So neither adds a node or a weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language.terms import Dense, Parallel, Sequence, Term
from volr.network.graph import Network, Population, Projection

if TYPE_CHECKING:
    from volr.source import Source

INPUT = "input"


def lower(term: Term, *, source: Source | None = None) -> Network:
    """The network that a term stands for.

    The input population is called ``input``, those of the layers ``dense_1``, ``dense_2``, … in
    the order of the text. Each has the span of its ``dense``, and the network has the ``source`` of
    the spans. The projections into a population are in the order of the boundary before it, so
    their weights, side by side, are the layer's matrix. Time and memory are proportional to the
    result; ``check`` refuses programs that are too large.
    """
    populations = [Population(INPUT, (term.type.inputs,), term.span)]
    projections: list[Projection] = []
    outputs: list[str] = []
    todo: list[tuple[Term, list[str], list[str]]] = [(term, [INPUT], outputs)]
    while todo:
        part, before, after = todo.pop()
        match part:
            case Dense():
                name = f"dense_{len(populations)}"
                populations.append(Population(name, (part.type.outputs,), part.span))
                projections += [Projection(each, name, span=part.span) for each in before]
                after.append(name)
            case Sequence():
                between: list[str] = []
                todo.append((part.second, between, after))
                todo.append((part.first, before, between))
            case Parallel():
                todo.append((part.right, before, after))
                todo.append((part.left, before, after))
    return Network(tuple(populations), tuple(projections), (INPUT,), tuple(outputs), source=source)
