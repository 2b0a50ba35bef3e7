"""The model of rates for backpropagation: spike counts as differentiable functions of charge.

A population has the parameters w and b, in units of training (``spiking_units``), and n_q spikes
from each source q in the duration T. The charge that arrives, in spikes, is

    z = Σ_q w n_q + (b − l) T/τ_m,    l = (½ (v_thresh + v_reset) − v_rest)/θ − i_offset/rheobase

where l is the leak while the membrane is halfway between reset and threshold, as it is on average.
Without leak, l has no first term, and the duration T replaces τ_m (``current_unit``). The charge
gives

    f(z) = s log(1 + e^(z/s)),    f′(z) = 1 / (1 + e^(−z/s)) = 1 − e^(−f(z)/s),    s = ``TAIL``

spikes: z of them far above threshold, and almost none far below. But f′ is nowhere 0, so that a
silent neuron still learns, and no neuron dies for good. Both z and the measured count n, by f⁻¹(n),
show where on this curve a neuron is. The higher f′ of the two is used. For z ignores the times of
spikes, and that inhibition has less force on a low membrane. With z alone, neurons that fire
although z is far below 0 would have almost no derivative.

Outputs whose membrane is read only integrate. The charge z arrives evenly over the duration and
decays with τ_m, so the charge of each spike raises the mean of V by

    θ (τ_m/T) (1 − (τ_m/T) (1 − e^(−T/τ_m)))  mV,    or θ/2 without leak.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from volr.backends.torch.operations import by_unit, operation_of
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from volr.network import Network, Population
    from volr.neurons import NeuronModel

TAIL = 2.0
"""s, the number of spikes over which the curve bends."""
LEAST = 0.05
"""The least derivative, in spikes for the charge of a spike, far from the threshold."""


def charge(
    network: Network,
    population: Population,
    values: Mapping[str, Tensor],
    counts: Mapping[str, Tensor],
    neuron: NeuronModel,
    duration: float,
) -> Tensor:
    """z ``[batch, unit]`` of a population, from the ``counts`` ``[batch, unit]`` of its sources."""
    unit = current_unit(neuron, duration)
    # T/τ_m: the charge of a current of 1, in spikes.
    brought = duration / neuron.tau_m if neuron.leaks else 1.0
    bias = by_unit(values[bias_name(population)], population.size)
    z = (bias - _leak(neuron, unit)) * brought
    for projection in network.incoming[population.name]:
        arriving = operation_of(network, projection)
        z = z + arriving(counts[projection.source], values[weight_name(projection)])
    return z


def slope(z: Tensor, spikes: Tensor) -> Tensor:
    """f′ by the charge or by the measured ``spikes``, the higher of the two, elementwise."""
    return torch.maximum(torch.sigmoid(z / TAIL), -torch.expm1(-spikes / TAIL)).clamp(min=LEAST)


def membrane_slope(neuron: NeuronModel, duration: float) -> float:
    """How much a spike's charge raises the mean membrane, mV, of a neuron that does not spike."""
    if not neuron.leaks:
        return 0.5 * neuron.theta
    share = neuron.tau_m / duration
    return neuron.theta * share * (1.0 + share * math.expm1(-1.0 / share))


def _leak(neuron: NeuronModel, unit: float) -> float:
    """l, the current that compensates for the leak, in units of ``current_unit``."""
    lift = 0.5 * (neuron.v_thresh + neuron.v_reset) - neuron.v_rest
    return (lift / neuron.theta if neuron.leaks else 0.0) - neuron.i_offset / unit


def current_unit(neuron: NeuronModel, duration: float) -> float:
    """The current, nA, that is 1 in training: the rheobase, with the charge of a spike in τ_m.

    A neuron without leak has no rheobase. Its unit has the charge of a spike in the ``duration``,
    ms.
    """
    return neuron.rheobase if neuron.leaks else neuron.theta * neuron.cm / duration
