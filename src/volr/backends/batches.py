"""What simulators whose kernels run in processes of their own have in common.

A kernel (``volr.backends.workers``) gets a batch of stimuli at a time: ``described`` says what is
to be built and recorded, ``requests`` cuts the stimuli, ``answered`` waits for all of it, and
``together`` makes recordings of the answers. What a kernel calls parameters and in which unit it
counts is its back end's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.base import Record, Recordings
from volr.models.coding import input_drive
from volr.models.parameters import bias_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from volr.backends.base import Progress
    from volr.backends.workers import Arrays, Request, Settings, WorkerPool
    from volr.models.arrays import Booleans, Floats
    from volr.models.model import SpikingModel


def silent(model: SpikingModel) -> list[str]:
    """The populations that never spike, whose membranes are read."""
    return [p.name for p in model.network.populations if not model.is_spiking(p.name)]


def widest(model: SpikingModel, record: Record) -> int:
    """Values of the largest recording of one stimulus that is kept whole."""
    whole = (*record.spikes, *record.membranes, *silent(model))
    return model.steps * max([model.network[name].size for name in whole], default=1)


def described(model: SpikingModel, record: Record) -> Settings:
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
        "means": silent(model),
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
    network, offset = model.network, model.neuron.i_offset
    fixed = dict(weights)
    for population in network.layers:
        bias = model.parameters[bias_name(population)]
        fixed[f"{population.name}.current"] = ampere * (offset + bias)
    for first in range(0, len(stimuli), size):
        batch = stimuli[first : first + size]
        drive = input_drive(model, batch, seed=seed, first=first)
        given: Arrays = {f"{name}.spikes": each for name, each in drive.spikes.items()}
        for name, currents in drive.currents.items():
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
    answers: dict[int, Arrays] = {}
    for index, answer in pool.run(asked):
        check(answer)
        answers[index] = answer
        if progress is not None:
            progress(min(size, total - index * size))
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
        means={name: per_stimulus(name, "means", np.float64) / volt for name in silent(model)},
    )
