"""What the nodes of a written graph do not say, so that other programs will not know it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from volr.models.coding import ConstantCurrent
from volr.models.model import ArtificialModel
from volr.models.parameters import bias_name

if TYPE_CHECKING:
    from volr.models.model import Model, SpikingModel

_NO_RELU = (
    "NIR has no ReLU: hidden populations are written as integrate-and-fire neurons whose rate is "
    "that of a ReLU, and other programs will simulate them"
)


def losses(model: Model) -> list[str]:
    """What the graph's nodes do not say, so that other programs will not know; in words."""
    if isinstance(model, ArtificialModel):
        if model.activation.name == "relu" and any(
            p.target for p in model.network.projections if p.source not in model.network.inputs
        ):
            return [_NO_RELU]
        return []
    neuron, found = model.neuron, list[str]()
    if neuron.reset == "subtract":
        found.append("NIR has no reset by subtraction: others will reset to v_reset")
    if neuron.refractory_steps(model.dt) > 0:
        found.append("NIR has no refractoriness: others will leave out tau_refrac")
    if model.delay_steps > 1:
        found.append(
            f"NIR's edges take no time: others will leave out the delay {model.delay:g} ms"
        )
    if neuron.has_currents and _has_currents(model):
        found.append(
            "NIR leads every current of CubaLIF through the synapse, so biases and i_offset are "
            "written as v_leak, which some importers refuse or ignore"
        )
    elif neuron.i_offset != 0.0 and isinstance(model.coding, ConstantCurrent):
        found.append("i_offset of the inputs is written as v_leak, which some importers ignore")
    return found


def warn(model: Model) -> None:
    """Log what others will not see of a model."""
    for each in losses(model):
        logging.getLogger("volr").warning("%s", each)


def _has_currents(model: SpikingModel) -> bool:
    biases = (model.parameters[bias_name(each)] for each in model.network.layers)
    return model.neuron.i_offset != 0.0 or any(bias.any() for bias in biases)
