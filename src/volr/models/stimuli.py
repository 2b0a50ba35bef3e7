"""What a spiking model is shown: values, or spike trains that are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from volr.checks.arrays import array_of
from volr.errors import DataError
from volr.models.coding import Poisson, stimuli_of
from volr.models.spike_trains import SpikeTrains

if TYPE_CHECKING:
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli


def given_stimuli(model: SpikingModel, stimuli: Any) -> Stimuli:
    """What a spiking model is given: values or spike trains, as arrays, tensors or lists.

    Raises ``DataError`` for stimuli that do not fit the model.
    """
    size = model.network.input_size
    if not isinstance(stimuli, SpikeTrains):
        if not _looks_like_trains(stimuli, size):
            return stimuli_of(stimuli, size)
        stimuli = SpikeTrains(stimuli)
    steps, _, units = stimuli.spikes.shape
    if units != size:
        raise DataError(
            f"the spike trains have the shape {list(stimuli.spikes.shape)}, the network takes "
            f"[time, batch, {size}]"
        )
    if not isinstance(model.coding, Poisson):
        raise DataError(
            f"the inputs of this model have the coding {model.coding.name!r}, and spike trains "
            "need inputs that are given as spikes",
            help="give the model the coding poisson: in Python dataclasses.replace(model, "
            "coding=volr.Poisson()), and `volr import` has --coding poisson",
        )
    if steps > model.steps:
        raise DataError(
            f"the spike trains have {steps:,} steps, and the model shows a stimulus for "
            f"{model.steps:,} steps of {model.dt:g} ms",
            help=f"give the model the duration {steps * model.dt:g} ms (`volr import` has "
            "--duration), or shorter trains",
        )
    return stimuli


def _looks_like_trains(stimuli: Any, size: int) -> bool:
    """Whether an array has the axes of trains. Others are told how to become rows of values."""
    try:
        shape = array_of(stimuli).shape
    except ValueError:
        return False
    return len(shape) == 3 and shape[2] == size
