"""From activations to spike counts: the analytic part of the transfer.

A population p is to emit κ_p · a spikes where the ANN shows the activation a, with

    κ_p = N / λ_p,    N = rate_max · duration,

and λ_p the percentile of its activations: a high one instead of the largest, because one outlier
would cost all others their resolution (Rueckauer et al. 2017). The inputs have λ = 1.

A neuron spends θ = v_thresh − v_reset mV on a spike, which is what a spike of weight u brings
(``unit_weight``, and ``inhibitory_unit`` for negative weights; for IFCurrDelta u = θ), so the
charge that the ANN's weighted sum W a + b stands for is θ κ_p (W a + b). It comes as spikes, each
of which stands for 1/κ_q of the presynaptic activation, and as a constant current over the whole
duration T:

    w = u κ_p / κ_q · W  a spike,        I_bias = θ κ_p b / (T (1 − a) R / dt)  nA.

The leak takes (V − v_rest)(1 − a) a step, and on its way V is halfway between v_reset and v_thresh
on average: a constant current of (½ (v_thresh + v_reset) − v_rest) / R makes up for it. Gain and
offset, 1 and 0 here, are what the calibration corrects.

The outputs compete only with each other, and softmax does not see a shift common to all. So their
zero is put at the median of the runners-up, and spikes are spent on telling winners apart; but no
higher than almost all winners, or the outputs of some stimuli would all be silent. They share one
λ, or their counts could not be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.models.model import SpikingModel
from volr.models.neurons import IFCondExp, IFCurrDelta, IFCurrExp
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.models.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.models.neurons import NeuronModel
    from volr.network import Network
    from volr.transfer.settings import TransferSettings

# The winners' logits above which an output is at rate_max. Lower than the hidden populations'
# percentile: an output that wins by far may saturate.
OUTPUT_PERCENTILE = 99.0
# The winners' logits at which silence begins at the most: below it all outputs would be silent.
SILENT_PERCENTILE = 1.0
# mV: inhibition that only shunts has no driving force, and no weight makes up for that.
_LEAST_DRIVE = 1.0


@dataclass(frozen=True)
class Scale:
    """What the counts of a population stand for: ``activation`` (λ) at rate_max, above ``zero``."""

    activation: float
    zero: float = 0.0


@dataclass(frozen=True)
class Correction:
    """What calibration adds: weights and bias times ``gain``, ``offset`` nA for every neuron."""

    gain: float = 1.0
    offset: float = 0.0

    def moved(self, fraction: float, current: float) -> Correction:
        """The gain changed by a ``fraction`` of itself, the offset by a ``current`` in nA."""
        return Correction(self.gain * (1.0 + fraction), self.offset + current)


def scales(
    network: Network, activations: Mapping[str, Floats], settings: TransferSettings
) -> dict[str, Scale]:
    """The scale of every population, from its activations ``[batch, unit]`` on training stimuli."""
    found = {name: Scale(1.0) for name in network.inputs}
    for population in network.layers:
        if population.name not in network.outputs:
            shown = activations[population.name]
            found[population.name] = Scale(_level(shown, settings.percentile))
    logits = np.concatenate([activations[name] for name in network.outputs], axis=1)
    zero = _zero(logits)
    level = _level(logits.max(axis=1) - zero, OUTPUT_PERCENTILE)
    found.update({name: Scale(level, zero) for name in network.outputs})
    return found


def _zero(logits: Floats) -> float:
    """The logit that is to be silence, from logits ``[batch, unit]``; 0 for a single output."""
    if logits.shape[1] == 1:
        return 0.0
    ranked = np.sort(logits, axis=1)
    lowest_winner = float(np.percentile(ranked[:, -1], SILENT_PERCENTILE))
    return min(float(np.median(ranked[:, -2])), lowest_winner)


def _level(values: Floats, percentile: float) -> float:
    """The percentile where it is above 0, else the maximum where that is, else 1."""
    for level in (float(np.percentile(values, percentile)), float(values.max())):
        if level > 0:
            return level
    return 1.0


def full_count(settings: TransferSettings) -> float:
    """N, the spikes of a neuron at rate_max in one stimulus."""
    return settings.coding.rate_max * settings.duration / 1000.0


def wanted_counts(activations: Floats, scale: Scale, settings: TransferSettings) -> Floats:
    """κ (a − zero), in the shape of ``activations``; negative where the neuron should be silent."""
    return (activations - scale.zero) * (full_count(settings) / scale.activation)


def inhibitory_unit(neuron: NeuronModel) -> float:
    """What ``unit_weight`` is for a negative weight, the absolute value of it.

    Inhibitory synapses have another time constant, and conductances another driving force: some
    12 mV where excitation has 57, so that equal weights would be next to no inhibition.
    """
    match neuron:
        case IFCurrDelta():
            return neuron.unit_weight
        case IFCurrExp():
            return neuron.unit_weight * neuron.tau_syn_E / neuron.tau_syn_I
        case IFCondExp():
            middle = 0.5 * (neuron.v_thresh + neuron.v_reset)
            drive = max(abs(neuron.e_rev_I - middle), _LEAST_DRIVE)
            return neuron.theta * neuron.cm / (neuron.tau_syn_I * drive)


def spiking_model(
    model: ArtificialModel,
    network: Network,
    scale: Mapping[str, Scale],
    correction: Mapping[str, Correction],
    settings: TransferSettings,
) -> SpikingModel:
    """The spiking model for ``network``: the artificial model's, or its first layers."""
    neuron = settings.neuron
    excitation, inhibition = neuron.unit_weight, inhibitory_unit(neuron)
    lift = 0.5 * (neuron.v_thresh + neuron.v_reset) - neuron.v_rest
    base = lift / neuron.resistance - neuron.i_offset
    kappa = {name: full_count(settings) / each.activation for name, each in scale.items()}
    values: dict[str, Floats] = {}
    for population in network.layers:
        name = population.name
        spikes = correction[name].gain * kappa[name]
        for projection in network.incoming[name]:
            weight = model.parameters[weight_name(projection)]
            unit = np.where(weight < 0, inhibition, excitation)
            values[weight_name(projection)] = unit * spikes / kappa[projection.source] * weight
        bias = model.parameters[bias_name(population)] - scale[name].zero
        current = settings.current_of_one_spike * spikes * bias
        values[bias_name(population)] = current + base + correction[name].offset
    return SpikingModel(
        network=network,
        parameters=values,
        neuron=neuron,
        coding=settings.coding,
        dt=settings.dt,
        duration=settings.duration,
        delay=settings.delay_ms,
    )
