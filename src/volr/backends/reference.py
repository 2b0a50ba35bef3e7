"""What an artificial model means: a plain NumPy program in float64, which all others must equal.

⟦input⟧       =  the stimuli
⟦population⟧  =  σ(z),  z = Σ W ⟦source⟧ + b, one term a projection
logits        =  z of the outputs, side by side
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import ArtificialBackend
from volr.backends.readback import expected
from volr.errors import DataError
from volr.models.activations import ACTIVATIONS, activate
from volr.models.coding import by_input
from volr.models.parameters import bias_name, weight_name

if TYPE_CHECKING:
    from volr.backends.base import Forward
    from volr.models.arrays import Floats
    from volr.models.model import ArtificialModel


def activations(model: ArtificialModel, inputs: Floats) -> dict[str, Floats]:
    """The activation of every population, ``[batch, unit]``, for stimuli ``[batch, unit]``.

    Inputs are as given, outputs are weighted sums; an output with projections of its own sends its
    activation along them all the same. Raises ``DataError`` where the stimuli do not fit.
    """
    network = model.network
    values = _split(model, np.asarray(inputs, dtype=np.float64))
    shown = dict(values)
    outputs = set(network.outputs)
    for population in network.layers:
        z = np.tile(model.parameters[bias_name(population)], (len(inputs), 1))
        for projection in network.incoming[population.name]:
            z += values[projection.source] @ model.parameters[weight_name(projection)].T
        values[population.name] = activate(model.activation, z)
        shown[population.name] = z if population.name in outputs else values[population.name]
    return shown


def forward(model: ArtificialModel, inputs: Floats) -> Floats:
    """The logits ``[batch, unit]``: the outputs side by side. Raises as ``activations`` does."""
    shown = activations(model, inputs)
    return np.concatenate([shown[name] for name in model.network.outputs], axis=1)


def _split(model: ArtificialModel, inputs: Floats) -> dict[str, Floats]:
    """The stimuli cut into the input populations, which stand side by side."""
    network = model.network
    if inputs.ndim != 2 or inputs.shape[1] != network.input_size:
        raise DataError(
            f"the stimuli have the shape {list(inputs.shape)}, the network takes "
            f"[batch, {network.input_size}]"
        )
    return by_input(network, inputs)


def _build(model: ArtificialModel) -> Forward:
    return lambda inputs: forward(model, inputs)


REFERENCE = ArtificialBackend(
    name="reference",
    summary="the meaning of an artificial model, in NumPy and float64",
    activations=tuple(each.name for each in ACTIVATIONS),
    build=_build,
    # There is no program of its own to ask: it goes through the model as it is.
    read_back=expected,
)
