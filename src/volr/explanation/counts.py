"""A model of spike counts between the ANN and the spiking network, with a switch for each cause.

With all causes off it is the ANN. With all on, its counts are exactly those that were recorded.
From the activations a of its sources, a population with the causes S has the count n:

    z  =  Σ φ W t a + b               W, b: those of the SNN if sign, weights, bias ∈ S;
                                      φ = 1 unless scale ∈ S, t = 1 unless units ∈ S
    y  =  κ h z,  or g h z + o        the latter if scale ∈ S, or it is an output;
                                      h = 1 if units ∈ S
    y  ←  min(y, the most that its neurons reach)                    saturation ∈ S
    n  =  y + d,  d the deviation of the simulator's counts          integration ∈ S
    n  ←  n rounded, and not below 0                                 quantisation ∈ S
    n  ←  0 for dead neurons                                         dead ∈ S

and n/(κ h) is its activation.

κ     the spikes that are an activation of 1 for the population's targets
g, o  the straight line of its counts, by least squares: it separates what a whole population does
      from what single neurons do
φ, t  how far a target disagrees with κ, for the whole population and for single units
h     the count of a unit in balance, over its count here: a badly scaled unit has too many spikes
      or too few, or leaves too few to the others. In balance d is smaller too: that of the unit
      itself if it has fewer spikes there, and that of its targets if each spike brings less charge
d     measured in the network with exactly those of the causes reset, refractory, transient and
      driving that are in S (see ``measure``)

Outputs with the same count are ordered by y unless ties ∈ S.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.explanation.causes import Cause, Dynamic

OF_WIRING: frozenset[Cause] = frozenset({"sign", "weights", "bias", "units", "scale", "dead"})


@dataclass(frozen=True, eq=False)
class Term:
    """The input from ``source``: weights ``[post, pre]`` in the ANN's units.

    ``wanted``: the ANN's; ``signed``: with the SNN's signs; ``found``: the SNN's. ``factor`` is φ,
    ``taken`` ``[pre]`` is t.
    """

    source: str
    wanted: Floats
    signed: Floats
    found: Floats
    factor: float
    taken: Floats

    def weights(self, causes: frozenset[Cause]) -> Floats:
        base = self.signed if "sign" in causes else self.wanted
        if "weights" in causes:
            base = base + (self.found - self.signed)
        if "units" in causes:
            base = base * self.taken
        return base * self.factor if "scale" in causes else base


@dataclass(frozen=True, eq=False)
class Layer:
    """A population that computes.

    ``bias``, ``found_bias``      ``[unit]``, the ANN's and the SNN's, in the ANN's units
    ``badly_scaled``              ``[unit]``; the SNN's biases of these belong to the cause units
    ``evened``                    ``[unit]``, h
    ``calmed``                    ``[unit]``, the share of the deviations that remains if the units
                                  of its sources are in balance
    ``slope``, ``gain``, ``offset``    κ, g and o, spikes
    ``most``                      where counts saturate
    ``beyond``                    the share of counts that the recorded sources drive beyond that
    ``taken``                     the scale of a spike in the targets' weights, over its scale in
                                  its own; 1 if a calibration may have made the difference
    ``dead``                      ``[unit]``
    ``counted``                   False for outputs whose membrane is read: they have neither limits
                                  nor whole numbers
    ``deviations``                ``[batch, unit]``, by the mechanisms that are left in
    """

    name: str
    terms: tuple[Term, ...]
    bias: Floats
    found_bias: Floats
    badly_scaled: Booleans
    evened: Floats
    calmed: Floats
    slope: float
    gain: float
    offset: float
    most: float
    beyond: float
    taken: float
    dead: Booleans
    output: bool
    counted: bool
    deviations: Mapping[frozenset[Dynamic], Floats]

    def expected(self, z: Floats, causes: frozenset[Cause]) -> Floats:
        """y for the weighted sums ``z [batch, unit]``."""
        line = self.output or "scale" in causes
        z = z * self.share(causes)
        y = self.gain * z + self.offset if line else self.slope * z
        if self.counted:
            if not self.output:
                np.maximum(y, 0.0, out=y)
            if "saturation" in causes:
                np.minimum(y, self.most, out=y)
        return y

    def counts(self, y: Floats, causes: frozenset[Cause], *, calm: bool = False) -> Floats:
        """n for the expected counts ``y [batch, unit]``.

        ``calm`` is for sources whose units are in balance.
        """
        n = y
        if "integration" in causes:
            left_in = self.mechanisms.intersection(causes)
            # Fewer counts have a smaller deviation.
            off = self.deviations[left_in] * np.minimum(self.share(causes), 1.0)
            off = off * self.calmed if calm else off
            n = (np.maximum(y, 0.0) if self.counted else y) + off
        if "quantisation" in causes and self.counted:
            n = np.maximum(np.rint(n), 0.0)
        if "dead" in causes and self.dead.any():
            n = np.where(self.dead, 0.0, n)
        return n

    def share(self, causes: frozenset[Cause]) -> Floats:
        """h ``[unit]`` with these causes."""
        return np.ones_like(self.evened) if "units" in causes else self.evened

    @property
    def is_off_scale(self) -> bool:
        """Whether its weights, or its targets', are for spikes of another scale."""
        return self.taken != 1.0 or any(term.factor != 1.0 for term in self.terms)

    @property
    def mechanisms(self) -> frozenset[Dynamic]:
        """All mechanisms that the deviations distinguish."""
        return max(self.deviations, key=len)


