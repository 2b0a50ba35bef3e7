"""The proof that a spiking network computes the whole numbers of its staircase network.

It covers every stimulus there is. Read from the model alone, it shows three things.

1. **The numbers.** Weights, the clock and its times, delays, and the neuron are, one and all, those
   that ``volr.exact.first_spikes`` gives the staircase network. So without rounding, a membrane is
   z − G at the end of its sources' window, rises from z by σ a step after it, and crosses the
   threshold (L − ½) σ in the step L − a of its own window: a = clip(⌊z/σ + ½⌋, 0, L).
2. **The room.** |z| is at most Σ |m| L + |β| < G in every spiking population, so nothing spikes
   before its window, and the last push makes every neuron spike that has not.
3. **The rounding.** z is a whole number and the threshold a half, so the comparison of a step comes
   out right as long as V is wrong by less than ½, in steps of the grid. It is wrong by no more than
   the largest rounding error of all simulators that ``volr.exact.arithmetic`` knows, over the
   2 L + 3 steps in which a membrane moves until it spikes, or over all steps of an output. To that
   comes what the threshold of a membrane without leak is lower, TIE (θ + G) (``volr.neurons``); and
   that a weight through pools is W times 1/n, which are two roundings, of a current in each step.

The outputs' membranes are within ½ of whole numbers, so they are read by rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.display.displayed import Displayed
from volr.errors import ModelError
from volr.exact.arithmetic import ARITHMETIC, ROUNDING
from volr.exact.first_spikes import from_first_spikes, hold_down, strongest
from volr.exact.sums import fan_in, largest_sums, staircase_of
from volr.models.first_spike import FirstSpike
from volr.neurons import TIE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.display.parts import Part
    from volr.models.model import ArtificialModel, SpikingModel

MARGIN = 0.5
"""How far the whole numbers are from the edges of the staircase."""


@dataclass(frozen=True)
class PopulationProof:
    """One population: its ``largest`` weighted sum and the largest ``error`` of its membranes.

    Both are in steps of the grid. One that takes the largest of what arrives has no sums: the first
    of the spikes lifts its membrane above the threshold by half a level or more.
    """

    name: str
    largest: int
    error: float

    @property
    def margin(self) -> float:
        """How much larger the error could be."""
        return MARGIN - self.error


@dataclass(frozen=True)
class Proof(Displayed):
    """A spiking network computes the whole numbers of its staircase network, for every stimulus.

    ``step`` is σ, ``unit`` that of the grid in mV, ``hold`` G in steps of the grid, and ``steps``
    the time steps of a stimulus.
    """

    populations: tuple[PopulationProof, ...]
    levels: int
    step: int
    unit: float
    hold: int
    steps: int

    def _display(self) -> Iterable[Part]:
        from volr.exact.display import proof_parts

        return proof_parts(self)


def prove(model: SpikingModel) -> Proof:
    """The proof of a model with first spikes.

    Raises ``ModelError`` where there is none, with the first thing that keeps it from holding.
    """
    ann = from_first_spikes(model)
    found = proof_of(ann, model.steps)
    for each in found.populations:
        if each.margin <= 0.0:
            raise ModelError(
                f"rounding may be {each.error:.3g} steps of the grid in {each.name}, and ½ is too "
                f"much: its sums reach {each.largest:,} over {found.levels} levels",
                help="quantise the network with fewer --levels",
            )
    return found


def holds(ann: ArtificialModel) -> bool:
    """Whether the proof of the network that computes its whole numbers holds."""
    levels, depth = staircase_of(ann).levels, len(ann.network.layers)
    return all(each.margin > 0.0 for each in proof_of(ann, depth * (levels + 2)).populations)


def proof_of(ann: ArtificialModel, steps: int) -> Proof:
    """What the proof says about a staircase network of whole numbers, whether it holds or not."""
    stairs, network = staircase_of(ann), ann.network
    hold = hold_down(ann, stairs.levels)
    coding = FirstSpike(stairs.levels, stairs.step)
    sums = {
        each.name: float(largest_sums(network, ann.parameters, each, stairs.levels).max())
        for each in network.layers
    }
    return Proof(
        populations=tuple(
            PopulationProof(
                each.name,
                int(sums[each.name]),
                _largest_error(
                    coding,
                    hold,
                    strongest(coding, hold) if each.merge == "max" else sums[each.name],
                    fan_in(network, each),
                    steps if each.name in network.outputs else 2 * stairs.levels + 3,
                ),
            )
            for each in network.layers
        ),
        levels=stairs.levels,
        step=stairs.step,
        unit=coding.unit,
        hold=int(hold),
        steps=steps,
    )


def _largest_error(
    coding: FirstSpike, hold: float, largest: float, arrivals: int, steps: int
) -> float:
    """The error, in steps of the grid, of a population whose sums are at most ``largest``.

    Membranes are up to G below and θ above 0, and what the clock brings is up to twice G.
    """
    rise = coding.levels * coding.step
    current = 2.0 * (hold + largest) + coding.step
    rounding = max(
        each.largest_error(
            steps,
            membrane=2.0 * hold + rise + largest,
            rest=hold,
            current=current,
            arrivals=arrivals + 3,
        )
        for each in ARITHMETIC.values()
    )
    return TIE * (rise + hold) + rounding + 2.0 * ROUNDING * steps * current
