"""The scales that single units of a spiking model have, read from its weights.

A transfer balances the units of the ANN (``volr.transfer.balance``) and gives a population one
scale. Another origin may have units on other scales: a whole population transferred as it was, or a
unit whose weights were changed. Such a scale shows twice, in the unit's own weights, a row, and in
what its targets make of its spikes, a column:

    w/u  =  c · own[post] · W · taken[pre] / own[pre]        W: the balanced ANN's weights

``own`` is how many times as many spikes a unit has as one in balance, next to the population's
median. ``taken`` is how many times what they stand for its spikes count; where nothing is wrong it
is 1. Both are read by least absolute deviations, so that a few foreign weights do not matter, and
are believed where what they leave over is small. Where most of a population's are not, it is taken
to be in balance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.models.parameters import weight_name
from volr.transfer.balance import balanced, hidden_populations, rescaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans, Floats
    from volr.models.model import ArtificialModel, SpikingModel

UNEQUAL = 4.0
"""A unit that is off by more than this factor, or its inverse, is badly scaled. In trained networks
that were transferred with one scale for a population, most are off by up to 1.6, one by 3.0."""

CALIBRATED = 2.0
"""A scale that is off by a factor below this, or its inverse, is taken for a calibrated one: a
transfer has gains for excitation and for inhibition, to make up for what a reset throws away."""

# A factor is believed where it leaves no more of a row or column than this share of its squares,
# and where there are at least so many weights, since a single one always fits.
_LEFT, _ENOUGH = 0.1, 2
# The percentile that a transfer takes unless told.
_STRONG = 99.9
# A factor that is nearer to 1 than this is 1.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Units:
    """``ann``: the ANN with its hidden units on the spiking model's scales. It computes the same.

    ``own`` ``[unit]`` by hidden population, ``taken`` ``[pre]`` by projection: see above.
    """

    ann: ArtificialModel
    own: Mapping[str, Floats]
    taken: Mapping[str, Floats]

    def badly_scaled(self, name: str) -> Booleans:
        """Which units ``[unit]`` of a population are off, or are taken for something else."""
        if name not in self.own:
            return np.zeros(self.ann.network[name].size, dtype=np.bool_)
        off = ~within(self.own[name], UNEQUAL)
        for projection in self.ann.network.projections:
            if projection.source == name:
                off |= ~within(self.taken[projection.name], CALIBRATED)
        return off


def within(factors: Floats | float, limit: float) -> Booleans:
    """Which factors are between ``1/limit`` and ``limit``."""
    return np.logical_and(factors >= 1.0 / limit, factors <= limit)


def read_units(ann: ArtificialModel, snn: SpikingModel) -> Units:
    """The scales of the units of ``snn``, which has the network of ``ann``."""
    network, even = ann.network, balanced(ann)
    charges = {each.name: charges_of(snn, weight_name(each)) for each in network.projections}
    own: dict[str, Floats] = {}
    for name in hidden_populations(ann):
        # Each block has a factor of its own, so the rows of one block are read: of the largest.
        block = max(network.incoming[name], key=network.synapses)
        wanted = even.parameters[weight_name(block)]
        if block.source in own:
            wanted = wanted / own[block.source]
        own[name] = _factors(wanted, charges[block.name])
    on_scale = rescaled(even, own)
    taken = {
        each.name: _factors(on_scale.parameters[weight_name(each)].T, charges[each.name].T)
        if each.source in own
        else np.ones(network[each.source].size)
        for each in network.projections
    }
    return Units(on_scale, own, taken)


def evened(own: Floats, badly_scaled: Booleans, counts: Floats, full: float) -> Floats:
    """What counts ``[unit]`` would be with all units in balance, over what they are.

    ``counts`` ``[batch, unit]`` are those that are wanted with the units as they are, ``own``. In
    balance, the strongest of the population's are as high as the strongest are now, but no higher
    than at the ``full`` rate. A population without a unit that is badly scaled stays as it is. So
    does a unit whose counts would change by no more than a calibration may change them.
    """
    most = min(float(np.percentile(counts, _STRONG)), full)
    level = float(np.percentile(counts / own, _STRONG))
    if not badly_scaled.any() or most <= 0 or level <= 0:
        return np.ones_like(own)
    share = most / level / own
    return np.where(within(share, CALIBRATED), 1.0, share)


def charges_of(snn: SpikingModel, name: str) -> Floats:
    """The weights ``name`` ``[post, pre]`` as the charge of a spike, in spikes of the target."""
    excitation, inhibition = snn.neuron.synapse_units
    weights = snn.parameters[name]
    return weights / np.where(weights < 0, inhibition, excitation)


def _factors(wanted: Floats, charges: Floats) -> Floats:
    """The factor of each row, over their median; 1 where it is not believed."""
    up, down = _slopes(wanted, charges, positive=True), _slopes(wanted, charges, positive=False)
    both = np.isfinite(up) & np.isfinite(down) & (up > 0)
    balance = float(np.median(down[both] / up[both])) if both.any() else 1.0
    if balance != 0.0:
        up = np.where(np.isfinite(up), up, down / balance)
    lines = np.where(wanted > 0, 1.0, balance) * wanted * np.nan_to_num(up)[:, None]
    left = np.square(charges - lines).sum(axis=1)
    enough = np.count_nonzero(wanted, axis=1) >= _ENOUGH
    believed = enough & (np.nan_to_num(up) > 0) & (left <= _LEFT * np.square(charges).sum(axis=1))
    if 2 * np.count_nonzero(believed) < len(believed):
        return np.ones(len(believed))
    factors = np.where(believed, up / np.median(up[believed]), 1.0)
    return np.where(np.abs(factors - 1.0) < _ROUNDING, 1.0, factors)


def _slopes(wanted: Floats, charges: Floats, *, positive: bool) -> Floats:
    """s ``[row]`` in ``charges`` = s · ``wanted``, over positive or negative ones; NaN where there
    are none. By least absolute deviations, which is a weighted median of the quotients.
    """
    slopes = np.full(len(wanted), np.nan)
    for row, (weights, found) in enumerate(zip(wanted, charges, strict=True)):
        use = weights > 0 if positive else weights < 0
        if use.any():
            quotients, size = found[use] / weights[use], np.abs(weights[use])
            order = np.argsort(quotients)
            below = np.cumsum(size[order]) < 0.5 * size.sum()
            slopes[row] = quotients[order][min(int(np.count_nonzero(below)), len(order) - 1)]
    return slopes
