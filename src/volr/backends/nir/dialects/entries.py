"""Every entry of a ring's arrays is accounted for: what has to be there is, and nothing else is.

Weights, biases and delays alone do not make a ring the network. Relays have to spike whenever they
are told to and at no other time, clocks in every step, and a synapse too many is another network.
This module goes by what the units of a ring do (``ring`` has the equations), not by how ``ring``
fills the arrays, so that a mistake there does not cancel here.

    relay   one entry pushes it, by p mV, and its own spike takes b p of the current away again.
            Where a spike resets u to 0, p > θ is all that is asked. Where it subtracts θ, what is
            left over adds up to (p − θ)/(1 − a), and that has to stay below θ
    clock   a relay that ``bias`` pushes, or the clock before it
    neuron  its weights, its bias, and what the clocks give it. Together, the latter two have to
            move u by E + a (v_rest − v_reset) in step 0, and by E in all others
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.checks.arrays import Floats
    from volr.network import Network

# Numbers in single precision that were added and multiplied a few times.
_ROUNDING = 1e-6
# How far above its threshold a push has to be, for single precision to see it there.
_SEEN = 2.0**-22


@dataclass
class Entries:
    """The arrays of a ring that a file holds, and what was found wrong in them so far.

    Arrays are those of ``Ring``, mV. ``start`` is v_rest − v_reset, mV; ``b`` is 0 where currents
    do not decay. ``wrong`` says by array, in words, what is not as it has to be.
    """

    network: Network
    chains: Mapping[str, Sequence[int]]
    clocks: Sequence[int]
    into: Floats
    bias: Floats
    recurrent: Floats
    select: Floats
    a: float
    b: float
    theta: float
    start: float
    reset: str
    wrong: dict[str, list[str]] = field(
        default_factory=lambda: {"into": [], "bias": [], "recurrent": [], "select": []}
    )

    def check(self) -> dict[str, tuple[str, ...]]:
        """What is wrong, by array; nothing where the arrays are a ring and no more than that."""
        units = len(self.bias)
        if sorted(self._all_units()) != list(range(units)):
            self.wrong["recurrent"].append("some of its units are in no population, or in two")
            return self._found()
        over_into, over_bias = self.into.copy(), self.bias.copy()
        over = self.recurrent.copy()
        self._relays(over_into, over)
        self._clocks(over_bias, over)
        for projection in self.network.projections:
            over[self._units(projection.target), self._units(projection.source, -1)] = 0.0
        for population in self.network.layers:
            rows = self._units(population.name)
            self._drive(population.name, rows)
            over_bias[rows] = 0.0
            over[rows, list(self.clocks)] = 0.0
        self._none("into", over_into, "input {}")
        self._none("bias", over_bias[:, None], "")
        self._none("recurrent", over, "")
        self._select()
        return self._found()

    def _found(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(each) for name, each in self.wrong.items()}

    def _all_units(self) -> list[int]:
        found = list(self.clocks)
        for name, starts in self.chains.items():
            for start in starts:
                found += range(start, start + self.network[name].size)
        return found

    def _units(self, name: str, stage: int = 0) -> slice:
        start = self.chains[name][stage]
        return slice(start, start + self.network[name].size)

    def _relays(self, over_into: Floats, over: Floats) -> None:
        """Those of the inputs, and those that take up delays; what is theirs goes from the rest."""
        column = 0
        for name in self.network.inputs:
            size = self.network[name].size
            here, columns = self._diagonal(name, 0), column + np.arange(size)
            self._pushed("into", f"the relays of {name}", self.into[here, columns], here)
            over_into[here, columns] = 0.0
            over[here, here] = 0.0
            column += size
        for name, starts in self.chains.items():
            for stage in range(1, len(starts)):
                here, before = self._diagonal(name, stage), self._diagonal(name, stage - 1)
                title = f"the relays of {name}, step {stage},"
                self._pushed("recurrent", title, self.recurrent[here, before], here)
                over[here, before] = 0.0
                over[here, here] = 0.0

    def _diagonal(self, name: str, stage: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return self.chains[name][stage] + np.arange(self.network[name].size)

    def _clocks(self, over_bias: Floats, over: Floats) -> None:
        for clock in self.clocks[:1]:
            here = np.array([clock])
            self._pushed("bias", "the first clock", self.bias[here], here)
            over_bias[here] = 0.0
            over[here, here] = 0.0
        for before, clock in itertools.pairwise(self.clocks):
            here = np.array([clock])
            self._pushed("recurrent", "the next clock", self.recurrent[here, before], here)
            over[here, before] = 0.0
            over[here, here] = 0.0

    def _pushed(
        self,
        array: str,
        title: str,
        push: Floats,
        here: np.ndarray[tuple[int], np.dtype[np.int64]],
    ) -> None:
        """Relays spike when they are pushed, and what is left then does not make them spike."""
        theta = self.theta
        if not (push > theta * (1.0 + _SEEN)).all():
            self.wrong[array].append(
                f"{title} get {push.min():g} mV and do not reach their threshold, {theta:g} mV"
            )
            return
        left = (push - theta) / (1.0 - self.a)
        if self.reset == "subtract" and not (left < theta * (1.0 - _ROUNDING)).all():
            self.wrong[array].append(
                f"{title} get {push.max():g} mV, and spike again from what is left over"
            )
        own, wanted = self.recurrent[here, here], -self.b * push
        off = ~(np.abs(own - wanted) <= _ROUNDING * np.abs(push))
        if off.any():
            one = int(off.argmax())
            self.wrong["recurrent"].append(
                f"{title} give themselves {own[one]:g} mV at a spike, expected {wanted[one]:g} mV"
            )

    def _drive(self, name: str, rows: slice) -> None:
        """What bias and clocks give a population, step by step, until all clocks are heard."""
        given = first = self.bias[rows]
        heard = [self.recurrent[rows, clock] for clock in self.clocks]
        steps = [first]
        # The clocks set in one after another, and the step after the last one is like all others.
        for more in (*heard, np.zeros_like(first)):
            given = given + more
            steps.append(self.b * steps[-1] + given)
        each = steps[1]
        within = _ROUNDING * (np.abs([first, *heard]).sum(axis=0) + abs(self.start))
        once = first - each
        off = ~(np.abs(once - self.a * self.start) <= within)
        if off.any():
            one = int(off.argmax())
            self.wrong["bias"].append(
                f"{name}[{one}] starts {once[one] / self.a:g} mV from where a spike resets it, "
                f"expected {self.start:g} mV"
            )
        for step, moved in enumerate(steps[2:], 2):
            off = ~(np.abs(moved - each) <= within)
            if off.any():
                one = int(off.argmax())
                self.wrong["recurrent"].append(
                    f"the clocks let bias move {name}[{one}] by {moved[one]:g} mV in step {step}, "
                    f"expected {each[one]:g} mV as in step 1"
                )
                return

    def _select(self) -> None:
        wanted = np.zeros_like(self.select)
        shown = [u for row in self.select for u in np.flatnonzero(row)[:1].tolist()]
        if len(shown) == len(wanted):
            wanted[np.arange(len(wanted)), shown] = 1.0
        if not (self.select == wanted).all() or len(shown) != len(wanted):
            self.wrong["select"].append("a row of it is not a single 1, which shows one unit")

    def _none(self, array: str, over: Floats, source: str) -> None:
        """What nobody accounts for has to be 0."""
        places = np.argwhere(over != 0.0)
        if not len(places):
            return
        target, column = (int(each) for each in places[0])
        value = over[target, column]
        way = f"to {self._unit(target)}"
        if array != "bias":
            way = f"from {source.format(column) or self._unit(column)} {way}"
        are = "an entry" if len(places) == 1 else f"{len(places):,} entries"
        self.wrong[array].append(f"{are} too many: {value:g} mV {way}, expected 0")

    def _unit(self, unit: int) -> str:
        for name, starts in self.chains.items():
            for stage, start in enumerate(starts):
                if start <= unit < start + self.network[name].size:
                    relay = f", step {stage}" if stage else ""
                    return f"{name}[{unit - start}]{relay}"
        return f"clock {list(self.clocks).index(unit)}"