@dataclass(frozen=True, eq=False)
class CountModel:
    """The layers in order, and the stimuli.

    ``values``, ``spikes`` and ``unpaused`` ``[batch, unit]`` are, by input, the values, the
    recorded counts as values, and the same without refractoriness. ``labels`` ``[batch]`` are the
    right answers.
    """

    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]
    values: Mapping[str, Floats]
    spikes: Mapping[str, Floats]
    unpaused: Mapping[str, Floats]
    labels: Integers
    _sums: dict[tuple[object, ...], Floats] = field(
        default_factory=dict[tuple[object, ...], "Floats"]
    )

    @property
    def populations(self) -> tuple[str, ...]:
        return (*self.values, *(layer.name for layer in self.layers))

    def correct(self, causes: Mapping[str, frozenset[Cause]]) -> Booleans:
        """Which stimuli ``[batch]`` are labelled correctly, with these causes by population."""
        expected, counts = self.counts(causes)
        read = np.concatenate([counts[name] for name in self.outputs], axis=1)
        if any("ties" in causes[name] for name in self.outputs):
            return read.argmax(axis=1) == self.labels
        first = read == read.max(axis=1, keepdims=True)
        fine = np.concatenate([expected[name] for name in self.outputs], axis=1)
        return np.where(first, fine, -np.inf).argmax(axis=1) == self.labels

    def counts(
        self, causes: Mapping[str, frozenset[Cause]]
    ) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """y and n ``[batch, unit]`` of every layer, with these causes by population."""
        expected: dict[str, Floats] = {}
        counts: dict[str, Floats] = {}
        sent = {name: self._given(name, causes[name]) for name in self.values}
        for layer in self.layers:
            on = causes[layer.name]
            expected[layer.name] = layer.expected(self._sum(layer, sent, causes), on)
            calm = any("units" not in causes[term.source] for term in layer.terms)
            counts[layer.name] = layer.counts(expected[layer.name], on, calm=calm)
            sent[layer.name] = counts[layer.name] / (layer.slope * layer.share(on))
        return expected, counts

    def _given(self, name: str, causes: frozenset[Cause]) -> Floats:
        """The values of an input, as far as coding and refractoriness change them."""
        values = self.values[name]
        if "coding" in causes and "refractory" in causes:
            return self.spikes[name]
        if "coding" in causes:
            return self.unpaused[name]
        if "refractory" in causes:
            return values + (self.spikes[name] - self.unpaused[name])
        return values

    def _sum(
        self, layer: Layer, sent: Mapping[str, Floats], causes: Mapping[str, frozenset[Cause]]
    ) -> Floats:
        """z. After the inputs it is the largest product, and it is kept: few causes change it."""
        on = causes[layer.name] & OF_WIRING
        sources = tuple(term.source for term in layer.terms)
        if any(source not in self.values for source in sources):
            return weighted_sum(layer, sent, on)
        given = tuple(causes[source] & {"coding", "refractory"} for source in sources)
        key = layer.name, on, given
        if key not in self._sums:
            self._sums[key] = weighted_sum(layer, sent, on)
        return self._sums[key]


def weighted_sum(layer: Layer, sent: Mapping[str, Floats], causes: frozenset[Cause]) -> Floats:
    """z ``[batch, unit]`` of the activations ``sent``; dead neurons have the ANN's weights."""
    z = sum(sent[term.source] @ term.weights(causes).T for term in layer.terms)
    is_found = np.where(layer.badly_scaled, "units" in causes, "bias" in causes)
    z = z + np.where(is_found, layer.found_bias, layer.bias)
    if layer.dead.any():
        alive = sum(sent[term.source] @ term.wanted[layer.dead].T for term in layer.terms)
        z[:, layer.dead] = alive + layer.bias[layer.dead]
    return z
