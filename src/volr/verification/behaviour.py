"""Do a simulator and the engine give the same spikes for the same stimuli?

The engine itself is compared with the specification, ``volr.engine.reference``, and so are all
where the engine is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Record
from volr.backends.engine import ENGINE, EngineSimulator
from volr.backends.populations import neurons_of
from volr.backends.refusals import is_ready
from volr.engine.reference import simulate
from volr.models.coding import ConstantCurrent
from volr.verification.mistakes import spiking_suspects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.backends.base import (
        Progress,
        Recordings,
        Simulator,
        SpikingBackend,
    )
    from volr.checks.arrays import Booleans, Floats
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli

# A membrane this close to its threshold, as a share of θ, is at it except for rounding.
_TIE = 1e-9
# The largest rounding error, mV, of a membrane, and of its mean, which is a sum over all steps.
_SAME_MEMBRANE = 1e-6
# The most neurons times steps that are recorded and compared at once. The specification keeps some
# ten numbers for each.
_CHUNK = 20_000_000
# The number of stimuli on which a mistake must give the same spikes.
_DECIDING = 20


@dataclass(frozen=True)
class FirstDifference:
    """The first difference of two runs: in the first stimulus, its first step and first population.

    ``step`` and ``membrane`` (mV, of the engine, as compared with the threshold) are None for
    neurons that do not spike. ``expected`` and ``found`` are spikes (0 or 1), logits, or membranes,
    mV, mean or last.
    """

    stimulus: int
    population: str
    neuron: int
    step: int | None
    membrane: float | None
    expected: float
    found: float
    cause: str


@dataclass(frozen=True)
class Behaviour:
    """``equal`` of ``compared`` spike trains (one for each neuron and stimulus) or outputs.

    ``membranes`` of what is compared are membranes, mean or last, of outputs that do not spike.
    ``silent`` trains have no spike on either side, so that they prove little.
    """

    compared: int
    equal: int
    silent: int = 0
    first_difference: FirstDifference | None = None
    membranes: int = 0


@dataclass(frozen=True)
class _Run:
    """Spikes ``[time, batch, unit]``, and what is ``read`` of populations that do not spike: V −
    v_rest, mV, ``[batch, unit]``, the mean of all steps or the last.
    """

    spikes: Mapping[str, Booleans]
    read: Mapping[str, Floats]

    @staticmethod
    def of(recordings: Recordings) -> _Run:
        return _Run(recordings.spikes, {**recordings.means, **recordings.finals})


def spiking_behaviour(
    model: SpikingModel,
    backend: SpikingBackend,
    simulator: Simulator,
    stimuli: Stimuli,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Behaviour:
    """Compare all spike trains, including those of the inputs' neurons, with the engine's.

    For the engine they are compared with its specification. ``stimuli`` are ``[batch, unit]``.
    Raises what ``Simulator.run`` does.
    """
    watched = _watched(model)
    record = Record(counts=(), spikes=watched)
    size = _chunk_size(model, watched)
    # Random codings draw by the number of the stimulus in a run, so these runs are not cut.
    size = size if isinstance(model.coding, ConstantCurrent) else max(1, len(stimuli))
    compared = equal = silent = membranes = 0
    first: FirstDifference | None = None
    for start in range(0, len(stimuli), size):
        part = stimuli[start : start + size]
        found = _Run.of(simulator.run(model, part, record=record, seed=seed))
        expected = _expected(model, backend, part, record, seed)
        same = dict(_same(expected, found))
        compared += sum(each.size for each in same.values())
        equal += sum(int(each.sum()) for each in same.values())
        membranes += sum(each.size for each in expected.read.values())
        silent += sum(
            int((~(expected.spikes[name] | found.spikes[name]).any(axis=0)).sum())
            for name in expected.spikes
        )
        if first is None and not all(each.all() for each in same.values()):
            first = _first(model, backend, part, expected, found, same, start, seed)
        if progress is not None:
            progress(len(part))
    return Behaviour(compared, equal, silent, first, membranes)


def _expected(
    model: SpikingModel, backend: SpikingBackend, stimuli: Stimuli, record: Record, seed: int
) -> _Run:
    """The run of the engine, or of the specification if the engine itself is compared."""
    if backend.name == ENGINE.name:
        return _specified(model, stimuli, record, seed)
    return _ours(model, stimuli, record, seed)


def _ours(model: SpikingModel, stimuli: Stimuli, record: Record, seed: int) -> _Run:
    """The run of the engine, or of the specification, which is slow, where it is not installed."""
    if not is_ready(ENGINE):
        return _specified(model, stimuli, record, seed)
    return _Run.of(EngineSimulator().run(model, stimuli, record=record, seed=seed))


def _specified(model: SpikingModel, stimuli: Stimuli, record: Record, seed: int) -> _Run:
    trace = simulate(model, stimuli, seed=seed)
    return _Run(
        spikes={name: trace.spikes[name] for name in record.spikes},
        read={
            name: _read(model, trace.membranes[name])
            - model.units_of(name).of(lambda each: each.v_rest)
            for name in model.network.outputs
            if not model.is_spiking(name)
        },
    )


def _read(model: SpikingModel, membranes: Floats) -> Floats:
    """What is read of membranes ``[time, batch, unit]``."""
    return membranes[-1] if model.readout == "final" else membranes.mean(axis=0)


def _watched(model: SpikingModel) -> tuple[str, ...]:
    """Populations of spiking neurons. Inputs that are given as spikes have no neurons."""
    return tuple(name for name in neurons_of(model) if model.is_spiking(name))


def _chunk_size(model: SpikingModel, watched: tuple[str, ...]) -> int:
    neurons = sum(model.network[name].size for name in watched)
    return max(1, _CHUNK // (model.steps * max(neurons, 1)))


def _same(expected: _Run, found: _Run) -> Iterator[tuple[str, Booleans]]:
    """By population, ``[batch, unit]``: whether a neuron did the same for a stimulus."""
    for name, spikes in expected.spikes.items():
        yield name, (spikes == found.spikes[name]).all(axis=0)
    for name, read in expected.read.items():
        yield name, np.abs(read - found.read[name]) <= _SAME_MEMBRANE


def _first(
    model: SpikingModel,
    backend: SpikingBackend,
    stimuli: Stimuli,
    expected: _Run,
    found: _Run,
    same: Mapping[str, Booleans],
    start: int,
    seed: int,
) -> FirstDifference:
    stimulus = min(int((~each).any(axis=1).argmax()) for each in same.values() if not each.all())
    order = [p.name for p in model.network.populations if p.name in same]
    differing = [name for name in order if not same[name][stimulus].all()]
    places: list[tuple[int, int, str]] = []
    for rank, name in enumerate(differing):
        if name in expected.spikes:
            off = expected.spikes[name][:, stimulus] != found.spikes[name][:, stimulus]
            places.append((int(off.any(axis=1).argmax()), rank, name))
    cause = _cause(model, stimuli, found, stimulus, seed)
    if not places:
        name = differing[0]
        neuron = int((~same[name][stimulus]).argmax())
        seen, wanted = found.read[name][stimulus, neuron], expected.read[name][stimulus, neuron]
        which = "last" if model.readout == "final" else "mean"
        reason = cause or f"the {which} membrane differs where no spike does"
        if cause is None and (own := _own_way(model, backend, name)):
            reason = f"{own}; no spike differs"
        return FirstDifference(
            start + stimulus, name, neuron, None, None, float(wanted), float(seen), reason
        )
    step, _, name = min(places)
    off = expected.spikes[name][step, stimulus] != found.spikes[name][step, stimulus]
    neuron = int(off.argmax())
    trace = simulate(model, stimuli[: stimulus + 1], seed=seed)
    membrane = float(trace.tested[name][step, stimulus, neuron])
    return FirstDifference(
        start + stimulus,
        name,
        neuron,
        step,
        membrane,
        float(expected.spikes[name][step, stimulus, neuron]),
        float(found.spikes[name][step, stimulus, neuron]),
        cause or _otherwise(model, backend, name, neuron, membrane),
    )


def _own_way(model: SpikingModel, backend: SpikingBackend, name: str) -> str | None:
    """The words for a back end that does not claim to be exact with the neurons of a population."""
    neuron = model.neuron_of(name).name
    if neuron in backend.exact:
        return None
    return f"{backend.name} integrates {neuron} in a way of its own"


def _otherwise(
    model: SpikingModel, backend: SpikingBackend, name: str, unit: int, membrane: float
) -> str:
    """The cause in words if no known mistake gives the back end's spikes."""
    neuron = model.units_of(name).at(unit)
    distance = membrane - neuron.fires_at()
    if abs(distance) <= _TIE * neuron.theta:
        return "a tie: the membrane is at the threshold except for rounding"
    side = f"{abs(distance):.3g} mV {'above' if distance > 0 else 'below'} the threshold"
    if own := _own_way(model, backend, name):
        return f"{own}; the engine's membrane is {side}"
    return f"unknown: no mistake that was tried gives these spikes; the engine's membrane is {side}"


