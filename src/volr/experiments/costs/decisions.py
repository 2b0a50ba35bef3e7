"""From which step on a spiking network's decision stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.backends.base import Recordings
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import SpikingModel


def record_for(model: SpikingModel, counts: Iterable[str]) -> Record:
    """What to record: ``counts``, and what the outputs show from step to step."""
    outputs = model.network.outputs
    if model.readout == "count":
        return Record(counts=tuple(counts), spikes=outputs)
    return Record(counts=tuple(counts), membranes=outputs)


def shown(model: SpikingModel, recordings: Recordings) -> Floats | Integers:
    """What the readout would have been at the end of each step, ``[time, batch, unit]``.

    The mean of a membrane is left as a sum, since the largest is the same.
    """
    names = model.network.outputs
    if model.readout == "count":
        spikes = np.concatenate([recordings.spikes[name] for name in names], axis=2)
        return np.cumsum(spikes, axis=0, dtype=np.int64)
    membranes = np.concatenate(
        [
            recordings.membranes[name] - model.units_of(name).of(lambda each: each.v_rest)
            for name in names
        ],
        axis=2,
    )
    return membranes if model.readout == "final" else np.cumsum(membranes, axis=0)


def steps_until_it_stays(values: Floats | Integers) -> Integers:
    """The steps, ``[batch]``, after which the largest of ``values`` ``[time, batch, unit]`` is the
    same to the end.

    As long as all values are equal, nothing is decided. Where that is so at the end, all steps
    count.
    """
    labels = values.argmax(axis=2)
    labels[values.max(axis=2) == values.min(axis=2)] = -1
    differs = labels != labels[-1]
    # The number of steps up to the last one with another label; 0 where there is none.
    others = np.where(differs.any(axis=0), len(labels) - differs[::-1].argmax(axis=0), 0)
    return np.where(labels[-1] < 0, len(labels), others + 1)
