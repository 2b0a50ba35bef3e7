"""Runs a model over samples, and counts what that costs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends import default_backend, running
from volr.backends.base import ArtificialBackend, SpikingBackend
from volr.backends.reference import activations
from volr.errors import UnsupportedError
from volr.experiments.costs.counting import Counter
from volr.experiments.costs.decisions import record_for, shown, steps_until_it_stays
from volr.experiments.costs.figures import figures_of
from volr.experiments.costs.fixed import connection_sparsity, footprint
from volr.experiments.costs.result import Operations
from volr.experiments.evaluation import Evaluation, backend_for
from volr.models.activations import activate
from volr.models.coding import ConstantCurrent, decode_counts
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends import On
    from volr.backends.base import Progress, Simulator
    from volr.models.model import Model
    from volr.models.samples import Samples

# Numbers that a chunk of stimuli takes at once, 8 bytes each.
_CHUNK = 4_000_000


def operations(
    model: Model,
    samples: Samples,
    on: On | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Operations:
    """Run ``model`` over ``samples``, and count spikes and operations.

    ``on``, ``seed`` and what is raised are as in ``volr.evaluate``, and the answers are the same.
    Spikes are those that the back end recorded. Of an artificial model, values are counted in the
    reference, whatever runs it. Stimuli go through in chunks, so many of them take no more memory
    than some hundred, and the chunks change nothing.
    """
    on = default_backend(model) if on is None else on
    backend = backend_for("operations", model, samples, on, progress)
    started = time.perf_counter()
    counter = Counter(model)
    match backend, model:
        case ArtificialBackend(), ArtificialModel():
            answers = _run_artificial(model, samples, backend, counter, progress)
        case SpikingBackend(), SpikingModel():
            with running(on) as simulator:
                answers = _run_spiking(model, samples, simulator, counter, seed, progress)
        case _:
            raise UnsupportedError(f"{backend.name} cannot run this model")
    spiking = isinstance(model, SpikingModel)
    return Operations(
        evaluation=Evaluation(
            backend=backend.name,
            samples=len(samples),
            correct=answers.correct,
            ties=answers.ties,
            seconds=time.perf_counter() - started,
        ),
        populations=counter.operations(len(samples)),
        clock=model.network.clock,
        steps=model.steps if spiking else None,
        decided=answers.steps / len(samples) if spiking else None,
        updates=_updates(model) if spiking else None,
        activation_sparsity=_activation_sparsity(model, counter, len(samples)),
        connection_sparsity=connection_sparsity(model),
        footprint=footprint(model),
        figures=figures_of(model),
    )


@dataclass
class _Answers:
    """Sums over stimuli: right answers, ties, and steps until the decision stays."""

    correct: int = 0
    ties: int = 0
    steps: int = 0


def _chunks(samples: Samples, each: int) -> Iterator[Samples]:
    """The samples in parts, of so many numbers that ``each`` of them takes."""
    return samples.parts(max(1, _CHUNK // each))


def _run_artificial(
    model: ArtificialModel,
    samples: Samples,
    backend: ArtificialBackend,
    counter: Counter,
    progress: Progress | None,
) -> _Answers:
    forward, answers, network = backend.build(model), _Answers(), model.network
    # A kernel's windows are copied: so many values for each channel of the target.
    copied = max(
        network.synapses(each) // network[each.target].shape[0] for each in network.projections
    )
    senders = {each.source for each in network.projections}
    for part in _chunks(samples, 4 * network.neuron_count + copied):
        answers.correct += int(np.sum(forward(part.inputs).argmax(axis=1) == part.labels))
        sent = activations(model, part.inputs)
        # An output shows its sums, and sends its activation.
        for name in senders.intersection(network.outputs):
            sent[name] = activate(model.activation_of(name), sent[name])
        counter.add_values(sent)
        if progress is not None:
            progress(len(part))
    return answers


def _run_spiking(
    model: SpikingModel,
    samples: Samples,
    simulator: Simulator,
    counter: Counter,
    seed: int,
    progress: Progress | None,
) -> _Answers:
    network, answers = model.network, _Answers()
    record = record_for(model, (each.name for each in network.populations))
    each = 2 * network.neuron_count + 2 * model.steps * network.output_size
    first = 0
    for part in _chunks(samples, each):
        recordings = simulator.run(
            model, part.inputs, record=record, seed=seed, first=first, progress=progress
        )
        first += len(part)
        labels, sharing = decode_counts(recordings.output_values(model))
        answers.correct += int(np.sum(labels == part.labels))
        answers.ties += int((sharing > 1).sum())
        answers.steps += int(steps_until_it_stays(shown(model, recordings)).sum())
        counter.add_spikes(recordings.counts)
    return answers


def _updates(model: SpikingModel) -> int:
    """Neurons times steps. Inputs are neurons too, if currents make them spike."""
    network = model.network
    simulated = [each.name for each in network.layers]
    if isinstance(model.coding, ConstantCurrent):
        simulated += network.inputs
    return model.steps * sum(network[name].size for name in simulated)


def _activation_sparsity(model: Model, counter: Counter, stimuli: int) -> float:
    """The share of 0 in what neurons make of their sums: inputs, clock, logits and what is
    passed on without an activation do not count, nor neurons that never spike.
    """
    network = model.network
    layers = [each.name for each in network.layers]
    if isinstance(model, SpikingModel):
        counted, steps = tuple(filter(model.is_spiking, layers)), model.steps
    else:
        hidden = [name for name in layers if name not in network.outputs]
        counted = tuple(n for n in hidden if model.activation_of(n) == model.activation)
        steps = 1
    whole = stimuli * steps * sum(network[name].size for name in counted)
    return 1.0 - counter.active(counted) / whole if whole else 0.0
