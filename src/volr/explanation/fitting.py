"""From recorded counts to the layers of the count model: lines, deviations, and dead neurons.

A count n deviates from the line's value y by e = n − y. A part of e is rounding, which the model
does itself; the rest d is given to the model. With d = √w e, w = 1 − (1/12)/Var e, and the variance
1/12 of rounding, both together have the variance of e. d is kept within ½ of e, so that y + d
rounded is exactly n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.explanation.bare_layers import bare_layer
from volr.explanation.lines import ABOVE_SILENCE, BELOW_STAIRS, fit_line
from volr.explanation.unit_scales import evened
from volr.explanation.wiring import is_calibrated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans, Floats
    from volr.explanation.causes import Cause, Dynamic
    from volr.explanation.counts import Layer
    from volr.explanation.lines import Fit
    from volr.explanation.unit_scales import Units
    from volr.explanation.wiring import Wiring
    from volr.models.model import SpikingModel

# A neuron is dead if it never spikes, although it should have this many spikes or more in this
# share of the stimuli. Rounding to whole spikes cannot explain that.
_DEAD_SPIKES, _DEAD_SHARE = 1.5, 0.01
# A population saturates if this share of its counts should be higher than its highest count.
_SATURATED_SHARE = 0.005
# With this share, on the scale of its own weights, the scale of its targets shows nothing.
_FULL_SHARE = 0.05
# The error of rounding to whole numbers is uniform within ±½.
_HALF, _VARIANCE_OF_ROUNDING = 0.5 - 1e-9, 1.0 / 12.0

_RATES: frozenset[Cause] = frozenset({"scale", "saturation"})


@dataclass(eq=False)
class Fitting:
    """The layers that are fitted, one after the other, and what they are fitted to.

    ``runs`` have the counts by the mechanisms that are left in, ``actual`` are all of them.
    ``shown`` are the ANN's activations. ``asked`` and ``slopes`` are the spikes of an activation of
    1: by the targets' weights, and by the counts. ``of_run`` are those by the counts of each run,
    which may have another scale. ``fullest`` is the most spikes that a transfer would give a neuron
    in one stimulus.
    """

    snn: SpikingModel
    units: Units
    wired: Mapping[str, Wiring]
    actual: frozenset[Dynamic]
    runs: Mapping[frozenset[Dynamic], Mapping[str, Floats]]
    shown: Mapping[str, Floats]
    asked: Mapping[str, float]
    fullest: float
    slopes: dict[str, float]
    of_run: dict[frozenset[Dynamic], dict[str, float]]
    layers: dict[str, Layer] = field(default_factory=dict[str, "Layer"])

    def fit(self, names: tuple[str, ...]) -> None:
        """Fit these populations, which share one line in each run."""
        bare = {
            name: bare_layer(self.snn, name, self.wired[name], self.shown[name], self.slopes)
            for name in names
        }
        fits = {
            left_in: fit_line(
                bare,
                {name: self.wired[name] for name in names},
                counts,
                self.of_run[left_in],
                _room(self.snn, rests="refractory" not in self.actual - left_in),
            )
            for left_in, counts in self.runs.items()
        }
        # The spikes that refractoriness takes belong to that cause and not to the line. The same
        # holds for spikes that come too late, if these are most of them.
        fit = fits[self.actual - {"refractory"}]
        prompt = fits[self.actual - {"refractory", "transient"}]
        if not is_calibrated(fit.slope / prompt.slope):
            fit = prompt
        for name in names:
            asked = self.asked.get(name)
            slope = fit.slope
            if asked is not None and not is_calibrated(slope / asked):
                slope = asked
            self.slopes[name] = slope
            for left_in, spikes in self.of_run.items():
                spikes[name] = _nearest(asked, slope, fits[left_in - {"refractory"}].slope)
            self.layers[name] = self._fitted(bare[name], fit, fits)

    def _fitted(self, bare: Layer, fit: Fit, fits: Mapping[frozenset[Dynamic], Fit]) -> Layer:
        name, slope, shown = bare.name, self.slopes[bare.name], self.shown[bare.name]
        sums, recorded = fits[self.actual].sums[name], self.runs[self.actual]
        ceiling = _ceiling(self.snn, slope * sums, recorded[name])
        # A population that saturates has no line.
        on_line = ceiling is None or bare.output
        layer = replace(
            bare,
            slope=slope,
            gain=fit.gain if on_line else slope,
            offset=fit.offset if on_line else 0.0,
            most=float(self.snn.steps) if ceiling is None else ceiling,
        )
        driven = layer.expected(sums, frozenset({"scale"}))
        # If a population should fire more than it can, a calibration finds another scale.
        is_full = (bare.slope * shown > layer.most).mean() > _FULL_SHARE
        taken = 1.0 if is_full else self.asked.get(name, bare.slope) / bare.slope
        in_time = self.runs[self.actual - {"transient"}][name]
        layer = replace(
            layer,
            beyond=float((driven > layer.most).mean()),
            taken=1.0 if is_calibrated(taken) else taken,
            dead=_dead(layer, recorded, self.slopes) & ~in_time.any(axis=0),
        )
        own = self.units.own.get(name, np.ones(layer.dead.size))
        return replace(
            layer,
            deviations=self._deviations(layer, fits),
            evened=evened(own, layer.badly_scaled, slope * shown, self.fullest),
            calmed=_calmed(layer, self.layers, self.shown, self.slopes),
        )

    def _deviations(
        self, layer: Layer, fits: Mapping[frozenset[Dynamic], Fit]
    ) -> dict[frozenset[Dynamic], Floats]:
        found: dict[frozenset[Dynamic], Floats] = {}
        for left_in, counts in self.runs.items():
            is_actual = left_in | {"refractory"} >= self.actual
            straight = fits[left_in - {"refractory"}]
            # For the actual run it is the layer's own line, so that both add up to the count.
            line = (layer.gain, layer.offset) if is_actual else (straight.gain, straight.offset)
            sums = fits[left_in].sums[layer.name]
            found[left_in] = _deviation(layer, line, sums, counts[layer.name])
        return found


def _nearest(asked: float | None, actual: float, own: float) -> float:
    """The slope of a run's counts: its own or the actual run's, whichever is nearer to what the
    targets' weights ask for.

    A transfer makes these weights for one of the two. A calibrated network was measured with its
    mechanisms; if one was added later, it was measured without.
    """
    if asked is None or min(asked, actual, own) <= 0:
        return actual
    return min(actual, own, key=lambda each: abs(math.log(each / asked)))


def _room(snn: SpikingModel, *, rests: bool) -> float:
    """The most spikes of a neuron in one stimulus; ``rests`` is whether it is refractory."""
    return float(snn.neuron.most_spikes(snn.dt, snn.steps) if rests else snn.steps)


def _ceiling(snn: SpikingModel, wanted: Floats, counts: Floats) -> float | None:
    """The highest of the counts ``[batch, unit]`` if they saturate, else None.

    They saturate if neurons that spike in almost every step do not go further, although more is
    ``wanted``. The limit of neurons that pause belongs to refractoriness.
    """
    highest = float(counts.max(initial=0.0))
    if snn.neuron.refractory_steps(snn.dt) or highest < BELOW_STAIRS * snn.steps:
        return None
    return highest if (wanted > highest).mean() > _SATURATED_SHARE else None


def _dead(layer: Layer, recorded: Mapping[str, Floats], slopes: Mapping[str, float]) -> Booleans:
    """Neurons ``[unit]`` without a spike that should have many, by the ANN's weights and what their
    sources sent. Some may only be late.
    """
    if not layer.counted:
        return layer.dead
    z = layer.bias + sum(recorded[t.source] / slopes[t.source] @ t.wanted.T for t in layer.terms)
    wanted = layer.expected(z, frozenset())
    fires = recorded[layer.name].any(axis=0)
    if not fires.any() and (wanted >= _DEAD_SPIKES).any():
        return np.any(wanted >= ABOVE_SILENCE, axis=0)
    often = (wanted >= _DEAD_SPIKES).mean(axis=0) >= _DEAD_SHARE
    dead: Booleans = np.logical_and(often, ~fires)
    return dead


def _calmed(
    layer: Layer,
    sources: Mapping[str, Layer],
    shown: Mapping[str, Floats],
    slopes: Mapping[str, float],
) -> Floats:
    """The share of a layer's deviations ``[unit]`` that remains with its sources' units in balance.

    Charge that arrives in spikes at irregular times has the variance Σ (charge of a spike)² ·
    spikes. In balance a source has h times as many spikes, and each brings 1/h of the charge.
    """
    before, after = np.zeros_like(layer.calmed), np.zeros_like(layer.calmed)
    for term in layer.terms:
        slope = slopes[term.source]
        even = sources[term.source].evened if term.source in sources else np.ones_like(term.taken)
        # The charge of a spike, except for a factor of the whole layer.
        spikes = slope * shown[term.source].mean(axis=0)
        weights = np.square(term.factor * term.found / slope)
        before += weights @ (spikes * term.taken**2)
        after += weights @ (spikes / even)
    share = np.ones_like(before)
    np.divide(after, before, out=share, where=before > after)
    return np.sqrt(share)


def _deviation(layer: Layer, line: tuple[float, float], sums: Floats, counts: Floats) -> Floats:
    """d: the deviation of counts ``[batch, unit]`` from the line of their run, without rounding.

    It is in spikes of the actual run.
    """
    gain, offset = line
    y = replace(layer, gain=gain, offset=offset).expected(sums, _RATES)
    if not layer.counted:
        return (counts - y) * (layer.gain / gain)
    off = counts - np.maximum(y, 0.0)
    off[:, layer.dead] = 0.0
    firing = off[(y > ABOVE_SILENCE) | (counts > 0)]
    variance = float(firing.var()) if firing.size else 0.0
    left = max(1.0 - _VARIANCE_OF_ROUNDING / variance, 0.0) if variance > 0 else 0.0
    rest = np.clip(np.sqrt(left) * off, off - _HALF, off + _HALF)
    return rest * (layer.gain / gain)
