"""A check of every entry of a ring's arrays: all that must be there are, and no others.

The right weights, biases and delays are not enough. Relays must spike whenever they get a spike and
at no other time, clocks must spike in every step, and an extra synapse makes another network. This
module goes by what the units of a ring do (``ring`` has the equations), not by how ``ring`` fills
the arrays, so it does not repeat a mistake made there.

    relay   one entry pushes it, by p mV, and its own spike takes b p of the current away again.
            Where a spike resets u to 0, p > θ is all that is asked. Where it subtracts θ, what is
            left over adds up to (p − θ)/(1 − a), and that has to stay below θ
    clock   a relay that ``bias`` pushes, or the clock before it
    neuron  its weights, its bias, and what the clocks give it. Together, the latter two have to
            move u by E + a (v_rest − v_reset) in step 0, and by E in all others
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.nir.dialects.ring_graph import ROUNDING

if TYPE_CHECKING:
    from volr.backends.nir.dialects.ring import Ring
    from volr.checks.arrays import Floats, Integers
    from volr.network import Network

# How far above its threshold a push has to be, for single precision to see it there.
_SEEN = 2.0**-22


def wrong_entries(network: Network, ring: Ring, start: float) -> dict[str, tuple[str, ...]]:
    """What is wrong with a ring that is read from a file, by array, in words.

    ``start`` is v_rest − v_reset, mV. Nothing is wrong where the arrays are a ring and no more.
    """
    found = _Entries(network, ring, start)
    found.check()
    return {name: tuple(each) for name, each in found.wrong.items()}


class _Entries:
    """The arrays, the entries ``left`` that are not explained yet, and what is wrong."""

    def __init__(self, network: Network, ring: Ring, start: float) -> None:
        self.network, self.ring, self.start = network, ring, start
        self.b = ring.b or 0.0
        # The bias comes from one source that is always on.
        bias = ring.bias[:, None]
        self.arrays = {"into": ring.into, "bias": bias, "recurrent": ring.recurrent}
        self.left = {name: each.copy() for name, each in self.arrays.items()}
        self.wrong: dict[str, list[str]] = {"into": [], "bias": [], "recurrent": [], "select": []}

    def check(self) -> None:
        network, ring = self.network, self.ring
        chained = [
            unit
            for name, starts in ring.chains.items()
            for stage in range(len(starts))
            for unit in self._units(name, stage)
        ]
        if sorted([*ring.clocks, *chained]) != list(range(ring.units)):
            self.wrong["recurrent"].append("some of its units are in no population, or in two")
            return
        column = 0
        for name in network.inputs:
            here = self._units(name)
            self._relays("into", f"the relays of {name}", here, column + np.arange(len(here)))
            column += len(here)
        for name, starts in ring.chains.items():
            for stage in range(1, len(starts)):
                title = f"the relays of {name}, step {stage},"
                before = self._units(name, stage - 1)
                self._relays("recurrent", title, self._units(name, stage), before)
        clocks = np.array(ring.clocks, dtype=np.int64)
        if len(clocks):
            self._relays("bias", "the first clock", clocks[:1], np.zeros(1, dtype=np.int64))
        for before, clock in itertools.pairwise(clocks[:, None]):
            self._relays("recurrent", "the next clock", clock, before)
        left = self.left["recurrent"]
        for projection in network.projections:
            left[np.ix_(self._units(projection.target), self._units(projection.source, -1))] = 0.0
        for population in network.layers:
            rows = self._units(population.name)
            self._drive(population.name, rows)
            self.left["bias"][rows] = 0.0
            left[np.ix_(rows, clocks)] = 0.0
        for name in self.left:
            self._none(name)
        self._select()

    def _units(self, name: str, stage: int = 0) -> Integers:
        return self.ring.chains[name][stage] + np.arange(self.network[name].size)

    def _relays(self, array: str, title: str, here: Integers, source: Integers) -> None:
        """Check that relays spike when they are pushed, and do not spike again from the rest."""
        theta, push = self.ring.theta, self.arrays[array][here, source]
        self.left[array][here, source] = 0.0
        self.left["recurrent"][here, here] = 0.0
        if not (push > theta * (1.0 + _SEEN)).all():
            self.wrong[array].append(
                f"{title} get {push.min():g} mV and do not reach their threshold, {theta:g} mV"
            )
            return
        over = (push - theta) / (1.0 - self.ring.a)
        if self.ring.reset == "subtract" and not (over < theta * (1.0 - ROUNDING)).all():
            self.wrong[array].append(
                f"{title} get {push.max():g} mV, and spike again from what is left over"
            )
        own, wanted = self.ring.recurrent[here, here], -self.b * push
        if (one := _first(np.abs(own - wanted), ROUNDING * np.abs(push))) is not None:
            self.wrong["recurrent"].append(
                f"{title} give themselves {own[one]:g} mV at a spike, expected {wanted[one]:g} mV"
            )

    def _drive(self, name: str, rows: Integers) -> None:
        """Check what bias and clocks give a population, step by step, up to the last clock."""
        a = self.ring.a
        given = first = self.ring.bias[rows]
        heard = [self.ring.recurrent[rows, clock] for clock in self.ring.clocks]
        steps = [first]
        # The clocks set in one after another, and the step after the last one is like all others.
        for more in (*heard, np.zeros_like(first)):
            given = given + more
            steps.append(self.b * steps[-1] + given)
        each = steps[1]
        within = ROUNDING * (np.abs([first, *heard]).sum(axis=0) + abs(self.start))
        once = first - each
        if (one := _first(np.abs(once - a * self.start), within)) is not None:
            self.wrong["bias"].append(
                f"{name}[{one}] starts {once[one] / a:g} mV from where a spike resets it, "
                f"expected {self.start:g} mV"
            )
        for step, moved in enumerate(steps[2:], 2):
            if (one := _first(np.abs(moved - each), within)) is not None:
                self.wrong["recurrent"].append(
                    f"the clocks let bias move {name}[{one}] by {moved[one]:g} mV in step {step}, "
                    f"expected {each[one]:g} mV as in step 1"
                )
                return

    def _select(self) -> None:
        select = self.ring.select
        ones = (select != 0.0).sum(axis=1) == 1
        if not (ones.all() and (select[select != 0.0] == 1.0).all()):
            self.wrong["select"].append("a row of it is not a single 1, which shows one unit")

    def _none(self, array: str) -> None:
        """Check that entries that nothing explains are 0."""
        places = np.argwhere(self.left[array] != 0.0)
        if not len(places):
            return
        target, column = (int(each) for each in places[0])
        value = self.left[array][target, column]
        source = f"input {column}" if array == "into" else self._unit(column)
        way = f"{'' if array == 'bias' else f'from {source} '}to {self._unit(target)}"
        are = "an entry" if len(places) == 1 else f"{len(places):,} entries"
        self.wrong[array].append(f"{are} too many: {value:g} mV {way}, expected 0")

    def _unit(self, unit: int) -> str:
        for name, starts in self.ring.chains.items():
            for stage, start in enumerate(starts):
                if start <= unit < start + self.network[name].size:
                    relay = f", step {stage}" if stage else ""
                    return f"{name}[{unit - start}]{relay}"
        return f"clock {list(self.ring.clocks).index(unit)}"


def _first(off: Floats, within: Floats) -> int | None:
    """The first place with a deviation above the limit, or NaN."""
    wrong = ~(off <= within)
    return int(wrong.argmax()) if wrong.any() else None
