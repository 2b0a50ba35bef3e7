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

If a network is rescaled by powers of two, its balanced network is the same to the last bit; with
other factors it is the same up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel

# The largest power of two by which the scales of a population may differ from 1. Beyond it, weights
# might leave the range of a float.
_FARTHEST = 300


def balanced(model: ArtificialModel) -> ArtificialModel:
    """The same function with every hidden unit in balance, for a network with ReLU."""
    return rescaled(model, {name: 1.0 / scale for name, scale in unit_scales(model).items()})


def rescaled(model: ArtificialModel, factors: Mapping[str, Floats]) -> ArtificialModel:
    """The model with the activations of hidden units multiplied by ``factors``, all above 0.

    They are ``[unit]`` by hidden population; a population that is left out stays as it is. With
    ReLU, which is homogeneous, the model computes the same.
    """
    values = dict(model.parameters)
    for population in model.network.layers:
        own = factors.get(population.name)
        for projection in model.network.incoming[population.name]:
            name = weight_name(projection)
            if own is not None:
                values[name] = values[name] * own[:, None]
            if projection.source in factors:
                values[name] = values[name] / factors[projection.source]
        if own is not None:
            values[bias_name(population)] = values[bias_name(population)] * own
    return replace(model, parameters=values)


def hidden_populations(model: ArtificialModel) -> tuple[str, ...]:
    """The populations that are neither inputs nor outputs, in order."""
    return tuple(p.name for p in model.network.layers if p.name not in model.network.outputs)


def unit_scales(model: ArtificialModel) -> dict[str, Floats]:
    """c ``[unit]`` of every hidden population.

    A unit without input, or without output, can have any scale. It gets the one that makes the
    other norm the population's median. Its counts are then neither rounded to 0 nor saturated.
    """
    into, out = _norms_in(model), _norms_out(model)
    return {name: _scales(into[name], out[name]) for name in hidden_populations(model)}


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
            (model.parameters[weight_name(each)], found[each.source])
            for each in network.incoming[population.name]
        ]
        bias = model.parameters[bias_name(population)][:, None]
        found[population.name] = _through([*paths, (bias, one)])
    return found


def _norms_out(model: ArtificialModel) -> dict[str, _Norm]:
    network = model.network
    found = {name: _Norm(np.ones(network[name].size), 0) for name in network.outputs}
    for name in reversed(hidden_populations(model)):
        found[name] = _through(
            [
                (model.parameters[weight_name(each)].T, found[each.target])
                for each in network.projections
                if each.source == name
            ]
        )
    return found


def _through(paths: Sequence[tuple[Floats, _Norm]]) -> _Norm:
    """√ Σ (w n)² ``[unit]`` over ``paths``: weights ``[unit, end]`` and the norms of their ends."""
    most = max(norm.exponent for _, norm in paths)
    steps = [w * np.ldexp(norm.value, norm.exponent - most) for w, norm in paths]
    largest = max(float(np.abs(step).max(initial=0.0)) for step in steps)
    shift = 2 * (int(np.frexp(largest)[1]) // 2)
    squares = sum(np.square(np.ldexp(step, -shift)).sum(axis=1) for step in steps)
    return _Norm(np.sqrt(squares), most + shift)
