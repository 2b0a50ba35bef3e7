"""A whole network, stimulus by stimulus: from the times of spikes to times of spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.advance import advance
from volr.engine.cpu.arrivals import (
    HANDS,
    NEVER,
    complete_at,
    deliver,
    next_arrival,
    sort,
)
from volr.engine.cpu.compiler import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.engine.cpu.arrivals import Arrays

_INDEX = np.uintp


@njit(nogil=True, cache=True, error_model="numpy")
def run_once(
    network: Arrays,
    times: NDArray[np.int32],
    finals: NDArray[Any],
    stimuli: int,
    steps: int,
    limit: float,
) -> bool:
    """Fill in ``times`` ``[stimulus, neuron]``, in which those of the inputs are given.

    ``finals`` ``[stimulus, output]`` become the membranes V − v_rest after the last step. Returns
    False, at once, when a membrane is beyond ± ``limit``, where sums are not exact.
    """
    populations = network.populations
    neurons, count = len(network.places), len(populations)
    most = 0
    for p in range(count):
        most = max(most, populations[p, 2])
    v, i = np.empty(most, network.weights.dtype), np.empty(most, network.weights.dtype)
    at = np.empty(most, np.int32)
    # See ``arrivals``.
    index, begin = np.empty(neurons, np.uint32), np.empty(count * (steps + 2), np.uint32)
    cursors = np.empty(HANDS * (steps + 1), np.uint32)
    spans = np.empty((count, 3), np.int64)
    for b in range(stimuli):
        for p in range(count):
            size, first, room = populations[p, 0], populations[p, 1], _INDEX(populations[p, 2])
            if populations[p, 3] < populations[p, 4]:
                v[:room] = 0
                i[:room] = 0
                at[:room] = NEVER
                if not _run(network, p, steps, index, begin, spans, v, i, at, limit):
                    return False
                final = populations[p, 5]
                for u in range(_INDEX(size)):
                    place = _INDEX(network.places[_INDEX(first) + u])
                    times[_INDEX(b), _INDEX(first) + u] = at[place]
                    if final >= 0:
                        finals[_INDEX(b), _INDEX(final) + u] = v[place]
            sort(times[b], first, size, index, begin, cursors, p, steps, spans)
    return True


@njit(nogil=True, inline="always", error_model="numpy")
def _run(
    network: Arrays,
    p: int,
    steps: int,
    index: NDArray[np.uint32],
    begin: NDArray[np.uint32],
    spans: NDArray[np.int64],
    v: NDArray[Any],
    i: NDArray[Any],
    at: NDArray[np.int32],
    limit: float,
) -> bool:
    """One population, from one step in which something arrives to the next; whether it is exact."""
    size, first, room = (
        network.populations[p, 0], network.populations[p, 1], _INDEX(network.populations[p, 2]),
    )  # fmt: skip
    first_term, last_term = network.populations[p, 3], network.populations[p, 4]
    spiking, threshold = network.populations[p, 5] < 0, network.bounds[p, 0]
    start = next_arrival(network, first_term, last_term, 0, steps, begin, spans)
    complete = complete_at(network, first_term, last_term, spans)
    t = _quiet(network, p, start, steps, spans, limit)
    if t > start:
        # A spike that arrives in step s has added its weight t − s times.
        for k in range(first_term, last_term):
            source, delay = network.terms[k, 0], network.terms[k, 1]
            for sent in range(max(spans[source, 0], 0), min(t - delay, spans[source, 1] + 1)):
                deliver(network, k, sent, steps, index, begin, v, t - delay - sent)
        if advance(v, i, at, room, np.int32(t), np.int32(1), threshold, limit):
            return False
    since = start
    while t < steps:
        if since <= complete <= t:
            # All that sources can send is there: their last spikes need not be added one by one.
            sums = _INDEX(network.populations[p, 6])
            for j in range(room):
                i[j] = network.sums[sums + j]
        for k in range(first_term, last_term):
            source, delay = network.terms[k, 0], network.terms[k, 1]
            from_ = since
            if since <= complete <= t:
                from_ = 0 if network.terms[k, 8] else complete + 1
            from_ = max(from_ - delay, spans[source, 0], 0)
            for sent in range(from_, min(t - delay, spans[source, 1]) + 1):
                deliver(network, k, sent, steps, index, begin, i, 1)
        since = t + 1
        following = next_arrival(network, first_term, last_term, since, steps, begin, spans)
        until = min(following, steps - 1)
        if following == steps and spiking:
            # Mostly this is the end, since all of them spike.
            until = min(since, steps - 1)
        moves = np.int32(until - t)
        if advance(v, i, at, room, np.int32(since), moves, threshold, limit):
            return False
        if following == steps:
            left = np.int32(steps - 1 - until)
            if left == 0 or _all(at, network.places, first, size):
                return True
            return not advance(v, i, at, room, np.int32(until + 1), left, threshold, limit)
        t = until
    return True


@njit(nogil=True, inline="always", error_model="numpy")
def _quiet(
    network: Arrays,
    p: int,
    start: int,
    steps: int,
    spans: NDArray[np.int64],
    limit: float,
) -> int:
    """The last step before which no neuron can spike, or ``start``, when the first spike arrives.

    Until the clock's first spike moves a membrane, it rises by no more than the largest current in
    each step.
    """
    if start >= steps:
        return start
    ticks = steps
    for k in range(network.populations[p, 3], network.populations[p, 4]):
        source = network.terms[k, 0]
        if network.terms[k, 8] and spans[source, 2] > 0:
            ticks = min(ticks, spans[source, 0] + network.terms[k, 1])
    threshold, rising, size, ticking = (
        network.bounds[p, 0], network.bounds[p, 1], network.bounds[p, 2], network.bounds[p, 3],
    )  # fmt: skip
    last = min(ticks, steps - 2) - start
    one = network.bounds.dtype.type(1)
    if threshold < limit:
        last = min(last, int((threshold - one) / max(rising, one)))
    last = min(last, int((limit - ticking) / max(size, one)) - 1)
    return start + last + 1 if last >= 1 else start


@njit(nogil=True, inline="always", error_model="numpy")
def _all(at: NDArray[np.int32], places: NDArray[np.uint32], first: int, size: int) -> bool:
    """Whether all neurons of a population have spiked."""
    missing = False
    for u in range(_INDEX(first), _INDEX(first + size)):
        missing |= at[_INDEX(places[u])] == NEVER
    return not missing
