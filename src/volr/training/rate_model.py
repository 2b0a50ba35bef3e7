"""What stands for a spiking network on the way back: populations as rates, differentiable.

Of a population with the parameters w and b, in units of training (``spiking_form``), and n_q spikes
from each source q in the duration T, the charge that arrives, in spikes, is

    z = Σ_q w n_q + (b − l) T/τ_m,    l = (½ (v_thresh + v_reset) − v_rest)/θ − i_offset/rheobase

where l is what the leak takes while the membrane is halfway between reset and threshold, as it is
on average. Without leak nothing is taken, and the duration T takes the place of τ_m
(``current_unit``). Of the charge it makes

    f(z) = s log(1 + e^(z/s)),    f′(z) = 1 / (1 + e^(−z/s)) = 1 − e^(−f(z)/s),    s = ``TAIL``

spikes: all of z far above threshold, and next to none far below; but f′ is nowhere 0, so that
a silent neuron still learns, and no neuron dies for good. Where on this curve a neuron is, is said
by z, and by the n spikes that were measured, f⁻¹(n); what counts is the higher f′ of the two. For z
leaves out when spikes come, and that inhibition has less force on a membrane that is low: neurons
that fire although z is far below 0 would otherwise have next to no derivative.

Outputs whose membrane is read integrate: the charge z arrives evenly over the duration and decays
with τ_m, so with every spike's charge the mean of V rises by

    θ (τ_m/T) (1 − (τ_m/T) (1 − e^(−T/τ_m)))  mV,    or θ/2 without leak.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from volr.network import Network, Population
    from volr.neurons import NeuronModel

TAIL = 2.0
"""s, the number of spikes over which a neuron's answer to charge sets in."""
LEAST = 0.05
"""What a spike's worth of charge is held to be worth, in spikes, however far from the threshold."""


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
    # T/τ_m: the charge that a current of 1 brings, in spikes.
    brought = duration / neuron.tau_m if neuron.leaks else 1.0
    z = (values[bias_name(population)] - _leak(neuron, unit)) * brought
    for projection in network.incoming[population.name]:
        z = z + counts[projection.source] @ values[weight_name(projection)].T
    return z


def slope(z: Tensor, spikes: Tensor) -> Tensor:
    """f′ where charge and measured ``spikes`` put a neuron, the higher of the two, elementwise."""
    return torch.maximum(torch.sigmoid(z / TAIL), -torch.expm1(-spikes / TAIL)).clamp(min=LEAST)


def membrane_slope(neuron: NeuronModel, duration: float) -> float:
    """What a spike's charge adds to the mean membrane, mV, of a neuron that does not spike."""
    if not neuron.leaks:
        return 0.5 * neuron.theta
    share = neuron.tau_m / duration
    return neuron.theta * share * (1.0 + share * math.expm1(-1.0 / share))


def _leak(neuron: NeuronModel, unit: float) -> float:
    """l, the current that makes up for the leak, in units of ``current_unit``, nA."""
    lift = 0.5 * (neuron.v_thresh + neuron.v_reset) - neuron.v_rest
    return (lift / neuron.theta if neuron.leaks else 0.0) - neuron.i_offset / unit


def current_unit(neuron: NeuronModel, duration: float) -> float:
    """The current, nA, that is 1 in training: what brings a spike's charge in τ_m, the rheobase.

    A neuron without leak has no rheobase. There it is what brings a spike's charge in the
    ``duration``, ms.
    """
    return neuron.rheobase if neuron.leaks else neuron.theta * neuron.cm / duration
