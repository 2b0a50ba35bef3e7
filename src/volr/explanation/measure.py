"""From recorded counts to the count model: lines, deviations, and dead neurons.

A count n deviates from the line's value y by e = n − y. A part of e is rounding, which the model
does itself; the rest d is given to the model. With d = √w e, w = 1 − (1/12)/Var e, and the variance
1/12 of rounding, both together have the variance of e. d is kept within ½ of e, so that y + d
rounded is exactly n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.reference import activations
from volr.explanation import variants
from volr.explanation.bare_layers import asked_slopes, bare_layer
from volr.explanation.counts import CountModel
from volr.explanation.lines import ABOVE_SILENCE, BELOW_STAIRS, fit_line
from volr.explanation.remedies import settings_of
from volr.explanation.unit_scales import Units, evened, read_units
from volr.explanation.wiring import is_calibrated, wirings
from volr.models.coding import by_input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Progress, Simulator
    from volr.checks.arrays import Booleans, Floats
    from volr.explanation.causes import Cause, Dynamic
    from volr.explanation.counts import Layer
    from volr.explanation.wiring import Wiring
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Samples

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


@dataclass(frozen=True, eq=False)
class Measured:
    """The count ``model``, and what it was made from.

    ``units`` are the scales that were read, ``wirings`` are by population. ``recorded`` counts and
    ``wanted`` counts, the ANN's activations in spikes, are ``[batch, unit]`` by population.
    ``full`` is the number of spikes of a full input.
    """

    model: CountModel
    units: Units
    wirings: Mapping[str, Wiring]
    recorded: Mapping[str, Floats]
    wanted: Mapping[str, Floats]
    full: float


def measure(
    ann: ArtificialModel,
    snn: SpikingModel,
    samples: Samples,
    simulator: Simulator,
    engine: Simulator,
    mechanisms: tuple[Dynamic, ...],
    *,
    seed: int,
    progress: Progress | None = None,
) -> Measured:
    """Run the model on ``simulator`` and its variants without ``mechanisms`` on ``engine``, and fit
    the count model.
    """
    units = read_units(ann, snn)
    wired = wirings(units, snn)
    actual = frozenset(mechanisms)
    runs = {
        left_in: variants.run(
            variants.variant(snn, actual - left_in, wired),
            samples.inputs,
            simulator if left_in == actual else engine,
            late="transient" in actual - left_in,
            seed=seed,
            progress=progress,
        )
        for left_in in variants.subsets(mechanisms)
    }
    network, recorded = snn.network, runs[actual]
    shown = activations(units.ann, samples.inputs)
    full = snn.coding.rate_max * snn.duration / 1000.0
    asked = asked_slopes(wired)
    # The most spikes that a transfer would give a neuron in one stimulus.
    fullest = settings_of(snn, seed).full_rate * snn.duration / 1000.0
    slopes = dict.fromkeys(network.inputs, full)
    # The scale of the counts of each run, which may be another one without a mechanism.
    of_run = {left_in: dict(slopes) for left_in in runs}
    layers: dict[str, Layer] = {}
    hidden = [(p.name,) for p in network.layers if p.name not in network.outputs]
    # The outputs are compared with each other, so they share one line.
    for names in (*hidden, network.outputs):
        bare = {name: bare_layer(snn, name, wired[name], shown[name], slopes) for name in names}
        fits = {
            left_in: fit_line(
                bare,
                {name: wired[name] for name in names},
                counts,
                of_run[left_in],
                _room(snn, rests="refractory" not in actual - left_in),
            )
            for left_in, counts in runs.items()
        }
        # The spikes that refractoriness takes belong to that cause and not to the line. The same
        # holds for spikes that come too late, if these are most of them.
        fit = fits[actual - {"refractory"}]
        prompt = fits[actual - {"refractory", "transient"}]
        if not is_calibrated(fit.slope / prompt.slope):
            fit = prompt
        for name in names:
            ratio = fit.slope / asked.get(name, fit.slope)
            slopes[name] = fit.slope if is_calibrated(ratio) else asked[name]
            for left_in, spikes in of_run.items():
                found = fits[left_in - {"refractory"}].slope
                spikes[name] = _nearest(asked.get(name), slopes[name], found)
            ceiling = _ceiling(snn, slopes[name] * fits[actual].sums[name], recorded[name])
            # A population that saturates has no line.
            on_line = ceiling is None or name in network.outputs
            layer = replace(
                bare[name],
                slope=slopes[name],
                gain=fit.gain if on_line else slopes[name],
                offset=fit.offset if on_line else 0.0,
                most=float(snn.steps) if ceiling is None else ceiling,
            )
            driven = layer.expected(fits[actual].sums[name], frozenset({"scale"}))
            own = bare[name].slope
            # If a population should fire more than it can, a calibration finds another scale.
            is_full = (own * shown[name] > layer.most).mean() > _FULL_SHARE
            taken = 1.0 if is_full else asked.get(name, own) / own
            in_time = runs[actual - {"transient"}][name]
            layer = replace(
                layer,
                beyond=float((driven > layer.most).mean()),
                taken=1.0 if is_calibrated(taken) else taken,
                dead=_dead(layer, recorded, slopes) & ~in_time.any(axis=0),
            )
            deviations: dict[frozenset[Dynamic], Floats] = {}
            for left_in, counts in runs.items():
                is_actual = left_in | {"refractory"} >= actual
                straight = fits[left_in - {"refractory"}]
                # For the actual run it is the layer's own line, so that both add up to the count.
                line = (layer.gain, layer.offset) if is_actual else (straight.gain, straight.offset)
                deviations[left_in] = _deviation(
                    layer, line, fits[left_in].sums[name], counts[name]
                )
            even = evened(
                units.own.get(name, np.ones(layer.dead.size)),
                layer.badly_scaled,
                layer.slope * shown[name],
                fullest,
            )
            calmed = _calmed(layer, layers, shown, slopes)
            layers[name] = replace(layer, deviations=deviations, evened=even, calmed=calmed)
    model = CountModel(
        layers=tuple(layers[p.name] for p in network.layers),
        outputs=network.outputs,
        values=by_input(network, samples.inputs),
        spikes={name: recorded[name] / full for name in network.inputs},
        unpaused={name: runs[actual - {"refractory"}][name] / full for name in network.inputs},
        labels=samples.labels,
    )
    wanted = {
        layer.name: layer.slope * shown[layer.name] + (layer.offset if layer.output else 0.0)
        for layer in model.layers
    }
    return Measured(model, units, wired, recorded, wanted, full)


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
