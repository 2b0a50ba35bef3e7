"""One spike a neuron: whole numbers as the times of spikes, and the clock that they need.

A population p has a window, which begins in step S_p. A neuron whose value is a, of 0 … L levels,
spikes once, in step S_p + L − a: the largest value first, and 0 at the very end. Inputs have
S = 0. A spike of step k arrives in step k + d and brings a current that stays, so a weight m has
added m · a to the membrane at the end of step

    E = S_q + d + L,    the same for all sources q of a population

(``aligned_delays`` sees to that). Then the clock lifts the population: its membrane, now the
weighted sum z, rises by σ a step, and a neuron spikes in step E + L − a. So S = E. Where the
largest counts, a neuron spikes at the first spike that arrives, one step after it:
S = S_q + d + 1. What the clock's spikes bring is told in ``volr.transfer.first_spike``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from volr.checks.annotations import settle
from volr.errors import ModelError
from volr.models.activations import Staircase
from volr.network import Network, Population, Projection
from volr.network.connectors import Slice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.checks.arrays import Booleans, Floats, Integers

CLOCK = "clock"
"""The name of the population that ``with_clock`` adds."""


@dataclass(frozen=True, slots=True)
class FirstSpike:
    """Each input neuron spikes once, in step L − ⌊x L + ½⌋, where L is the number of ``levels``.

    A level of a weighted sum is ``step`` steps of a grid, whose unit is ``unit`` mV. They are those
    of the ``Staircase`` that the network computes. Raises ``ModelError`` as that does.
    """

    name: ClassVar[str] = "first-spike"

    levels: int
    step: int

    def __post_init__(self) -> None:
        if wrong := settle(self):
            raise ModelError(f"the input coding {self.name}: " + "; ".join(wrong))
        Staircase(self.levels, self.step)

    @property
    def unit(self) -> float:
        """The unit of the grid, mV: a power of two, so that whole numbers of it are exact, and
        such that a level is just below 1 mV, or is 1/2 mV for a step of 1.
        """
        return 2.0 ** -self.step.bit_length()


def ticks(network: Network, population: Population) -> int:
    """How many spikes of the clock a population needs.

    One sets its membrane at the end of its sources' window, one sets its current a step later, and
    one makes those spike that have not yet. Where the largest counts, there are none.
    """
    if population.merge == "max":
        return 0
    return 2 if population.name in network.outputs else 3


def starts(network: Network, levels: int, delay: Callable[[Projection], int]) -> dict[str, int]:
    """S, the step in which the window of each population begins, the clock aside.

    ``delay`` is that of a projection in steps. Of outputs, which do not spike, it is the step at
    whose end their membrane is the weighted sum. If sources are not aligned, the last one counts.
    """
    found = dict.fromkeys(network.inputs, 0)
    for population in network.layers:
        arrive = max(found[each.source] + delay(each) for each in _sources(network, population))
        found[population.name] = arrive + _wait(population, levels)
    return found


def aligned_delays(network: Network, levels: int, delay: int) -> dict[str, int]:
    """The delay in steps of each projection, by name: the least with which all sources of a
    population are aligned and none is below ``delay``.
    """
    begin = starts(network, levels, lambda _: delay)
    return {
        each.name: begin[population.name] - _wait(population, levels) - begin[each.source]
        for population in network.layers
        for each in _sources(network, population)
    }


def _wait(population: Population, levels: int) -> int:
    """The steps from the arrival of the sources' first spikes to the population's own window."""
    return 1 if population.merge == "max" else levels


def with_clock(network: Network, begin: Mapping[str, int]) -> Network:
    """The network with a clock that spikes for every population that needs it.

    ``begin`` are its ``starts``. Populations whose windows begin in the same step share neurons of
    the clock. The neurons stand in the order in which they spike.
    """
    clocked = [each for each in network.layers if ticks(network, each)]
    needed: dict[int, int] = {}
    for each in clocked:
        at = begin[each.name]
        needed[at] = max(needed.get(at, 0), ticks(network, each))
    first: dict[int, int] = {}
    neurons = 0
    for at, count in sorted(needed.items()):
        first[at] = neurons
        neurons += count
    clock = Population(CLOCK, (neurons,))
    inputs = tuple(each for each in network.populations if each.name in network.inputs)
    return replace(
        network,
        populations=(*inputs, clock, *network.layers),
        projections=(
            *network.projections,
            *(
                Projection(
                    CLOCK,
                    each.name,
                    Slice(first[begin[each.name]], ticks(network, each)),
                    each.span,
                )
                for each in clocked
            ),
        ),
        clock=CLOCK,
    )


def clock_steps(network: Network, levels: int, delay: Callable[[Projection], int]) -> Integers:
    """The step in which each neuron of the clock spikes, ``[unit]``; −1 for one without a target.

    What arrives in step E − 1 moves the membrane in step E, at the end of the sources' window; what
    arrives in step E is the current from then on; what arrives in step E + L − 1 moves the membrane
    in step E + L, the last of the population's own window.
    """
    if network.clock is None:
        return np.empty(0, np.int64)
    begin = starts(network, levels, delay)
    found = np.full(network[network.clock].size, -1)
    for each in network.projections:
        if each.source == network.clock and isinstance(each.connector, Slice):
            first, count = each.connector.first, each.connector.count
            at = begin[each.target] - delay(each)
            found[first : first + count] = _ticking(at, levels)[:count]
    return found


def _ticking(at: int, levels: int) -> list[int]:
    """The steps in which the clock spikes for a population, where its window begins in step ``at``
    less the clock's own delay.
    """
    return [at - 1, at, at + levels - 1]


def last_step(network: Network, levels: int, delay: Callable[[Projection], int]) -> int:
    """The step at whose end the membranes of all outputs are their weighted sums."""
    begin = starts(network, levels, delay)
    return max(begin[name] for name in network.outputs)


def one_spike_each(steps: int, at: Integers) -> Booleans:
    """Spikes ``[time, …]`` of neurons that spike once, in step ``at`` ``[…]``; never below 0."""
    return np.arange(steps).reshape(-1, *[1] * at.ndim) == at


def values_of(spikes: Booleans, begin: int, levels: int) -> Integers:
    """The values ``[batch, unit]`` that spikes ``[time, batch, unit]`` tell, of a population whose
    window begins in step ``begin``.

    What is not one spike within the window is no value: −1 for a neuron that is silent, and for one
    that spikes more than once. A spike outside the window gives a number outside 0 … ``levels``.
    """
    found = begin + levels - spikes.argmax(axis=0)
    return np.where(spikes.sum(axis=0) == 1, found, -1)


def first_spike_problems(
    network: Network,
    levels: int,
    delay: Callable[[Projection], int],
    steps: int,
) -> list[str]:
    """What keeps a network from computing with first spikes in so many steps, in words."""
    wrong = unsuited(network)
    if wrong:
        return wrong
    if network.clock is None:
        return ["it has no clock, and with first spikes a clock tells neurons when to spike"]
    begin = starts(network, levels, delay)
    for population in network.layers:
        arrive = {begin[p.source] + delay(p) for p in _sources(network, population)}
        if len(arrive) > 1:
            wrong.append(
                f"the windows of the sources of {population.name} arrive from the steps "
                f"{', '.join(map(str, sorted(arrive)))} on, not all from one"
            )
    ticking: dict[int, int] = {}
    for each in network.projections:
        if each.source != network.clock:
            continue
        if not isinstance(each.connector, Slice):
            wrong.append(f"the projection {each.name} is a {each.connector}, not a slice")
            continue
        at = begin[each.target] - delay(each)
        if each.connector.count > 3:
            wrong.append(f"{each.name} has {each.connector.count} neurons of the clock, not 3")
        for unit, step in enumerate(_ticking(at, levels)[: each.connector.count]):
            if step < 0 or ticking.setdefault(each.connector.first + unit, step) != step:
                wrong.append(f"{each.name} needs a spike of the clock in a step of its own")
    if not wrong and (last := last_step(network, levels, delay)) >= steps:
        wrong.append(f"its outputs are ready in step {last}, and it runs for {steps} steps")
    return wrong


def unsuited(network: Network) -> list[str]:
    """Why no neuron of this network could tell its value by one spike, in words."""
    wrong = [
        f"the projection {each.name} leads back, and first spikes need a network without loops"
        for each in network.projections
        if each.back
    ]
    sources = {each.source for each in network.projections}
    for name in network.outputs:
        if name in network.inputs:
            wrong.append(f"{name} is an input and an output, and nothing is computed in between")
        elif name in sources:
            wrong.append(
                f"{name} is an output and has projections, and an output's membrane is read, so it "
                "never spikes"
            )
        elif network[name].merge == "max":
            wrong.append(
                f"{name} takes the largest of what arrives and is an output; first spikes read the "
                "outputs as sums, so end with a dense layer or a convolution"
            )
    return wrong


def input_steps(levels: int, values: Floats | Integers) -> Integers:
    """The step of the spike of inputs with these values, of 0 … ``levels``, in the same shape."""
    return levels - values.astype(np.int64)


def _sources(network: Network, population: Population) -> list[Projection]:
    """The projections into a population, those of the clock aside."""
    return [each for each in network.incoming[population.name] if each.source != network.clock]
