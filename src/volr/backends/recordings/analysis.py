"""Recordings as those of neo and of pandas. Nothing else imports these packages.

A spike of step k, counted from 0, has the time (k + 1) · dt, and a membrane is that at the end of
its step. Spikes are found for all stimuli at once. They take 8 bytes each for the time and for
every whole number, besides the recordings.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from volr.errors import DataError, MissingError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import neo
    import pandas as pd

    from volr.backends.recordings import Recordings
    from volr.checks.arrays import Booleans, Floats, Integers


class _Spikes(NamedTuple):
    """Spikes one by one, ordered by stimulus, population, neuron and time, ``[spike]`` each.

    ``populations`` counts the populations from 0, ``times`` are in ms.
    """

    stimuli: Integers
    populations: Integers
    neurons: Integers
    times: Floats


def to_neo(recordings: Recordings, dt: float | None) -> neo.Block:
    """See ``Recordings.to_neo``."""
    with _of_package("to_neo", "neo"):
        import neo
        import quantities as pq
        from neo.core.spiketrainlist import SpikeTrainList

    step = _step(recordings, dt)
    if not recordings.spikes and not recordings.membranes:
        raise DataError(
            "there are neither spikes nor membranes in these recordings, and neo has no counts",
            help="record them: record=volr.Record(spikes=('dense_1',), membranes=())",
        )
    found = _spikes(recordings.spikes, step)
    populations = {name: _size(each) for name, each in recordings.spikes.items()}
    firsts = np.cumsum([0, *populations.values()], dtype=np.int64)
    neurons = sum(populations.values())
    channels: Integers = firsts[found.populations] + found.neurons
    annotations: dict[str, list[Any]] = {
        "population": [name for name, size in populations.items() for _ in range(size)],
        "neuron": [neuron for size in populations.values() for neuron in range(size)],
    }
    steps, stimuli = _extent(recordings)
    ends: list[int] = np.searchsorted(found.stimuli, np.arange(stimuli + 1)).tolist()
    block = neo.Block(name="recordings of Volr", dt_ms=step)
    for stimulus, (start, end) in enumerate(pairwise(ends)):
        segment = neo.Segment(name=f"stimulus {stimulus}", index=stimulus, stimulus=stimulus)
        if populations:
            segment.spiketrains = SpikeTrainList.from_spike_time_array(
                found.times[start:end],
                channels[start:end],
                np.arange(neurons),
                t_start=0.0 * pq.ms,
                t_stop=steps * step * pq.ms,
                units="ms",
                stimulus=[stimulus] * neurons,
                **annotations,
            )
        for name, each in recordings.membranes.items():
            segment.analogsignals.append(
                neo.AnalogSignal(
                    each[:, stimulus].reshape(len(each), _size(each)),
                    units="mV",
                    sampling_period=step * pq.ms,
                    t_start=step * pq.ms,
                    name=f"membranes of {name}",
                    population=name,
                    stimulus=stimulus,
                    array_annotations={"neuron": np.arange(_size(each))},
                )
            )
        block.segments.append(segment)
    return block


def to_pandas(recordings: Recordings, dt: float | None) -> pd.DataFrame:
    """See ``Recordings.to_pandas``."""
    with _of_package("to_pandas", "pandas"):
        import pandas as pd

    step = _step(recordings, dt)
    if not recordings.spikes:
        raise DataError(
            "there are no spikes in these recordings, only how many they were",
            help="record them: record=volr.Record(spikes=('dense_1',))",
        )
    found = _spikes(recordings.spikes, step)
    names = [*recordings.spikes]
    return pd.DataFrame(
        {
            "stimulus": found.stimuli,
            "population": pd.Categorical.from_codes(found.populations, categories=names),
            "neuron": found.neurons,
            "time_ms": found.times,
        }
    )


@contextmanager
def _of_package(function: str, package: str) -> Generator[None]:
    """Tell what to install, if an import within fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingError(
            f"{function} needs {error.name or package}, which is not installed",
            help="pip install 'volr[analysis]'",
        ) from error


def _step(recordings: Recordings, dt: float | None) -> float:
    """The time step, ms."""
    step = recordings.dt if dt is None else dt
    if step is None:
        raise DataError(
            "these recordings do not say how long a time step is",
            help="give it in ms, such as dt=model.dt",
        )
    if not (math.isfinite(step) and step > 0):
        raise DataError(f"a time step of {step} ms is none", help="give dt=model.dt")
    return step


def _spikes(trains: Mapping[str, Booleans], step: float) -> _Spikes:
    parts: list[_Spikes] = []
    for number, each in enumerate(trains.values()):
        flat = each.reshape(*each.shape[:2], _size(each))
        stimuli, neurons, steps = np.nonzero(flat.transpose(1, 2, 0))
        populations = np.full(len(steps), number, dtype=np.int64)
        parts.append(_Spikes(stimuli, populations, neurons, (steps + 1).astype(np.float64) * step))
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return _Spikes(nothing, nothing, nothing, np.zeros(0))
    joined = [np.concatenate(each) for each in zip(*parts, strict=True)]
    # Those of a population are in order, so this puts stimuli before populations.
    order = np.argsort(joined[0], kind="stable")
    stimuli, populations, neurons, times = (each[order] for each in joined)
    return _Spikes(stimuli, populations, neurons, times)


def _extent(recordings: Recordings) -> tuple[int, int]:
    """The steps of a stimulus, and the stimuli."""
    over_time = [*recordings.spikes.values(), *recordings.membranes.values()]
    steps, stimuli = over_time[0].shape[:2]
    return steps, stimuli


def _size(values: Booleans | Floats) -> int:
    """The neurons of ``[time, batch, …]``, whose last axes may be those of maps."""
    return math.prod(values.shape[2:])
