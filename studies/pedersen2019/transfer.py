"""From an artificial model to a spiking one, as a recipe says.

A switch can be thrown alone, so what is off has to mean something beside what is on. Signs and
biases are taken from the artificial network (``stripped``), and the transfer does as well as it can
with what is left. The lift that makes up for the leak is part of ``scaling``, not of ``biases``:
the artificial network has no such bias. So is the rate of the inputs.

Where the original does not say what it did, or cannot have meant what a switch needs:

- A population with several sources has them as one: n and the range of the weights are theirs
  together.
- Another neuron than the original's gets the charge that 0.065 / n µS bring in the original's.
- A bias beside weights by 0.065 / n counts as they do, a current that brings as much charge; and
  calibration beside them makes counts as large as these weights would if neurons were linear.
- The inputs have Volr's coding at 760 Hz. A current proportional to the value, 12 nA for the value
  1, gives as many spikes for the values 0 and 1 (at 0.1 ms without refractoriness: 38) and up to 2
  fewer in between. On MNIST the steps without ``scaling`` are at chance with either.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volr.models.coding import ConstantCurrent
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import bias_name, incoming_weights, weight_name
from volr.neurons import IFCondExp
from volr.transfer import TransferSettings, transfer_ann
from volr.transfer.scaling import Scale, full_count

if TYPE_CHECKING:
    from studies.pedersen2019.recipe import Recipe

    from volr.backends.base import Simulator
    from volr.checks.arrays import Floats
    from volr.models.samples import Samples
    from volr.network import Population
    from volr.transfer import CalibrationProgress

NEURON = IFCondExp()
"""The original's neuron."""
INPUTS = ConstantCurrent(760.0)
"""38 spikes in 50 ms for the value 1, as 12 nA give."""
LARGEST_WEIGHT = 0.065
"""µS: the original's weight scale, which n divides."""


def recipe_transfer(
    model: ArtificialModel,
    samples: Samples,
    simulator: Simulator,
    settings: TransferSettings,
    recipe: Recipe,
    *,
    progress: CalibrationProgress | None = None,
) -> SpikingModel:
    """The spiking model that the recipe makes of ``model``.

    Of ``settings`` neuron and timing hold in any case; the coding and the percentile belong to
    ``scaling``, rounds to ``calibration``. Raises as ``transfer_ann`` does.
    """
    left = stripped(model, recipe)
    if not recipe.calibration:
        settings = replace(settings, rounds=0)
    if recipe.scaling:
        return transfer_ann(left, samples, simulator, settings, progress=progress).model
    if recipe.calibration:
        settings = replace(settings, coding=INPUTS)
        scale = implied_scales(left)
        return transfer_ann(
            left, samples, simulator, settings, scale=scale, progress=progress
        ).model
    return unscaled(left, settings)


def stripped(model: ArtificialModel, recipe: Recipe) -> ArtificialModel:
    """The artificial model with what the recipe leaves of its signs and its biases."""
    network, values = model.network, dict(model.parameters)
    for population in network.layers:
        if not recipe.signs:
            least = incoming_weights(network, model.parameters, population).min()
            for projection in network.incoming[population.name]:
                values[weight_name(projection)] = values[weight_name(projection)] - least
        if not recipe.biases:
            values[bias_name(population)] = np.zeros(population.size)
    return replace(model, parameters=values)


def unscaled(model: ArtificialModel, settings: TransferSettings) -> SpikingModel:
    """The weights by 0.065 / n of their range, whatever their sign, and the original's inputs.

    Another neuron than the original's gets the charge that this would bring in the original's. A
    bias counts as weights do: as a current that brings the charge of so many spikes.
    """
    network, neuron = model.network, settings.neuron
    scale = implied_scales(model)
    # The inputs have full_count(settings) spikes for the value 1, whatever settings.coding was.
    settings = replace(settings, coding=INPUTS)
    values: dict[str, Floats] = {}
    for population in network.layers:
        factor = spikes_per_weight(model, population)
        for projection in network.incoming[population.name]:
            name = weight_name(projection)
            values[name] = neuron.unit_weight * factor * model.parameters[name]
        name = bias_name(population)
        spikes = full_count(settings) / scale[population.name].activation
        values[name] = settings.current_of_one_spike * spikes * model.parameters[name]
    return SpikingModel(
        network=network,
        parameters=values,
        neuron=neuron,
        coding=INPUTS,
        dt=settings.dt,
        duration=settings.duration,
        delay=settings.delay_ms,
    )


def implied_scales(model: ArtificialModel) -> dict[str, Scale]:
    """What a population's counts stand for where no percentile is asked.

    A spike that brings the charge of f spikes for each unit of weight, as ``unscaled`` has it,
    makes the activation that stands for rate_max 1/f times that of the sources (with several
    sources, their mean over neurons).
    """
    network = model.network
    scale = {name: Scale(1.0) for name in network.inputs}
    for population in network.layers:
        sources = [network[each.source] for each in network.incoming[population.name]]
        size = sum(source.size for source in sources)
        level = sum(scale[source.name].activation * source.size for source in sources) / size
        scale[population.name] = Scale(level / spikes_per_weight(model, population))
    return scale


def spikes_per_weight(model: ArtificialModel, population: Population) -> float:
    """The charge, in spikes, of a synapse of the weight 1: 0.065 / n by the range of the weights.

    The original's neuron needs some 0.052 µS to be lifted from reset to threshold.
    """
    weights = incoming_weights(model.network, model.parameters, population)
    span = float(np.ptp(weights))
    # Weights that are all the same have no range; they are left as they are.
    return LARGEST_WEIGHT / (NEURON.unit_weight * weights.shape[1] * (span or 1.0))
