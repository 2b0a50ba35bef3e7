"""From activations to spike counts: the analytic part of the transfer.

A population p is to emit κ_p · a spikes where the ANN shows the activation a, with

    κ_p = N / λ_p,    N = rate_max · duration,    λ_p = A_p · rate_max / full_rate,

where rate_max is that of the input coding. A_p is a high percentile of its activations; there it
fires at full_rate. The maximum is not used, because one outlier would cost all others their
resolution (Rueckauer et al. 2017). The inputs have λ = 1.

A neuron spends θ = v_thresh − v_reset mV on a spike, which is what a spike of weight u brings
(the neuron's ``synapse_units``; for IFCurrDelta u = θ), so the charge that the ANN's weighted sum
W a + b stands for is θ κ_p (W a + b). It comes as spikes, each of which stands for 1/κ_q of the
presynaptic activation, and as a constant current over the whole duration T:

    w = u κ_p / κ_q · W  a spike,        I_bias = θ κ_p b / (T (1 − a) R / dt)  nA.

The leak takes (V − v_rest)(1 − a) a step, and a constant current of (V* − v_rest) / R makes up for
it where V is at V*, the neuron's ``operating_point``. Gains and offset, 1 and 0 here, are what the
calibration corrects; the bias goes with the excitation.

The outputs compete only with each other, and a shift common to all does not change softmax. So
their zero is at the median of the runners-up, and spikes are spent on the difference between
winners. It is no higher than almost all winners, or all outputs would be silent for some stimuli.
The outputs share one λ, so that their counts can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from volr.checks.annotations import shown, type_of
from volr.errors import ModelError
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.network import Network
    from volr.transfer.settings import TransferSettings

# The percentile of the winners' logits at which an output is at rate_max. It is lower than that of
# hidden populations, because an output that wins by far may saturate.
OUTPUT_PERCENTILE = 99.0
# The highest percentile of the winners' logits for silence. Below it all outputs would be silent.
SILENT_PERCENTILE = 1.0


@dataclass(frozen=True)
class Scale:
    """The meaning of counts: ``activation`` (λ) above ``zero`` at the inputs' rate_max."""

    activation: float
    zero: float = 0.0


@dataclass(frozen=True)
class Correction:
    """The calibration's change of a population, the same for every neuron.

    ``excitation`` multiplies positive weights and the bias, ``inhibition`` negative weights;
    ``offset`` is a current in nA.
    """

    excitation: float = 1.0
    inhibition: float = 1.0
    offset: float = 0.0

    def moved(self, excitation: float, inhibition: float, current: float) -> Correction:
        """The gains changed by a fraction of themselves, the offset by a ``current`` in nA."""
        return Correction(
            self.excitation * (1.0 + excitation),
            self.inhibition * (1.0 + inhibition),
            self.offset + current,
        )


def scales(
    network: Network, activations: Mapping[str, Floats], settings: TransferSettings
) -> dict[str, Scale]:
    """The scale of every population, from its activations ``[batch, unit]`` on training stimuli."""
    found = {name: Scale(1.0) for name in network.inputs}
    share = settings.input_coding.rate_max / settings.full_rate
    for population in network.layers:
        if population.name not in network.outputs:
            shown = activations[population.name]
            found[population.name] = Scale(share * _level(shown, settings.percentile))
    logits = np.concatenate([activations[name] for name in network.outputs], axis=1)
    zero = _zero(logits)
    level = share * _level(logits.max(axis=1) - zero, OUTPUT_PERCENTILE)
    found.update({name: Scale(level, zero) for name in network.outputs})
    return found


def check_scales(network: Network, given: object) -> None:
    """Raise ``ModelError`` unless what was given has a scale for every population."""
    names = [population.name for population in network.populations]
    way = f"give each population its volr.transfer.scaling.Scale: {', '.join(names)}"
    if not isinstance(given, Mapping):
        raise ModelError(
            f"scale is {shown(given)}, {type_of(given)} and not scales by population",
            help=way,
        )
    scale = cast("Mapping[str, object]", given)
    for name in names:
        if not isinstance(scale.get(name), Scale):
            found = shown(scale[name]) if name in scale else "nothing"
            raise ModelError(f"scale has {found} for {name!r}, not a Scale", help=way)


def _zero(logits: Floats) -> float:
    """The logit of silence, from logits ``[batch, unit]``; 0 for a single output."""
    if logits.shape[1] == 1:
        return 0.0
    ranked = np.sort(logits, axis=1)
    lowest_winner = float(np.percentile(ranked[:, -1], SILENT_PERCENTILE))
    return min(float(np.median(ranked[:, -2])), lowest_winner)


def _level(values: Floats, percentile: float) -> float:
    """The percentile if it is above 0, else the maximum if that is above 0, else 1."""
    for level in (float(np.percentile(values, percentile)), float(values.max())):
        if level > 0:
            return level
    return 1.0


def full_count(settings: TransferSettings) -> float:
    """N, the spikes of an input of 1 in one stimulus."""
    return settings.input_coding.rate_max * settings.duration / 1000.0


def wanted_counts(activations: Floats, scale: Scale, settings: TransferSettings) -> Floats:
    """κ (a − zero), in the shape of ``activations``; negative where the neuron should be silent."""
    return (activations - scale.zero) * (full_count(settings) / scale.activation)


def spiking_model(
    model: ArtificialModel,
    network: Network,
    scale: Mapping[str, Scale],
    correction: Mapping[str, Correction],
    settings: TransferSettings,
) -> SpikingModel:
    """The spiking model for ``network``, which is the artificial model's or its first layers."""
    neuron = settings.neuron
    excitation, inhibition = neuron.synapse_units
    base = neuron.leak_current - neuron.i_offset
    kappa = {name: full_count(settings) / each.activation for name, each in scale.items()}
    values: dict[str, Floats] = {}
    for population in network.layers:
        name = population.name
        corrected = correction[name]
        for projection in network.incoming[name]:
            weight = model.parameters[weight_name(projection)]
            unit = np.where(
                weight < 0, inhibition * corrected.inhibition, excitation * corrected.excitation
            )
            spikes = kappa[name] / kappa[projection.source]
            values[weight_name(projection)] = unit * spikes * weight
        bias = model.parameters.get(bias_name(population), np.zeros(population.shape[0]))
        spikes = corrected.excitation * kappa[name]
        current = settings.current_of_one_spike * spikes * (bias - scale[name].zero)
        values[bias_name(population)] = current + base + corrected.offset
    return settings.model(network, values)
