"""The meaning of a program, straight from the equations of the language, by plain recursion.

    ⟦dense n m⟧ x  =  σ(W x + b)
    ⟦e ⦶ e'⟧ x     =  ⟦e'⟧ (⟦e⟧ x)
    ⟦e ⊖ e'⟧ x     =  ⟦e⟧ x ++ ⟦e'⟧ x

The weights of the k-th layer to be evaluated are drawn from a generator seeded with k.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from volr.language.syntax import (
    Argument,
    Call,
    Expression,
    Integer,
    Let,
    Name,
    Parallel,
    Sequence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.network import Network

Floats: TypeAlias = NDArray[np.float64]


def layer(k: int, x: Floats, size: int) -> Floats:
    rng = np.random.default_rng(k)
    weights, bias = rng.normal(size=(size, x.size)), rng.normal(size=size)
    return np.tanh(weights @ x + bias)


def meaning(expression: Expression, x: Floats) -> Floats:
    """What a closed program computes from x: ``[inputs]`` to ``[outputs]``."""
    return _apply(_substituted(expression, {}), x, count(1))


def _substituted(node: Expression, names: Mapping[str, Expression]) -> Expression:
    match node:
        case Let(name, value, body):
            return _substituted(body, {**names, name: _substituted(value, names)})
        case Parallel(left, right):
            return Parallel(_substituted(left, names), _substituted(right, names))
        case Sequence(left, right):
            return Sequence(_substituted(left, names), _substituted(right, names))
        case Call(function, arguments):
            found = [_substituted(each.value, names) for each in arguments]
            return Call(_substituted(function, names), tuple(map(Argument, found)))
        case Name(text):
            return names.get(text, node)
        case Integer():
            return node
        case _:
            raise TypeError(f"{node} is not of the part of the language that this knows")


def _apply(node: Expression, x: Floats, layers: Iterator[int]) -> Floats:
    match node:
        case Call(Name("dense"), (Argument(Integer(inputs)), Argument(Integer(outputs)))):
            if x.shape != (int(inputs),):
                raise ValueError(f"{node} on {x.shape}")
            return layer(next(layers), x, int(outputs))
        case Sequence(left, right):
            return _apply(right, _apply(left, x, layers), layers)
        case Parallel(left, right):
            first = _apply(left, x, layers)
            return np.concatenate([first, _apply(right, x, layers)])
        case _:
            raise TypeError(f"{node} is no network")


def graph_meaning(network: Network, x: Floats) -> Floats:
    """The same of a graph: the k-th population reads its sources side by side."""
    values: dict[str, Floats] = {network.inputs[0]: x}
    for k, population in enumerate(network.layers, 1):
        sources = [values[projection.source] for projection in network.incoming[population.name]]
        values[population.name] = layer(k, np.concatenate(sources), population.size)
    return np.concatenate([values[name] for name in network.outputs])
