"""What the weights and biases of a spiking model mean in the units of its ANN.

A weight over the neuron's unit is the charge, in spikes of the target, that one spike brings. In a
transferred model it is c · W, with one c a projection, for positive and for negative W alike, and
the bias currents are a straight line over the ANN's biases. Both are fitted here, so scales need
not be known, and what does not lie on the lines is not the ANN's.

    c₊, c₋  =  argmin Σ (w/u − c W)²  over W > 0, and over W < 0

A missing sign shows in c₋ alone; exchanged or foreign weights lie on no line at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.models.parameters import bias_name, weight_name
from volr.transfer.scaling import leak_current, synapse_units

if TYPE_CHECKING:
    from volr.models.arrays import Booleans, Floats
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.network import Projection

CALIBRATED = 2.0
"""A scale that is off by a factor below this, or its inverse, is taken for a calibrated one: a
transfer has gains for excitation and for inhibition, to make up for what a reset throws away."""

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

    ``charge`` is c: what a spike brings for a weight of 1, in spikes of the target, and 0 where all
    weights are. ``balance`` is c₋/c₊, and ``foreign`` the share of the weights, by their squares,
    that lies on no line.
    """

    projection: Projection
    wanted: Floats
    signed: Floats
    found: Floats
    charge: float
    balance: float
    foreign: float

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
    """What leads into a population: its ``blocks``, and its biases ``[unit]``.

    ``wanted`` are the ANN's biases and ``charge`` what the currents bring in one stimulus, in
    spikes, where ``slope`` · wanted + ``intercept`` is expected. ``slope`` is None where they lie
    on no line, or where one bias cannot be told from another.
    """

    blocks: tuple[Block, ...]
    wanted: Floats
    charge: Floats
    slope: float | None
    intercept: float

    @property
    def biases_changed(self) -> bool:
        """Whether biases differ from each other otherwise than the ANN's do."""
        if self.slope is not None:
            return False
        if _spread(self.wanted) == 0 or _spread(self.charge) == 0:
            return _spread(self.wanted) != _spread(self.charge)
        return len(self.wanted) >= _ENOUGH or _correlation(self.wanted, self.charge) <= 0


def wirings(ann: ArtificialModel, snn: SpikingModel) -> dict[str, Wiring]:
    """The wiring of every population but the inputs; the two models have one network."""
    neuron = snn.neuron
    lift = leak_current(neuron)
    # As in the transfer: what brings one spike in one stimulus.
    one_spike = neuron.theta / (neuron.rise(snn.dt) * snn.steps)
    found: dict[str, Wiring] = {}
    for population in snn.network.layers:
        blocks = tuple(
            _block(projection, ann, snn) for projection in snn.network.incoming[population.name]
        )
        wanted = ann.parameters[bias_name(population)]
        charge = (snn.parameters[bias_name(population)] + neuron.i_offset - lift) / one_spike
        slope, intercept = _line(wanted, charge)
        found[population.name] = Wiring(blocks, wanted, charge, slope, intercept)
    return found


def _block(projection: Projection, ann: ArtificialModel, snn: SpikingModel) -> Block:
    excitation, inhibition = synapse_units(snn.neuron)
    wanted = ann.parameters[weight_name(projection)]
    weights = snn.parameters[weight_name(projection)]
    charges = weights / np.where(weights < 0, inhibition, excitation)
    whole = float(np.sum(charges**2))
    if whole == 0.0 or not wanted.any():
        # Nothing to scale by: what is there, if anything, is no weight of the ANN's.
        nothing = np.zeros_like(wanted)
        return Block(projection, wanted, wanted, nothing, 0.0, 1.0, float(wanted.any()))
    up, down = _factor(wanted > 0, wanted, charges), _factor(wanted < 0, wanted, charges)
    # Where all weights have one sign, that one stands for both.
    up, down = (down if up is None else up) or 0.0, (up if down is None else down) or 0.0
    lines = np.where(wanted > 0, up, down) * wanted
    foreign = float(np.sum((charges - lines) ** 2)) / whole
    if foreign > _FOREIGN:
        size = float(np.sqrt(whole / np.sum(wanted**2)))
        return Block(projection, wanted, wanted, charges / size, size, 1.0, foreign)
    charge = abs(up) or abs(down)
    balance = down / up if up else float("inf")
    if up > 0 and is_calibrated(balance):
        charges = np.where(wanted < 0, charges / balance, charges)
        signed = wanted
    else:
        signed = lines / charge
    return Block(projection, wanted, signed, charges / charge, charge, balance, foreign)


def is_calibrated(factor: float) -> bool:
    """Whether a calibration may have made a factor that is to be 1."""
    return 1 / CALIBRATED <= factor <= CALIBRATED


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
