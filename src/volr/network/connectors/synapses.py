"""``Synapses``: the entries of a connector in one list, each pair of neurons once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.checks.arrays import Floats, Integers
    from volr.network.connectors.base import Entries


@dataclass(frozen=True, slots=True, eq=False)
class Synapses:
    """Synapse k goes from neuron ``pre[k]`` to ``post[k]`` and has the weight ``weight[k]``.

    They stand by neuron of the source, then by neuron of the target: what one spike sets off lies
    side by side. No two of them have both ends in common.
    """

    post: Integers
    pre: Integers
    weight: Floats


def summed(entries: Iterable[Entries], weights: Floats, size: int) -> Synapses:
    """The synapses that a connector's ``entries`` make up. ``size`` is that of the target.

    Entries between the same two neurons add up in the order in which they come.
    """
    places: list[Integers] = [np.empty(0, np.int64)]
    parts: list[Floats] = [np.empty(0)]
    for each in entries:
        places.append(each.pre * size + each.post)
        parts.append(each.factor * weights.flat[each.index])
    place, part = np.concatenate(places), np.concatenate(parts)
    # A stable order, since floating-point numbers have another sum in another order.
    order = np.argsort(place, kind="stable")
    place = place[order]
    first = np.ones(len(place), dtype=np.bool_)
    first[1:] = place[1:] != place[:-1]
    weight = np.zeros(int(first.sum()))
    np.add.at(weight, np.cumsum(first) - 1, part[order])
    pre, post = np.divmod(place[first], size)
    return Synapses(post, pre, weight)
