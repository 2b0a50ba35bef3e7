"""A network as arrays for the kernel, one after the other: see ``volr.engine.cpu.arrivals.Arrays``.

A part of an input that a projection reads by itself becomes a population of its own, a *view*. So
no population wakes up for spikes of the clock that are meant for another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.arrivals import Arrays
from volr.engine.cpu.connectors.means import Means
from volr.engine.cpu.runs import EIGHT
from volr.engine.cpu.single_spikes.tables import places_of, room_of
from volr.network.connectors import Slice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats, Integers
    from volr.engine.cpu.single_spikes.tables import Table
    from volr.engine.schedule import Schedule, Term


@dataclass(frozen=True, eq=False)
class Sums:
    """What can arrive at a population.

    Its ``threshold`` is inf where it does not spike. The clock aside, ``of_all`` ``[unit]`` is what
    all sources together send; a current becomes ``rising`` at the most, and is at most ``size`` in
    size. That of the clock is at most ``ticking`` in size, and the whole current ``total``.
    """

    threshold: float
    of_all: Floats
    rising: float
    size: float
    ticking: float
    total: float

    @property
    def largest(self) -> float:
        """Of all these numbers."""
        return max(self.total, self.threshold if math.isfinite(self.threshold) else 0.0)


def views_of(schedule: Schedule) -> Integers:
    """The numbers among all inputs of the neurons of all views, in order."""
    parts = [np.arange(first, first + count) for first, count in _views(schedule).values()]
    return np.concatenate([np.empty(0, np.int64), *parts])


def arrays_of(
    schedule: Schedule, tables: Mapping[str, Table], sums: Sequence[Sums], dtype: np.dtype[Any]
) -> Arrays:
    """The arrays of a network: the inputs, then the views, then all others.

    ``tables`` are by the name of the weights, ``sums`` those of all layers.
    """
    views, made = _views(schedule), _Lists(dtype)
    for name, size in schedule.inputs:
        made.add_source(name, size)
    # In a row of neurons, the views come last.
    before, made.neurons = made.neurons, sum(schedule.sizes.values())
    for name, (_, count) in views.items():
        made.add_source(_view(name), count)
    made.neurons = before
    for layer, arriving in zip(schedule.layers, sums, strict=True):
        for term in layer.terms:
            made.add_term(term, tables[term.weight], term.weight in views, schedule.clock_name)
        shape = layer.terms[0].ends[1]
        made.add_layer(layer.name, shape, len(layer.terms), arriving)
    made.parts["places"] += [np.arange(count) for _, count in views.values()]
    return made.joined()


def matrix_of(arrays: Arrays, number: int, term: Term) -> Floats:
    """The synapses of a term, which has this number, ``[post, pre]`` as the kernel has them."""
    source, _ = term.ends
    of = next(row for row in arrays.populations.tolist() if row[3] <= number < row[4])
    size, first, room = of[:3]
    _, _, start, senders, plain, weight_row, target_row, single, _ = arrays.terms[number].tolist()
    reads = math.prod(source)
    offset = 0
    if isinstance(term.connector, Slice) and plain:
        offset, reads = term.connector.first, term.connector.count
    found = np.zeros((math.prod(source), room))
    for neuron in range(reads):
        read = [neuron]
        if not plain:
            begin, end = arrays.start[start + neuron : start + neuron + 2].tolist()
            read = arrays.windows[begin:end].tolist()
        for sender in (senders + each for each in read):
            to, at = int(arrays.target_at[sender]), int(arrays.weight_at[sender])
            width = 1 if single else EIGHT * int(arrays.vectors[sender])
            for _ in range(int(arrays.rows[sender])):
                found[offset + neuron, to : to + width] += arrays.weights[at : at + width]
                to, at = to + target_row, at + weight_row
    return found[:, arrays.places[first : first + size]].T


def _views(schedule: Schedule) -> dict[str, tuple[int, int]]:
    """By the name of the weights: the first neuron, among all inputs, and how many there are."""
    inputs = dict(schedule.inputs)
    found: dict[str, tuple[int, int]] = {}
    for term in (term for layer in schedule.layers for term in layer.terms):
        if isinstance(term.connector, Slice) and term.source in inputs:
            first = schedule.input_units(term.source).start + term.connector.first
            found[term.weight] = first, term.connector.count
    return found


def _view(weight: str) -> str:
    # No population is called like this.
    return f"{weight} view"


class _Lists:
    """The arrays while they are made, and how long they are so far."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.numbers: dict[str, int] = {}
        self.populations: list[tuple[int, ...]] = []
        self.bounds: list[tuple[float, ...]] = []
        self.terms: list[tuple[int, ...]] = []
        names = set(Arrays._fields) - {"populations", "bounds", "terms"}
        self.parts: dict[str, list[NDArray[Any]]] = {name: [] for name in sorted(names)}
        self.neurons = self.finals = 0

    def add_source(self, name: str, size: int) -> None:
        self.numbers[name] = len(self.populations)
        self.populations.append((size, self.neurons, 0, 0, 0, -1, 0))
        self.bounds.append((math.inf, 0.0, 0.0, 0.0))
        if " " not in name:
            self.parts["places"].append(np.arange(size))
        self.neurons += size

    def add_term(self, term: Term, table: Table, is_view: bool, clock: str | None) -> None:
        read = Means((len(table.rows),)) if is_view else table.reading
        reading = read.of(self.dtype)
        source = _view(term.weight) if is_view else term.source
        self.terms.append(
            (
                *(self.numbers[source], term.delay),
                *(self._length("start"), self._length("rows"), int(reading.plain)),
                *(table.weight_row, table.target_row, int(table.single)),
                int(term.source == clock),
            )
        )
        if not reading.plain:
            self.parts["start"].append(reading.start.astype(np.int64) + self._length("windows"))
            self.parts["windows"].append(reading.windows)
        self.parts["weight_at"].append(table.weight_at + self._length("weights"))
        for name in ("target_at", "rows", "vectors", "weights"):
            self.parts[name].append(getattr(table, name))

    def add_layer(self, name: str, shape: tuple[int, ...], terms: int, sums: Sums) -> None:
        """``terms`` of those added last lead to it."""
        size, room, spiking = math.prod(shape), room_of(shape), math.isfinite(sums.threshold)
        self.numbers[name] = len(self.populations)
        self.populations.append(
            (
                *(size, self.neurons, room, len(self.terms) - terms, len(self.terms)),
                *(-1 if spiking else self.finals, self._length("sums")),
            )
        )
        self.bounds.append((sums.threshold, sums.rising, sums.size, sums.ticking))
        places, of_all = places_of(shape), np.zeros(room)
        of_all[places] = sums.of_all
        self.parts["places"].append(places)
        self.parts["sums"].append(of_all)
        self.neurons += size
        self.finals += 0 if spiking else size

    def joined(self) -> Arrays:
        whole = {name: np.concatenate([np.empty(0), *each]) for name, each in self.parts.items()}
        numbers = {name: whole.pop(name).astype(self.dtype) for name in ("weights", "sums")}
        return Arrays(
            populations=np.array(self.populations, np.int64),
            bounds=np.array(self.bounds, self.dtype),
            terms=np.array(self.terms, np.int64),
            **numbers,
            **{name: each.astype(np.uint32) for name, each in whole.items()},
        )

    def _length(self, name: str) -> int:
        return sum(map(len, self.parts[name]))
