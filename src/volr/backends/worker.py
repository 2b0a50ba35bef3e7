"""What simulators whose kernels run in processes of their own have in common.

A kernel (``volr.backends.processes``) gets a batch of stimuli at a time: ``kernel_settings`` says
what is to be built and recorded, ``requests`` cuts the stimuli, ``answered`` waits for all of it,
and ``together`` makes recordings of the answers. What a kernel calls parameters and in which unit
it counts is its back end's business.

To be read back, a kernel is asked what it built (``probing``), and which populations a stimulus for
each of the inputs drives (``inputs_of``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.base import Record, Recordings
from volr.backends.populations import nonspiking
from volr.backends.readback import Asked, Told
from volr.models.coding import input_drive
from volr.models.parameters import bias_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from volr.backends.base import Progress
    from volr.backends.messages import Arrays, Request, Settings
    from volr.backends.processes import WorkerPool
    from volr.backends.readback import Answer, Names
    from volr.checks.arrays import Booleans, Floats
    from volr.models.model import SpikingModel


def widest(model: SpikingModel, record: Record) -> int:
    """Values of the largest recording of one stimulus that is kept whole."""
    whole = (*record.spikes, *record.membranes, *nonspiking(model))
    return model.steps * max([model.network[name].size for name in whole], default=1)


def kernel_settings(model: SpikingModel, record: Record) -> Settings:
    """What every kernel is told, whatever its simulator: the graph, and what to keep of it."""
    network = model.network
    return {
        "steps": model.steps,
        "populations": {p.name: p.size for p in network.populations},
        "inputs": list(network.inputs),
        "projections": [(p.source, p.target) for p in network.projections],
        "spiking": sorted({*record.counted(network), *record.spikes}),
        "spikes": list(record.spikes),
        "membranes": list(record.membranes),
        "means": nonspiking(model),
    }


def requests(
    model: SpikingModel,
    stimuli: Floats,
    seed: int,
    size: int,
    weights: Arrays,
    settings: Settings,
    ampere: float = 1.0,
) -> Iterator[Request]:
    """A request for every ``size`` stimuli: ``weights`` and ``settings``, and what drives them.

    ``name.current`` ``[unit]``, or ``[batch, unit]`` of inputs, is all of a neuron's constant
    current, in units of which ``ampere`` make one nA; ``name.spikes`` is ``[time, batch, unit]``.
    The setting ``copies`` is the number of stimuli.
    """
    network = model.network
    fixed = dict(weights)
    for population in network.layers:
        bias = model.parameters[bias_name(population)]
        offset = model.neuron_of(population.name).i_offset
        fixed[f"{population.name}.current"] = ampere * (offset + bias)
    for first in range(0, len(stimuli), size):
        batch = stimuli[first : first + size]
        drive = input_drive(model, batch, seed=seed, first=first)
        given: Arrays = {f"{name}.spikes": each for name, each in drive.spikes.items()}
        for name, currents in drive.currents.items():
            offset = model.neuron_of(name).i_offset
            given[f"{name}.current"] = ampere * (offset + currents)
        yield {**fixed, **given}, {**settings, "copies": len(batch)}


def answered(
    pool: WorkerPool,
    asked: Iterable[Request],
    size: int,
    total: int,
    progress: Progress | None,
    check: Callable[[Arrays], None] = lambda _: None,
) -> list[Arrays]:
    """The answers to requests of ``size`` stimuli of ``total``, in the order of the requests.

    ``check`` sees each answer as it comes, and ends it all by raising something.
    """

    def came(index: int, answer: Arrays) -> None:
        check(answer)
        if progress is not None:
            progress(min(size, total - index * size))

    return answers_of(pool, asked, came)


def answers_of(
    pool: WorkerPool,
    requests: Iterable[Request],
    came: Callable[[int, Arrays], None] = lambda _, __: None,
) -> list[Arrays]:
    """The answers, in the order of the requests. ``came`` is told of each, and of which request it
    answers, as soon as it is there.
    """
    answers: dict[int, Arrays] = {}
    for index, answer in pool.run(requests):
        came(index, answer)
        answers[index] = answer
    return [answers[index] for index in sorted(answers)]


def together(
    model: SpikingModel,
    record: Record,
    answers: Iterable[Arrays],
    *,
    given: Mapping[str, Booleans] | None = None,
    volt: float = 1.0,
) -> Recordings:
    """The recordings that the answers are parts of.

    ``given`` are spikes ``[time, batch, unit]`` that no kernel records; membranes come in units of
    which ``volt`` make one mV.
    """
    network, steps, parts = model.network, model.steps, list(answers)
    known: Mapping[str, Booleans] = given or {}

    def joined(name: str, kind: str, empty: NDArray[Any]) -> NDArray[Any]:
        # The empty part stands for all of them where there are no stimuli.
        found = [empty, *(answer[f"{name}.{kind}"] for answer in parts)]
        return np.concatenate(found, axis=empty.ndim - 2)

    def per_stimulus(name: str, kind: str, dtype: type[np.generic]) -> NDArray[Any]:
        return joined(name, kind, np.empty((0, network[name].size), dtype=dtype))

    def per_step(name: str, kind: str, dtype: type[np.generic]) -> NDArray[Any]:
        return joined(name, kind, np.empty((steps, 0, network[name].size), dtype=dtype))

    def counts(name: str) -> NDArray[np.int64]:
        if name in known:
            return known[name].sum(axis=0)
        return per_stimulus(name, "counts", np.int64)

    def spikes(name: str) -> Booleans:
        return known[name] if name in known else per_step(name, "spikes", np.bool_)

    return Recordings(
        counts={name: counts(name) for name in record.counted(network)},
        spikes={name: spikes(name) for name in record.spikes},
        membranes={
            name: per_step(name, "membranes", np.float64) / volt for name in record.membranes
        },
        means={name: per_stimulus(name, "means", np.float64) / volt for name in nonspiking(model)},
    )


# How many seeds are tried for one that draws a spike in each input.
_SEEDS = 20


def probing(
    model: SpikingModel,
    make: Callable[[Floats, Record, int, int], Iterator[Request]],
    ask: Any,
) -> Iterator[Request]:
    """Requests that ask what there is.

    The first one is about the whole network, without a stimulus. The others are about its
    populations alone, under the stimuli of ``input_probes``. ``make`` is how the back end makes
    requests: of stimuli, what to record, a seed, and how many copies there are in each. ``ask`` is
    what its kernel wants to be told.
    """
    stimuli = input_probes(model)
    made = make(stimuli, Record(), _seed_with_spikes(model, stimuli), 1)
    for index, (arrays, settings) in enumerate(made):
        projections: list[Any] = [] if index else settings["projections"]
        yield arrays, {**settings, "projections": projections, "ask": ask}


def input_probes(model: SpikingModel) -> Floats:
    """A stimulus of zeros, and one for each input in turn whose values are 1; ``[batch, unit]``."""
    network = model.network
    sizes = [network[name].size for name in network.inputs]
    ones = np.repeat(np.eye(len(sizes)), sizes, axis=1)
    return np.concatenate([np.zeros((1, network.input_size)), ones])


def _seed_with_spikes(model: SpikingModel, stimuli: Floats) -> int:
    """A seed with which each input draws a spike for the value 1; 0 if there is none."""

    def all_spike(seed: int) -> bool:
        drive = input_drive(model, stimuli, seed=seed)
        return all(spikes.any() for spikes in drive.spikes.values())

    return next((seed for seed in range(_SEEDS) if all_spike(seed)), 0)


def inputs_of(names: Iterable[str], answers: Iterable[Arrays]) -> Answer[Names]:
    """The inputs, in the order of a stimulus: the populations that each part of it drives.

    ``answers`` are those to ``probing``, whose ``name.drive`` ``[unit]`` is what drives neurons.
    """
    nothing, *each = answers
    found: list[str] = []
    for answer in each:
        driven = [
            name
            for name in names
            if f"{name}.drive" in answer
            and not np.array_equal(answer[f"{name}.drive"], nothing[f"{name}.drive"])
        ]
        if not driven:
            return Told("no part of a stimulus drives a neuron: its rate or duration is too small")
        found.append(" and ".join(driven))
    return Asked(tuple(found), "measured: what is driven by a stimulus for one input after another")
