"""Balance: hidden units get scales that can be compared.

A hidden unit of a ReLU network has an arbitrary scale. If its incoming weights and its bias are
multiplied by s > 0, and its outgoing weights divided by s, the network computes the same. A
transfer gives a whole population one rate for one activation, so it first chooses these scales.

In the balanced network, the path norm into every unit equals its path norm out:

    in²   =  Σ (w in)² over its sources + b²         1 for an input of the network
    out²  =  Σ (w out)² over its targets             1 for an output of the network
    c     =  √(in / out)                             the unit's scale: activations are divided by it

Rescaled by s, a unit has s · in and out / s. So its c is s times as large, and the balanced network
is the same. (Path norms: Neyshabur, Salakhutdinov & Srebro 2015. Stock et al. 2019 balance the
norms of the weights, by iteration; with one hidden layer that is the same.) In the balance, the sum
of squared weights is smallest. So weight decay brings networks near it, and networks that were
trained with weight decay have c near 1.

Where a kernel leads to a population, or reads it, its channels have one scale each, from the means
of in² and of out² over the channel. Populations at both ends of an identity have the same scales,
the geometric mean of what each alone would have; those that are tied to an input or an output keep
the scale 1.

If a network is rescaled by powers of two, its balanced network is the same to the last bit; with
other factors it is the same up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.models.parameters import bias_name, by_unit, weight_name
from volr.network import AllToAll
from volr.network.connectors import by_channel
from volr.network.scaling import has_channels, tied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.checks.arrays import Floats, Integers
    from volr.models.model import ArtificialModel
    from volr.network import Projection
    from volr.network.connectors import Shape

# The largest power of two by which the scales of a population may differ from 1. Beyond it, weights
# might leave the range of a float.
_FARTHEST = 300


def balanced(model: ArtificialModel) -> ArtificialModel:
    """The same function with every hidden unit in balance, for a network with ReLU."""
    return rescaled(model, {name: 1.0 / scale for name, scale in unit_scales(model).items()})


def rescaled(model: ArtificialModel, factors: Mapping[str, Floats]) -> ArtificialModel:
    """The model with the activations of hidden units multiplied by ``factors``, all above 0.

    They are ``[unit]`` by hidden population, as fine as ``unit_scales`` has them; a population that
    is left out stays as it is. With ReLU, which is homogeneous, the model computes the same.
    """
    network, values = model.network, dict(model.parameters)
    all_factors = {p.name: np.ones(p.size) for p in network.populations} | dict(factors)
    for projection in network.projections:
        after, before = all_factors[projection.target], all_factors[projection.source]
        name, ends = weight_name(projection), network.ends(projection)
        values[name] = projection.connector.rescaled(values[name], after, before, *ends)
    for population in network.layers:
        name, own = bias_name(population), factors.get(population.name)
        if own is not None and name in values:
            whole = len(values[name]) == population.size
            values[name] = values[name] * (own if whole else by_channel(own, population.shape))
    return replace(model, parameters=values)


def hidden_populations(model: ArtificialModel) -> tuple[str, ...]:
    """The populations that are neither inputs nor outputs, in order."""
    return tuple(p.name for p in model.network.layers if p.name not in model.network.outputs)


def unit_scales(model: ArtificialModel) -> dict[str, Floats]:
    """c ``[unit]`` of every hidden population.

    A unit without input, or without output, can have any scale. It gets the one that makes the
    other norm the population's median. Its counts are then neither rounded to 0 nor saturated.
    """
    network = model.network
    into, out = _norms_in(model), _norms_out(model)
    shared = {name: has_channels(network, name) for name in hidden_populations(model)}
    alone = {
        name: _scales(
            *(
                _by_channel(norm, network[name].shape) if shared[name] else norm
                for norm in (into[name], out[name])
            )
        )
        for name in shared
    }
    found: dict[str, Floats] = {}
    for name, own in alone.items():
        group = tied(network, [name])
        if len(group) > 1:
            fixed = any(each not in alone for each in group)
            logs = [np.log(alone[each]) for each in sorted(group)] if not fixed else []
            own = np.ones_like(own) if fixed else np.exp(np.mean(logs, axis=0))
        found[name] = by_unit(network[name], own)
    return found


def _by_channel(norm: _Norm, shape: Shape) -> _Norm:
    """The root of the mean square over each channel, ``[channel]``."""
    squares = np.square(norm.value).reshape(shape[0], -1).mean(axis=1)
    return _Norm(np.sqrt(squares), norm.exponent)


def _scales(norm_in: _Norm, norm_out: _Norm) -> Floats:
    into, out = norm_in.value, norm_out.value
    whole = (into > 0) & (out > 0)
    typical = float(np.median(np.sqrt(into[whole] * out[whole]))) if whole.any() else 1.0
    scales = np.ones_like(into)
    np.sqrt(np.divide(into, out, where=whole, out=scales), where=whole, out=scales)
    np.divide(into, typical, where=(into > 0) & ~whole, out=scales)
    np.divide(typical, out, where=(out > 0) & ~whole, out=scales)
    # The limit may leave a factor that all units share. The population's scale removes it.
    shared = (norm_in.exponent - norm_out.exponent) // 2
    return np.ldexp(scales, min(max(shared, -_FARTHEST), _FARTHEST))


@dataclass(frozen=True, eq=False)
class _Norm:
    """``value`` ``[unit]`` · 2^``exponent``; path norms of many layers exceed a float's range.

    Exponents are even, so that the root of a quotient stays exact.
    """

    value: Floats
    exponent: int


def _norms_in(model: ArtificialModel) -> dict[str, _Norm]:
    network = model.network
    found = {name: _Norm(np.ones(network[name].size), 0) for name in network.inputs}
    one = _Norm(np.ones(1), 0)
    for population in network.layers:
        paths = [
            (_synapses(model, each), found[each.source])
            for each in network.incoming[population.name]
        ]
        if (bias := model.parameters.get(bias_name(population))) is not None:
            paths.append((_Synapses(by_unit(population, bias)[:, None]), one))
        found[population.name] = _through(population.size, paths)
    return found


def _norms_out(model: ArtificialModel) -> dict[str, _Norm]:
    network = model.network
    found = {name: _Norm(np.ones(network[name].size), 0) for name in network.outputs}
    for name in reversed(hidden_populations(model)):
        found[name] = _through(
            network[name].size,
            [
                (_synapses(model, each).turned(), found[each.target])
                for each in network.projections
                if each.source == name
            ],
        )
    return found


@dataclass(frozen=True, eq=False)
class _Synapses:
    """Weights ``[unit, end]``; or only those that there are, with the unit and the end of each."""

    weights: Floats
    unit: Integers | None = None
    end: Integers | None = None

    def turned(self) -> _Synapses:
        """The same from the other side."""
        weights = self.weights.T if self.unit is None else self.weights
        return _Synapses(weights, self.end, self.unit)

    def times(self, ends: Floats) -> Floats:
        """The weights, each multiplied by what is at its end."""
        return self.weights * (ends if self.end is None else ends[self.end])

    def summed(self, size: int, values: Floats) -> Floats:
        """The sum over the ends of each unit, ``[unit]``; values as those of ``times``."""
        if self.unit is None:
            return values.sum(axis=1)
        found: Floats = np.zeros(size)
        np.add.at(found, self.unit, values)
        return found


def _synapses(model: ArtificialModel, projection: Projection) -> _Synapses:
    """The synapses of a projection; its units are those of the target."""
    weights = model.parameters[weight_name(projection)]
    if isinstance(projection.connector, AllToAll):
        return _Synapses(weights)
    blocks = list(projection.connector.entries(*model.network.ends(projection)))
    return _Synapses(
        np.concatenate([each.factor * weights.flat[each.index] for each in blocks]),
        np.concatenate([each.post for each in blocks]),
        np.concatenate([each.pre for each in blocks]),
    )


def _through(size: int, paths: Sequence[tuple[_Synapses, _Norm]]) -> _Norm:
    """√ Σ (w n)² ``[unit]`` over ``paths``, to the norms of their ends."""
    most = max(norm.exponent for _, norm in paths)
    steps = [
        (synapses, synapses.times(np.ldexp(norm.value, norm.exponent - most)))
        for synapses, norm in paths
    ]
    largest = max(float(np.abs(step).max(initial=0.0)) for _, step in steps)
    shift = 2 * (int(np.frexp(largest)[1]) // 2)
    squares = sum(
        synapses.summed(size, np.square(np.ldexp(step, -shift))) for synapses, step in steps
    )
    return _Norm(np.sqrt(squares), most + shift)
