"""From recorded counts to the model of them: lines, deviations, and who is dead.

A count n is off what the line says, y, by e = n − y. A part of that is rounding, which the model
does itself, for whatever y it has; the rest d is handed to it. With d = √w e, w = 1 − (1/12)/Var e,
and the variance 1/12 of the rounding, both come out as large as they are together; d is kept
within ½ of e, so that y + d rounded is n, exactly.
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

# A neuron is dead that has no spike at all where it should have had this many, in this share of
# the stimuli: more than rounding to whole spikes could hide.
_DEAD_SPIKES, _DEAD_SHARE = 1.5, 0.01
# A population saturates where so many of its counts were to be higher than any is.
_SATURATED_SHARE = 0.005
# Or, on the scale of its own weights, so many; then its targets' scale tells nothing.
_FULL_SHARE = 0.05
# Rounded to whole numbers, anything is off by ±½, evenly.
_HALF, _VARIANCE_OF_ROUNDING = 0.5 - 1e-9, 1.0 / 12.0

_RATES: frozenset[Cause] = frozenset({"scale", "saturation"})


@dataclass(frozen=True, eq=False)
class Measured:
    """``model``, of the counts; ``units``, whose scales were read; ``wirings`` by population;
    ``recorded`` ``[batch, unit]``, what was counted, and ``wanted``, what the ANN's activations are
    in spikes, by population; ``full``, the spikes of a full input.
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
    what came out.
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
    # What the counts of each run stand for, which without a mechanism may be something else.
    of_run = {left_in: dict(slopes) for left_in in runs}
    layers: dict[str, Layer] = {}
    hidden = [(p.name,) for p in network.layers if p.name not in network.outputs]
    # The outputs are compared with each other, so they have one line between them.
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
        # What a pause takes, from all counts or from some, is to be its affair and not the line's;
        # and so is what comes too late, where that is the most of it.
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
            # What saturates is on no line.
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
            # Of a population that is to fire more than it can, a calibration learns another scale.
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
                # Of the actual run, what the layer's own line leaves: both together are the count.
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
    """The slope of a run's counts: its own, or the actual run's where that is nearer to what the
    targets' weights ask for. A transfer makes these for one or the other: calibrated, a network has
    its mechanisms in it; and where one was put in afterwards, it had them without.
    """
    if asked is None or min(asked, actual, own) <= 0:
        return actual
    return min(actual, own, key=lambda each: abs(math.log(each / asked)))


def _room(snn: SpikingModel, *, rests: bool) -> float:
    """The most spikes of a neuron in one stimulus, with refractoriness or without."""
    return float(snn.neuron.most_spikes(snn.dt, snn.steps) if rests else snn.steps)


def _ceiling(snn: SpikingModel, wanted: Floats, counts: Floats) -> float | None:
    """The highest of the counts ``[batch, unit]``, where they saturate: where neurons that come
    near to a spike each step go no further although more is ``wanted``. How far they get where they
    pause is the affair of refractoriness.
    """
    highest = float(counts.max(initial=0.0))
    if snn.neuron.refractory_steps(snn.dt) or highest < BELOW_STAIRS * snn.steps:
        return None
    return highest if (wanted > highest).mean() > _SATURATED_SHARE else None


def _dead(layer: Layer, recorded: Mapping[str, Floats], slopes: Mapping[str, float]) -> Booleans:
    """Neurons ``[unit]`` without a spike, that the ANN's weights on what they got ask many of. Some
    may only be late.
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
    """What is left of a layer's deviations ``[unit]`` with its sources' units in balance.

    Charge that comes in spikes at irregular times has the variance Σ (charge of a spike)² · spikes.
    In balance a source's spikes are h times as many, and each brings so much less.
    """
    before, after = np.zeros_like(layer.calmed), np.zeros_like(layer.calmed)
    for term in layer.terms:
        slope = slopes[term.source]
        even = sources[term.source].evened if term.source in sources else np.ones_like(term.taken)
        # What a spike brings, but for a factor of the layer's own.
        spikes = slope * shown[term.source].mean(axis=0)
        weights = np.square(term.factor * term.found / slope)
        before += weights @ (spikes * term.taken**2)
        after += weights @ (spikes / even)
    share = np.ones_like(before)
    np.divide(after, before, out=share, where=before > after)
    return np.sqrt(share)


def _deviation(layer: Layer, line: tuple[float, float], sums: Floats, counts: Floats) -> Floats:
    """d: what counts ``[batch, unit]`` are off the line of their own run, rounding aside, in spikes
    of the actual one.
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
