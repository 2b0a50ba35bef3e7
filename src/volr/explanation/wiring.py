"""What the weights and biases of a spiking model mean in the units of its ANN.

A weight over the neuron's unit is the charge, in spikes of the target, of one spike. In a
transferred model it is c · W, with one c for each projection, for positive and negative W, and the
bias currents lie on a straight line over the ANN's biases. Both are fitted here. So the scales need
not be known, and whatever is not on the lines does not come from the ANN. W are the weights of the
ANN with its units on the spiking model's scales, which ``unit_scales`` reads. It also reads how
much a spike of each unit counts (``taken``), and w is divided by that before the fit.

    c₊, c₋  =  argmin Σ (w/u − c W)²  over W > 0, and over W < 0

A missing sign shows only in c₋. Exchanged or foreign weights lie on no line at all.
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

# If at least this share of the weights lies on no line, they are not the ANN's.
_FOREIGN = 0.5
# A smaller share is a rounding error.
_ROUNDING = 1e-6
# The least squared correlation, and the least number, of biases on a straight line. Two always lie
# on one.
_STRAIGHT, _ENOUGH = 0.99, 3


@dataclass(frozen=True, eq=False)
class Block:
    """The weights of a projection, ``[post, pre]`` in the ANN's units.

    ``wanted``   the ANN's
    ``signed``   the same with the signs of the spiking model
    ``found``    the spiking model's, divided by ``taken``
    ``taken``    ``[pre]``, how much a spike of each source counts, over how much it should
    ``charge``   c, the charge of a spike for a weight of 1, in spikes of the target; 0 if all
                 weights are 0
    ``balance``  c₋/c₊
    ``foreign``  the share of the weights, by their squares, that lies on no line
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
        """The charge of one spike ``[post, pre]``, in spikes of the target."""
        return self.found * self.taken * self.charge

    @property
    def unrelated(self) -> bool:
        """Whether these weights do not come from the ANN."""
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
    """The input of a population: its ``blocks`` and its biases ``[unit]``.

    ``wanted`` are the ANN's biases, ``charge`` the charge of the bias currents in one stimulus, in
    spikes; ``slope`` · wanted + ``intercept`` is expected. ``slope`` is None if they lie on no line
    or all biases are the same. Units that are ``badly_scaled`` ``[unit]`` are left out of the fit,
    unless the others are too few.
    """

    blocks: tuple[Block, ...]
    badly_scaled: Booleans
    wanted: Floats
    charge: Floats
    slope: float | None
    intercept: float

    @property
    def biases_changed(self) -> bool:
        """Whether the biases differ from the ANN's by more than a scale and an offset."""
        if self.slope is not None:
            return False
        wanted, charge = self.wanted[~self.badly_scaled], self.charge[~self.badly_scaled]
        if _spread(wanted) == 0 or _spread(charge) == 0:
            return _spread(wanted) != _spread(charge)
        return len(wanted) >= _ENOUGH or _correlation(wanted, charge) <= 0


def wirings(units: Units, snn: SpikingModel) -> dict[str, Wiring]:
    """The wiring of every population of ``snn`` except the inputs."""
    neuron = snn.neuron
    lift = neuron.leak_current
    # As in the transfer: the current that gives one spike in one stimulus.
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
        # There is no scale. Weights that exist here do not come from the ANN.
        nothing = np.zeros_like(wanted)
        return Block(projection, wanted, wanted, nothing, taken, 0.0, 1.0, float(wanted.any()))
    up, down = _factor(wanted > 0, wanted, charges), _factor(wanted < 0, wanted, charges)
    # If all weights have one sign, its factor is used for both.
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
    """Whether a factor that should be 1 may come from a calibration."""
    return bool(within(factor, CALIBRATED))


def _factor(of: Booleans, wanted: Floats, charges: Floats) -> float | None:
    """c over these weights; None if there are none."""
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
    """The largest value minus the smallest; 0 if that is a rounding error."""
    spread = float(np.ptp(values))
    return spread if spread > _ROUNDING * float(np.abs(values).max(initial=0.0)) else 0.0
