"""The proof that a spiking network computes the whole numbers of its staircase network.

It covers every stimulus there is. Read from the model alone, it shows three things.

1. **The numbers.** Weights, the clock and its times, delays, and the neuron are, one and all, those
   that ``volr.exact.first_spikes`` gives the staircase network. So without rounding, a membrane is
   z − G at the end of its sources' window, rises from z by σ a step after it, and crosses the
   threshold (L − ½) σ in the step L − a of its own window: a = clip(⌊z/σ + ½⌋, 0, L).
2. **The room.** |z| is at most Σ |m| L + |β| < G in every spiking population, so nothing spikes
   before its window, and the last push makes every neuron spike that has not.
3. **The rounding.** z is a whole number and the threshold a half, so the comparison of a step comes
   out right as long as V is wrong by less than ½. It is wrong by no more than

       e = TIE (θ + G) + n r 2^−53 (V + n I)

   steps of the grid, where TIE (θ + G) is how much lower the threshold of a membrane without leak
   is (``volr.neurons``), n = 2 L + 3 is the number of steps in which a membrane moves until it is
   read, r = 8 bounds the roundings of one step in every simulator, and V and I are the largest
   membrane and current. The sum of n steps of a recurrence, each with a relative error of r 2^−53
   in the membrane and in the current, is a standard bound (Higham, Accuracy and Stability of
   Numerical Algorithms, 2002, chapter 3, to first order). A leak there is none: time constants are
   infinite, or so long that e^(−dt/τ) is 1.

The outputs' membranes are within e of whole numbers, so they are read by rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.errors import ModelError
from volr.exact.first_spikes import from_first_spikes, hold_down, strongest
from volr.exact.sums import largest_sums, staircase_of
from volr.models.first_spike import FirstSpike
from volr.neurons import TIE

if TYPE_CHECKING:
    from volr.models.model import ArtificialModel, SpikingModel

ROUNDINGS = 8
"""The roundings of a step, at most, in all simulators."""
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
class Proof:
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
    return all(each.margin > 0.0 for each in proof_of(ann, 0).populations)


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
                largest_error(
                    coding,
                    hold,
                    strongest(coding, hold) if each.merge == "max" else sums[each.name],
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


def largest_error(coding: FirstSpike, hold: float, largest: float) -> float:
    """e of a population whose weighted sums are at most ``largest``, in steps of the grid."""
    rise = coding.levels * coding.step
    lowered = TIE * (rise + hold)
    steps = 2 * coding.levels + 3
    membrane = 2.0 * hold + rise + largest
    current = 2.0 * (hold + largest) + coding.step
    return lowered + steps * ROUNDINGS * 2.0**-53 * (membrane + steps * current)
