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
from volr.experiments.costs.counting import Counter
from volr.experiments.results import Activity
from volr.models.coding import decode_counts
from volr.models.model import SpikingModel

if TYPE_CHECKING:
    from volr.backends.base import ArtificialBackend, Progress, Simulator
    from volr.checks.arrays import Integers
    from volr.models.model import ArtificialModel, Model
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
    looked_at, counter = data.test.first(LOOKED_AT), Counter(model)
    counter.add_values(activations(model, looked_at.inputs))
    return Measurement(
        answers=tuple(labels.tolist()),
        accuracy=float((labels == data.test.labels).mean()),
        ties=0.0,
        confusion=_confusion(data.test.labels, labels, data.classes),
        over_time=(),
        activity=_activity(model, counter, len(looked_at)),
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
    looked_at, counter = test.first(LOOKED_AT), Counter(model)
    every = Record(counts=tuple(each.name for each in network.populations))
    counter.add_spikes(simulator.run(model, looked_at.inputs, record=every, seed=seed).counts)
    return Measurement(
        answers=tuple(labels.tolist()),
        accuracy=float((labels == test.labels).mean()),
        ties=float((sharing > 1).mean()),
        confusion=_confusion(test.labels, labels, data.classes),
        over_time=over_time,
        activity=_activity(model, counter, len(looked_at)),
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


def _activity(model: Model, counter: Counter, stimuli: int) -> Activity:
    """The activity, from what was counted of so many stimuli."""
    network, counted = model.network, counter.operations(stimuli)
    spikes = {each.population: each.active for each in counted}
    layers = [population.name for population in network.layers]
    steps = model.steps if isinstance(model, SpikingModel) else 1
    could = steps * sum(network[name].size for name in layers)
    return Activity(
        spikes=spikes,
        effective=sum(each.macs + each.acs for each in counted),
        dense=float(sum(each.dense for each in counted)),
        sparsity=1.0 - sum(spikes[name] for name in layers) / could,
    )
