"""Which networks can be run spike by spike.

These can, as those that compute with first spikes do:

- an input neuron spikes once at the most, and another's ``tau_refrac`` does not end;
- currents stay and membranes do not leak, so that a step is V ← V + I;
- all weights, as what they add to a membrane in a step, are whole multiples of a unit.

Then every sum is a whole number. It is exact, in any order, as long as it is below 2^24 in single
precision, and 2^53 in double. A current is the sum of some of a neuron's weights, each of them
once, and the clock's come in a known order: so its bounds are known beforehand. Membranes are
watched while the network runs. The first one that is not exact is beyond the limit too, since those
before it were exact. ``simulation`` then goes on to the next program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.engine.cpu.single_spikes.arrays import Sums, arrays_of, matrix_of, views_of
from volr.engine.cpu.single_spikes.tables import table_of
from volr.models.first_spike import FirstSpike

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from volr.checks.arrays import Floats, Integers
    from volr.engine.cpu.arrivals import Arrays
    from volr.engine.cpu.single_spikes.tables import Table
    from volr.engine.schedule import Layer, Schedule, Term
    from volr.models.coding import InputCoding

EXACT = {np.dtype(np.float32): 2.0**24 - 1.0, np.dtype(np.float64): 2.0**53 - 1.0}
"""Whole numbers up to here are exact, and a sum beyond is seen to be beyond, rounded or not."""


@dataclass(frozen=True, eq=False)
class Program:
    """A network for the kernel; 1 of its numbers is ``unit`` mV, or mV in a step.

    After all other neurons there are those that are, once more, the inputs ``views``: see
    ``volr.engine.cpu.single_spikes.arrays``. Of each of its ``terms``, a weight of 1 nA is the
    number ``factors``.
    """

    arrays: Arrays
    unit: float
    views: Integers
    terms: tuple[Term, ...]
    factors: tuple[float, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.arrays.weights.dtype

    @property
    def limit(self) -> float:
        return EXACT[self.dtype]

    def weights(self, term: Term) -> Floats:
        """The synapses of a projection, ``[post, pre]`` in nA, out of the kernel's arrays."""
        number = self.terms.index(term)
        return matrix_of(self.arrays, number, term) / self.factors[number]

    def delay(self, term: Term) -> int:
        """The delay of a projection in steps, out of the kernel's arrays."""
        return int(self.arrays.terms[self.terms.index(term), 1])


def programs_of(
    schedule: Schedule,
    parameters: Mapping[str, Floats],
    lifts: Mapping[str, NDArray[Any]],
    coding: InputCoding,
) -> tuple[Program, ...]:
    """The programs of a network, the fastest first; none for one that cannot be run like this.

    ``lifts`` are what constant currents add to membranes.
    """
    if not isinstance(coding, FirstSpike) or any(each.any() for each in lifts.values()):
        return ()
    tables: dict[str, Table] = {}
    sums: list[Sums] = []
    factors: list[float] = []
    for layer in schedule.layers:
        neuron = layer.neuron
        added = neuron.added(schedule.dt)
        if added is None or not _spikes_once(schedule, layer):
            return ()
        factor = added / coding.unit
        weights = {term.weight: factor * parameters[term.weight] for term in layer.terms}
        for term in layer.terms:
            table = table_of(term.connector, weights[term.weight], *term.ends)
            if table is None or (table.weights != np.rint(table.weights)).any():
                return ()
            tables[term.weight] = table
            factors.append(factor)
        above = math.ceil((neuron.fires_at() - neuron.v_rest) / coding.unit)
        sums.append(_sums(schedule, layer, weights, above if layer.spiking else math.inf))
    largest = max(each.largest for each in sums)
    terms = tuple(term for layer in schedule.layers for term in layer.terms)
    return tuple(
        Program(
            arrays_of(schedule, tables, sums, dtype),
            coding.unit,
            views_of(schedule),
            terms,
            tuple(factors),
        )
        for dtype, limit in EXACT.items()
        if largest < limit
    )


def _spikes_once(schedule: Schedule, layer: Layer) -> bool:
    """Whether a population's neurons spike once at the most, and not before something arrives."""
    neuron = layer.neuron
    if not layer.spiking:
        return layer.last
    rests = neuron.reset == "hard" and neuron.refractory_steps(schedule.dt) >= schedule.steps - 1
    return rests and neuron.fires_at() > neuron.v_rest


def _sums(
    schedule: Schedule, layer: Layer, weights: Mapping[str, Floats], threshold: float
) -> Sums:
    # The least and the largest currents: those of the clock, and all others.
    ticking, other = np.zeros((2, layer.size)), np.zeros((2, layer.size))
    for term in layer.terms:
        if term.source == schedule.clock_name:
            ticking += _in_order(term, weights[term.weight], schedule.clock)
        else:
            other += _extremes(term, weights[term.weight], np.ones((1, math.prod(term.ends[0]))))
    return Sums(
        threshold=threshold,
        of_all=other.sum(axis=0),
        rising=float(other[1].max()),
        size=float(np.ptp(other, axis=0).max()),
        ticking=float(np.abs(ticking).max()),
        total=float(np.abs(ticking + other).max()),
    )


def _extremes(term: Term, weights: Floats, sent: Floats) -> Floats:
    """The sums of the negative weights, and of the positive ones, of what is ``sent``."""
    parts = np.minimum(weights, 0.0), np.maximum(weights, 0.0)
    return np.stack([term.connector.apply(part, sent, *term.ends)[0] for part in parts])


def _in_order(term: Term, weights: Floats, steps: tuple[int, ...]) -> Floats:
    """The least and the largest of what has arrived of spikes in these ``steps``, ``[2, post]``.

    Of those in one step, any may be the first.
    """
    at = np.array(steps)
    found, before = np.zeros((2, math.prod(term.ends[1]))), np.zeros(math.prod(term.ends[1]))
    for step in np.unique(at[at >= 0]):
        least, most = _extremes(term, weights, (at == step).astype(np.float64)[None])
        found[0] = np.minimum(found[0], before + least)
        found[1] = np.maximum(found[1], before + most)
        before += least + most
    return found