def _cause(
    model: SpikingModel, stimuli: Stimuli, found: _Run, stimulus: int, seed: int
) -> str | None:
    """The mistake with which the engine does what the back end did, on a few stimuli."""
    last = stimulus + _DECIDING
    first = stimulus if isinstance(model.coding, ConstantCurrent) else 0
    shown = stimuli[first:last]
    seen = _Run(
        {name: each[:, first:last] for name, each in found.spikes.items()},
        {name: each[first:last] for name, each in found.read.items()},
    )
    record = Record(counts=(), spikes=tuple(seen.spikes))
    itself = _ours(model, shown, record, seed)
    for steps in (1, -1):
        moved = {name: _moved(each, steps) for name, each in itself.spikes.items()}
        if moved and all(np.array_equal(moved[name], seen.spikes[name]) for name in moved):
            return f"recording: every spike is one step {'late' if steps > 0 else 'early'}"
    for reason, suspect in spiking_suspects(model):
        tried = _ours(suspect, shown, record, seed)
        if all(same.all() for _, same in _same(tried, seen)):
            return reason
    return None


def _moved(spikes: Booleans, steps: int) -> Booleans:
    moved = np.zeros_like(spikes)
    if steps > 0:
        moved[steps:] = spikes[:-steps]
    else:
        moved[:steps] = spikes[-steps:]
    return moved
