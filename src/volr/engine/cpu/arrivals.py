"""What arrives at a population, and when: lists of neurons by the step in which they spike.

Neurons stand in ``index``, population after population. Those of population p that spike in step t
are number ``begin[p · (steps + 2) + t]`` and those that follow, up to the next number of
``begin``. ``spans`` ``[population, 3]`` are the first step with a spike, the last one, and how many
spikes there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from volr.engine.cpu.compiler import njit
from volr.engine.cpu.runs import add_scaled_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INDEX = np.uintp
NEVER = -1
"""The time of a neuron that does not spike."""
HANDS = 4
"""How many counts ``sort`` keeps of each step."""


class Arrays(NamedTuple):
    """A network as the kernel takes it. All numbers are whole ones, of the type of ``weights``.

    ``populations`` int64 ``[population, 7]``: its neurons, the first of them among all, its places,
    its first term, the number after its last, where its neurons' membranes go in the end, or −1
    where they spike, and where it begins in ``sums``: there is, by place, all that its sources can
    send together, the clock aside. ``bounds`` ``[population, 4]``: its threshold; the clock aside,
    how large a current can become, and how large its size; and how large a current of the clock.
    ``terms`` int64 ``[term, 9]``: the number of its source, its
    delay in steps, where it begins in ``start`` and in the tables of senders, whether neurons send
    for themselves, the way from one row of weights, and of places, to the next, whether the table
    is single, and whether the source is the clock. The others are those of all terms one after
    another: see ``volr.engine.cpu.single_spikes.tables``. Neuron i of a term is read by the
    ``windows[start[i] : start[i + 1]]``. ``places`` are those of all neurons.
    """

    populations: NDArray[np.int64]
    bounds: NDArray[Any]
    terms: NDArray[np.int64]
    start: NDArray[np.uint32]
    windows: NDArray[np.uint32]
    weight_at: NDArray[np.uint32]
    target_at: NDArray[np.uint32]
    rows: NDArray[np.uint32]
    vectors: NDArray[np.uint32]
    weights: NDArray[Any]
    sums: NDArray[Any]
    places: NDArray[np.uint32]


@njit(nogil=True, inline="always", error_model="numpy")
def deliver(
    network: Arrays,
    k: int,
    sent: int,
    steps: int,
    index: NDArray[np.uint32],
    begin: NDArray[np.uint32],
    to: NDArray[Any],
    often: int,
) -> None:
    """Add what the spikes of one step send through one term to ``to``, ``often`` times."""
    source, start, senders, plain = (
        network.terms[k, 0], network.terms[k, 2], network.terms[k, 3], network.terms[k, 4],
    )  # fmt: skip
    weight_row, target_row = _INDEX(network.terms[k, 5]), _INDEX(network.terms[k, 6])
    single, factor = network.terms[k, 7], network.weights.dtype.type(often)
    here = _INDEX(source * (steps + 2) + sent)
    for n in range(begin[here], begin[here + _INDEX(1)]):
        neuron = _INDEX(index[_INDEX(n)])
        w = neuron
        stop = neuron + _INDEX(1)
        if not plain:
            w = _INDEX(network.start[_INDEX(start) + neuron])
            stop = _INDEX(network.start[_INDEX(start) + neuron + _INDEX(1)])
        while w < stop:
            sender = _INDEX(senders) + (w if plain else _INDEX(network.windows[w]))
            there, from_ = _INDEX(network.target_at[sender]), _INDEX(network.weight_at[sender])
            if single:
                to[there] += factor * network.weights[from_]
            else:
                add_scaled_runs(
                    to,
                    there,
                    target_row,
                    network.weights,
                    from_,
                    weight_row,
                    _INDEX(network.rows[sender]),
                    _INDEX(network.vectors[sender]),
                    factor,
                )
            w += _INDEX(1)


@njit(nogil=True, inline="always", error_model="numpy")
def next_arrival(
    network: Arrays,
    first_term: int,
    last_term: int,
    t: int,
    steps: int,
    begin: NDArray[np.uint32],
    spans: NDArray[np.int64],
) -> int:
    """The first step from ``t`` on in which something arrives; ``steps`` where nothing does."""
    found = steps
    for k in range(first_term, last_term):
        source, delay = network.terms[k, 0], network.terms[k, 1]
        sent = max(t - delay, 0)
        row = source * (steps + 2)
        while sent <= spans[source, 1] and (
            begin[_INDEX(row + sent)] == begin[_INDEX(row + sent + 1)]
        ):
            sent += 1
        if sent <= spans[source, 1]:
            found = min(found, sent + delay)
    return found


@njit(nogil=True, inline="always", error_model="numpy")
def complete_at(network: Arrays, first_term: int, last_term: int, spans: NDArray[np.int64]) -> int:
    """The step in which the last spike arrives, the clock's aside, if each neuron sends one."""
    found = NEVER
    for k in range(first_term, last_term):
        source = network.terms[k, 0]
        if not network.terms[k, 8]:
            if spans[source, 2] < network.populations[source, 0]:
                return NEVER
            found = max(found, spans[source, 1] + network.terms[k, 1])
    return found


@njit(nogil=True, inline="always", error_model="numpy")
def sort(
    times: NDArray[np.int32],
    first: int,
    size: int,
    index: NDArray[np.uint32],
    begin: NDArray[np.uint32],
    cursors: NDArray[np.uint32],
    p: int,
    steps: int,
    spans: NDArray[np.int64],
) -> None:
    """List the neurons of a population by their steps, and write its span.

    Each ``HANDS``-th neuron has counts of its own, since a number that has just been written
    cannot be read at once. Those without a spike are counted in a step of their own, the last.
    """
    for c in range(_INDEX(HANDS * (steps + 1))):
        cursors[c] = 0
    for u in range(_INDEX(size)):
        t = times[_INDEX(first) + u]
        t = t if t >= 0 else steps
        cursors[_INDEX(t * HANDS) + u % _INDEX(HANDS)] += np.uint32(1)
    row = _INDEX(p * (steps + 2))
    spans[p, 0], spans[p, 1] = NEVER, NEVER
    total = first
    for t in range(steps + 1):
        before = total
        begin[row + _INDEX(t)] = total
        for hand in range(HANDS):
            c = _INDEX(t * HANDS + hand)
            many = cursors[c]
            cursors[c] = total
            total += many
        if total > before and t < steps:
            spans[p, 0] = t if spans[p, 0] == NEVER else spans[p, 0]
            spans[p, 1] = t
    spans[p, 2] = begin[row + _INDEX(steps)] - first
    for u in range(_INDEX(size)):
        t = times[_INDEX(first) + u]
        t = t if t >= 0 else steps
        c = _INDEX(t * HANDS) + u % _INDEX(HANDS)
        index[_INDEX(cursors[c])] = u
        cursors[c] += np.uint32(1)
