"""What no stimulus changes: the share of weights that are 0, and the bytes of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.models.activations import Staircase
from volr.models.first_spike import FirstSpike
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import weight_name

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.model import Model

_SINGLE = 4


def connection_sparsity(model: Model) -> float:
    """The share of trained weights that are 0. A weight that synapses share counts once."""
    weights = [
        model.parameters[weight_name(each)]
        for each in model.network.projections
        if each.connector.trained
    ]
    whole = sum(each.size for each in weights)
    zeros = sum(each.size - np.count_nonzero(each) for each in weights)
    return zeros / whole if whole else 0.0


def footprint(model: Model) -> int:
    """The bytes of all parameters: 4 each, as numbers of single precision.

    Whole numbers take what the largest of their array needs: 1, 2, 4 or 8.
    """
    unit = 1.0
    match model:
        case ArtificialModel(activation=Staircase()):
            pass
        case SpikingModel(coding=FirstSpike() as coding):
            unit = coding.unit
        case _:
            return _SINGLE * sum(each.size for each in model.parameters.values())
    return sum(each.size * _bytes_of(each / unit) for each in model.parameters.values())


def _bytes_of(whole: Floats) -> int:
    """The bytes of a signed whole number that holds each of these."""
    largest = float(np.abs(whole).max(initial=0.0))
    return next(size for size in (1, 2, 4, 8) if largest < 2.0 ** (8 * size - 1) or size == 8)
