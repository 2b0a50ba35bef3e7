"""What the weights and biases of a spiking model mean in the units of its ANN.

A weight over the neuron's unit is the charge, in spikes of the target, that one spike brings. In a
transferred model it is c · W, with one c a projection, for positive and for negative W alike, and
the bias currents are a straight line over the ANN's biases. Both are fitted here, so scales need
not be known, and what does not lie on the lines is not the ANN's. W are the weights of the ANN with
its units on the spiking model's scales. ``units`` reads these scales. It also reads how many times
what it stands for a spike of each unit counts, and w is divided by that before the fit.

    c₊, c₋  =  argmin Σ (w/u − c W)²  over W > 0, and over W < 0

A missing sign shows in c₋ alone; exchanged or foreign weights lie on no line at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.explanation.unit_scales import CALIBRATED, charges_of, within
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from volr.checks.arrays import Booleans, Floats
    from volr.explanation.unit_scales import Units
    from volr.models.model import SpikingModel
    from volr.network import Projection

# From this share of weights that lie on no line on, they are not taken for the ANN's.
_FOREIGN = 0.5
# From this share on they are not taken for rounding errors.
_ROUNDING = 1e-6
# Correlation, squared, from which on biases are taken for a straight line; and how many there have
# to be: two always lie on one.
_STRAIGHT, _ENOUGH = 0.99, 3


@dataclass(frozen=True, eq=False)
class Block:
    """A projection. ``[post, pre]`` in the ANN's units: its weights (``wanted``), the same with
    their signs as the spiking model has them (``signed``), and the spiking model's (``found``).

    ``taken`` ``[pre]`` is how many times what it stands for a spike of each source counts; it is
    not in ``found``. ``charge`` is c: what a spike brings for a weight of 1, in spikes of the
    target, and 0 where all weights are. ``balance`` is c₋/c₊, and ``foreign`` the share of the
    weights, by their squares, that lies on no line.
    """

    projection: Projection
    wanted: Floats
    signed: Floats
    found: Floats
    taken: Floats
    charge: float
    balance: float
    foreign: float

    @property
    def charges(self) -> Floats:
        """The charge of a spike ``[post, pre]``, in spikes of the target."""
        return self.found * self.taken * self.charge

    @property
    def unrelated(self) -> bool:
        """Whether these are other weights than the ANN's."""
        return self.foreign > _FOREIGN

    @property
    def sign_changed(self) -> bool:
        return not np.array_equal(self.signed, self.wanted)

    @property
    def weights_changed(self) -> bool:
        """Whether weights differ by more than their signs."""
        return self.foreign > _ROUNDING**2 and not np.array_equal(self.found, self.signed)


@dataclass(frozen=True, eq=False)
class Wiring:
    """What leads into a population: its ``blocks``, and its biases ``[unit]``; and which of its
    units are ``badly_scaled`` ``[unit]``.

    ``wanted`` are the ANN's biases and ``charge`` what the currents bring in one stimulus, in
    spikes, where ``slope`` · wanted + ``intercept`` is expected. ``slope`` is None where they lie
    on no line, or where one bias cannot be told from another. Units that are badly scaled have no
    say, unless the others are too few to tell.
    """

    blocks: tuple[Block, ...]
    badly_scaled: Booleans
    wanted: Floats
    charge: Floats
    slope: float | None
    intercept: float

    @property
    def biases_changed(self) -> bool:
        """Whether biases differ from each other otherwise than the ANN's do."""
        if self.slope is not None:
            return False
        wanted, charge = self.wanted[~self.badly_scaled], self.charge[~self.badly_scaled]
        if _spread(wanted) == 0 or _spread(charge) == 0:
            return _spread(wanted) != _spread(charge)
        return len(wanted) >= _ENOUGH or _correlation(wanted, charge) <= 0


def wirings(units: Units, snn: SpikingModel) -> dict[str, Wiring]:
    """The wiring of every population but the inputs of ``snn``, whose units were read."""
    neuron = snn.neuron
    lift = neuron.leak_current
    # As in the transfer: what brings one spike in one stimulus.
    one_spike = neuron.theta / (neuron.rise(snn.dt) * snn.steps)
    found: dict[str, Wiring] = {}
    for population in snn.network.layers:
        blocks = tuple(
            _block(projection, units, snn) for projection in snn.network.incoming[population.name]
        )
        badly_scaled = units.badly_scaled(population.name)
        wanted = units.ann.parameters[bias_name(population)]
        charge = (snn.parameters[bias_name(population)] + neuron.i_offset - lift) / one_spike
        slope, intercept = _line(wanted[~badly_scaled], charge[~badly_scaled])
        if slope is None:
            slope, intercept = _line(wanted, charge)
        found[population.name] = Wiring(blocks, badly_scaled, wanted, charge, slope, intercept)
    return found


def _block(projection: Projection, units: Units, snn: SpikingModel) -> Block:
    wanted = units.ann.parameters[weight_name(projection)]
    taken = units.taken[projection.name]
    charges = charges_of(snn, weight_name(projection)) / taken
    whole = float(np.sum(charges**2))
    if whole == 0.0 or not wanted.any():
        # Nothing to scale by: what is there, if anything, is no weight of the ANN's.
        nothing = np.zeros_like(wanted)
        return Block(projection, wanted, wanted, nothing, taken, 0.0, 1.0, float(wanted.any()))
    up, down = _factor(wanted > 0, wanted, charges), _factor(wanted < 0, wanted, charges)
    # Where all weights have one sign, that one stands for both.
    up, down = (down if up is None else up) or 0.0, (up if down is None else down) or 0.0
    lines = np.where(wanted > 0, up, down) * wanted
    foreign = float(np.sum((charges - lines) ** 2)) / whole
    if foreign > _FOREIGN:
        size = float(np.sqrt(whole / np.sum(wanted**2)))
        return Block(projection, wanted, wanted, charges / size, taken, size, 1.0, foreign)
    charge = abs(up) or abs(down)
    balance = down / up if up else float("inf")
    if up > 0 and is_calibrated(balance):
        charges = np.where(wanted < 0, charges / balance, charges)
        signed = wanted
    else:
        signed = lines / charge
    return Block(projection, wanted, signed, charges / charge, taken, charge, balance, foreign)


def is_calibrated(factor: float) -> bool:
    """Whether a calibration may have made a factor that is to be 1."""
    return bool(within(factor, CALIBRATED))


def _factor(of: Booleans, wanted: Floats, charges: Floats) -> float | None:
    """c over these weights; None where there are none."""
    norm = float(np.sum(wanted[of] ** 2))
    return float(np.sum(charges[of] * wanted[of])) / norm if norm > 0 else None


def _line(wanted: Floats, charge: Floats) -> tuple[float | None, float]:
    """Slope and intercept of ``charge`` over ``wanted``, both ``[unit]``: see ``Wiring``."""
    if _spread(wanted) == 0 or _spread(charge) == 0:
        return None, 0.0
    if len(wanted) < _ENOUGH or _correlation(wanted, charge) < np.sqrt(_STRAIGHT):
        return None, 0.0
    slope, intercept = np.polyfit(wanted, charge, 1)
    return float(slope), float(intercept)


def _correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def _spread(values: Floats) -> float:
    """Largest less smallest, as far as it is no rounding error."""
    spread = float(np.ptp(values))
    return spread if spread > _ROUNDING * float(np.abs(values).max(initial=0.0)) else 0.0
