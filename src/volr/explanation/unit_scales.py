"""The scales of single units of a spiking model, read from its weights.

A transfer balances the units of the ANN (``volr.transfer.balance``) and gives a population one
scale. In models of another origin, units may have other scales: a population was transferred
without balancing, or the weights of a unit were changed. Such a scale shows twice: in the unit's
own weights, a row, and in its targets' weights for its spikes, a column:

    w/u  =  c · own[post] · W · taken[pre] / own[pre]        W: the balanced ANN's weights

``own`` is a unit's number of spikes over that of a unit in balance, relative to the population's
median. ``taken`` is how much its spikes count over how much they should; it is 1 if nothing is
wrong. Both are fitted by least absolute deviations, so that a few foreign weights do not matter.
They are used if the rest is small. If it is not small for most units, the population is assumed to
be in balance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.models.parameters import weight_name
from volr.transfer.balance import hidden_populations, rescaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans, Floats
    from volr.models.model import ArtificialModel, SpikingModel

UNEQUAL = 4.0
"""A unit is badly scaled if its factor is above this or below its inverse. In trained networks that
were transferred with one scale for a population, most factors are up to 1.6, and one is 3.0."""

CALIBRATED = 2.0
"""A factor between this and its inverse may come from a calibration: a transfer has gains for
excitation and for inhibition, which compensate for the charge that a reset loses."""

# A factor is used if it leaves at most this share of the squares of a row or column, and if there
# are at least so many weights, since a single one always fits.
_LEFT, _ENOUGH = 0.1, 2
# The default percentile of a transfer.
_STRONG = 99.9
# Factors closer to 1 than this are 1.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Units:
    """``ann`` is the ANN with its hidden units on the spiking model's scales; it computes the same.

    ``own`` ``[unit]`` by hidden population, ``taken`` ``[pre]`` by projection: see above.
    """

    ann: ArtificialModel
    own: Mapping[str, Floats]
    taken: Mapping[str, Floats]

    def badly_scaled(self, name: str) -> Booleans:
        """Which units ``[unit]`` of a population have another scale, or count for more or less."""
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


def read_units(even: ArtificialModel, snn: SpikingModel) -> Units:
    """The scales of the units of ``snn``, which has the network of the ANN in balance, ``even``.

    Both have a weight for each synapse (``with_each_synapse``).
    """
    network = even.network
    charges = {each.name: charges_of(snn, weight_name(each)) for each in network.projections}
    own: dict[str, Floats] = {}
    for name in hidden_populations(even):
        # Each block has its own factor, so the rows of only one block are read, the largest.
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
    """The counts ``[unit]`` with all units in balance, over the actual ones.

    ``counts`` ``[batch, unit]`` are those wanted with the actual scales, ``own``. In balance, the
    strongest counts of the population are as high as now, but not above those of the ``full`` rate.
    A population without badly scaled units does not change, nor does a unit whose counts would
    change as little as a calibration may change them.
    """
    most = min(float(np.percentile(counts, _STRONG)), full)
    level = float(np.percentile(counts / own, _STRONG))
    if not badly_scaled.any() or most <= 0 or level <= 0:
        return np.ones_like(own)
    share = most / level / own
    return np.where(within(share, CALIBRATED), 1.0, share)


def charges_of(snn: SpikingModel, name: str) -> Floats:
    """The weights ``name`` ``[post, pre]`` as the charge of one spike, in spikes of the target."""
    excitation, inhibition = snn.neuron.synapse_units
    weights = snn.parameters[name]
    return weights / np.where(weights < 0, inhibition, excitation)


def _factors(wanted: Floats, charges: Floats) -> Floats:
    """The factor of each row over their median; 1 for rows that the factor does not explain."""
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
    """s ``[row]`` in ``charges`` = s · ``wanted``, over the positive or the negative ones.

    NaN for rows without any. By least absolute deviations: a weighted median of the quotients.
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
