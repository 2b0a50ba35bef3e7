"""Networks of neurons without leak, computed exactly: the oracle for ties at the threshold.

Everything is a ``Fraction``, so that nothing is ever rounded. Weights and currents are rational
parts of a spike's cost, so that sums are at the threshold exactly again and again.

A synapse (``IFCurrExp``) keeps half of its current in a step; its τ is dt / ln 2. What one spike
brings then comes near to the whole without ever being it, and what is at the threshold is decided
by ``TIE``: the one number that is taken from the code under test.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from tests.oracles import chain

from volr.models.coding import Poisson
from volr.models.model import SpikingModel
from volr.models.parameters import bias_name, weight_name
from volr.neurons import TIE, IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans
    from volr.neurons import NeuronModel, Reset

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Integrator:
    """The same network twice: as a ``model``, and exactly.

    ``charges`` ``[post][pre]``, mV, and ``pushes`` ``[unit]``, mV in a step, by layer.
    """

    model: SpikingModel
    charges: tuple[list[list[Fraction]], ...]
    pushes: tuple[list[Fraction], ...]
    known: dict[tuple[int, bytes], Booleans] = field(
        default_factory=dict[tuple[int, bytes], "Booleans"], repr=False, compare=False
    )
    """Layers that were computed already: simulators that are right have the same spikes."""

    def differing(self, spikes: Mapping[str, Booleans]) -> tuple[int, int, int]:
        """How many neuron-steps ``[time, batch, unit]`` differ, of how many, with how many spikes.

        Each layer is computed from the spikes that its sources had, so one mistake counts once.
        """
        network = self.model.network
        differ = total = fired = 0
        for k, layer in enumerate(network.layers):
            (projection,) = network.incoming[layer.name]
            found = spikes[layer.name]
            for stimulus in range(found.shape[1]):
                given = spikes[projection.source][:, stimulus]
                key = k, given.tobytes()
                if key not in self.known:
                    self.known[key] = self._layer(k, given)
                wanted = self.known[key]
                differ += int((wanted != found[:, stimulus]).sum())
                total, fired = total + wanted.size, fired + int(wanted.sum())
        return differ, total, fired

    def _layer(self, number: int, given: Booleans) -> Booleans:
        """Spikes ``[time, unit]`` of a layer, from those of its source."""
        neuron, d = self.model.neuron, self.model.delay_steps
        synapse = isinstance(neuron, IFCurrExp)
        rest, low, high = map(Fraction, (neuron.v_rest, neuron.v_reset, neuron.v_thresh))
        at = high - (high - low) * Fraction(TIE) if synapse else high
        pause = neuron.refractory_steps(self.model.dt)
        spikes = np.zeros((len(given), len(self.charges[number])), dtype=np.bool_)
        sent = [np.flatnonzero(row) for row in given]
        for unit, (row, push) in enumerate(
            zip(self.charges[number], self.pushes[number], strict=True)
        ):
            v, current, left = rest, Fraction(0), 0
            for k in range(len(given)):
                arrives = sum((row[i] for i in sent[k - d]), Fraction(0)) if k >= d else Fraction(0)
                if left == 0 or neuron.reset == "subtract":
                    v = _short(v + push + (current * HALF if synapse else arrives))
                current = _short(current * HALF + arrives)
                if left == 0 and v >= at:
                    spikes[k, unit] = True
                    v = low if neuron.reset == "hard" else v - (high - low)
                    left = pause
                else:
                    left = max(left - 1, 0)
        return spikes


def _short(value: Fraction) -> Fraction:
    """The value, or where it has become endlessly long, to 2^-200."""
    if value.denominator < 1 << 400:
        return value
    return Fraction(round(value * (1 << 200)), 1 << 200)


@cache
def integrator(
    seed: int,
    *,
    kind: str,
    reset: Reset,
    steps: int,
    rest: int = 0,
    refractory: int = 0,
    delay: int = 1,
    dt: float = 1.0,
) -> Integrator:
    """A random network of two layers with rational weights of both signs and currents.

    Spikes cost 1, 3 or 15 mV; the parts of them are tenths, thirds, sevenths, 64ths, …
    """
    random = np.random.default_rng(seed)
    sizes = [int(each) for each in random.integers(2, 5, 3)]
    low = Fraction(rest) - int(random.integers(0, 2))
    high = Fraction(rest) + int(random.choice([1, 3, 15]))
    theta, cm = high - low, [1.0, 0.25, 3.0][seed % 3]
    charges: list[list[list[Fraction]]] = []
    pushes: list[list[Fraction]] = []
    for pre, post in itertools.pairwise(sizes):
        parts = int(random.choice([1, 2, 3, 5, 7, 10, 64, 100]))
        unit = theta / parts if random.random() < 0.7 else Fraction(1, parts)
        rows = random.integers(-parts // 2 - 1, parts + 1, (post, pre)).tolist()
        charges.append([[each * unit for each in row] for row in rows])
        each = random.integers(2, 40, post).tolist()
        driven = random.random(post) < 0.3
        pushes.append(
            [
                theta / n if is_driven else Fraction(0)
                for n, is_driven in zip(each, driven, strict=True)
            ]
        )
    numbers = {
        "v_rest": float(rest),
        "v_reset": float(low),
        "v_thresh": float(high),
        "tau_m": math.inf,
        "cm": cm,
        "tau_refrac": refractory * dt,
    }
    neuron: NeuronModel
    if kind == "exp":
        tau = dt / math.log(2.0)
        neuron = IFCurrExp(**numbers, reset=reset, tau_syn_E=tau, tau_syn_I=tau)
        # Of a current of 1 nA half of its charge, τ/c_m, comes in a step.
        weight = cm / tau
    else:
        neuron, weight = IFCurrDelta(**numbers, reset=reset), 1.0
    network = chain(*sizes)
    values = {
        weight_name(p): weight * np.array(each, dtype=np.float64)
        for p, each in zip(network.projections, charges, strict=True)
    }
    values |= {
        bias_name(p): cm / dt * np.array(each, dtype=np.float64)
        for p, each in zip(network.layers, pushes, strict=True)
    }
    model = SpikingModel(
        network=network,
        parameters=values,
        neuron=neuron,
        coding=Poisson(1000.0 / dt),
        dt=dt,
        duration=steps * dt,
        delay=delay * dt,
    )
    return Integrator(model, tuple(charges), tuple(pushes))
