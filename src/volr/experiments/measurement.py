"""A model measured on its task's test samples: its answers, and its activity.

Spiking models are measured on a simulator. It runs all stimuli for the answers, and the first
``LOOKED_AT`` again for the spikes of every population, since recording every neuron takes longer
than recording the outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Record
from volr.backends.reference import activations
from volr.experiments.results import Activity
from volr.models.coding import decode_counts
from volr.models.parameters import synapse_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import ArtificialBackend, Progress, Simulator
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import ArtificialModel, Model, SpikingModel
    from volr.models.samples import Data

LOOKED_AT = 250
"""The number of test stimuli for which spikes and operations are counted."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """See ``volr.experiments.results``: ``Row`` and ``Run``. ``answers`` are the labels given."""

    answers: tuple[int, ...]
    accuracy: float
    ties: float
    confusion: tuple[tuple[int, ...], ...]
    over_time: tuple[float, ...]
    activity: Activity


def measure_artificial(
    model: ArtificialModel, data: Data, backend: ArtificialBackend
) -> Measurement:
    """Run the test samples on ``backend``; the reference counts activations."""
    labels = backend.build(model)(data.test.inputs).argmax(axis=1)
    shown = activations(model, data.test.first(LOOKED_AT).inputs)
    on = {name: each != 0 for name, each in shown.items()}
    return Measurement(
        answers=tuple(labels.tolist()),
        accuracy=float((labels == data.test.labels).mean()),
        ties=0.0,
        confusion=_confusion(data.test.labels, labels, data.classes),
        over_time=(),
        activity=_activity(model, on, steps=1),
    )


def measure_spiking(
    model: SpikingModel,
    data: Data,
    simulator: Simulator,
    *,
    seed: int,
    progress: Progress | None = None,
) -> Measurement:
    """Run the test samples on ``simulator``; ``seed`` is for random codings."""
    network, test = model.network, data.test
    counting = model.readout == "count"
    recordings = simulator.run(
        model,
        test.inputs,
        record=Record(spikes=network.outputs if counting else ()),
        seed=seed,
        progress=progress,
    )
    labels, sharing = decode_counts(recordings.output_values(model))
    over_time: tuple[float, ...] = ()
    if counting:
        spikes = np.concatenate([recordings.spikes[name] for name in network.outputs], axis=2)
        over_time = _over_time(spikes, test.labels)
    looked_at = test.first(LOOKED_AT)
    every = tuple(each.name for each in network.populations)
    counts = simulator.run(model, looked_at.inputs, record=Record(counts=every), seed=seed).counts
    return Measurement(
        answers=tuple(labels.tolist()),
        accuracy=float((labels == test.labels).mean()),
        ties=float((sharing > 1).mean()),
        confusion=_confusion(test.labels, labels, data.classes),
        over_time=over_time,
        activity=_activity(model, counts, steps=model.steps),
    )


def _confusion(labels: Integers, answers: Integers, classes: int) -> tuple[tuple[int, ...], ...]:
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (labels, answers), 1)
    return tuple(tuple(int(each) for each in row) for row in table)


def _over_time(
    spikes: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], labels: Integers
) -> tuple[float, ...]:
    """The accuracy of the counts up to each step; ``spikes`` ``[time, batch, unit]``."""
    counts = np.zeros(spikes.shape[1:], dtype=np.int64)
    found: list[float] = []
    for step in spikes:
        counts += step
        found.append(float((counts.argmax(axis=1) == labels).mean()))
    return tuple(found)


def _activity(model: Model, events: Mapping[str, Floats | Integers], *, steps: int) -> Activity:
    """The activity, from how often each neuron was active for each stimulus, ``[batch, unit]``."""
    network = model.network
    effective = 0.0
    for projection in network.projections:
        behind = (synapse_matrix(network, projection, model.parameters) != 0).sum(axis=0)
        effective += float((events[projection.source] @ behind).mean())
    spoken = {name: float(each.sum(axis=1).mean()) for name, each in events.items()}
    layers = [population.name for population in network.layers]
    could = steps * sum(network[name].size for name in layers)
    return Activity(
        spikes=spoken,
        effective=effective,
        dense=float(network.synapse_count * steps),
        sparsity=1.0 - sum(spoken[name] for name in layers) / could,
    )
