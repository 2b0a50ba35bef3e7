"""What simulators share whose kernels run in separate processes.

A kernel (``volr.backends.processes``) gets a batch of stimuli at a time: ``kernel_settings`` says
what is to be built and recorded, ``synapse_arrays`` lists the synapses, ``requests`` cuts the
stimuli, ``answered`` waits for all of it, and ``together`` makes recordings of the answers. Each
back end translates names and units itself.

To read a model back, ``probing`` asks a kernel what it built, ``inputs_of`` finds out which
populations a stimulus for each input drives, and ``ticks_of`` when a clock spikes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.base import Record, Recordings
from volr.backends.populations import nonspiking
from volr.backends.readback import SEVERAL, Asked, Told
from volr.models.coding import input_drive
from volr.models.parameters import synapses, unit_biases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from volr.backends.base import Progress
    from volr.backends.messages import Arrays, Request, Settings
    from volr.backends.processes import WorkerPool
    from volr.backends.readback import Answer, Names
    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli
    from volr.network import Network, Projection


def widest(model: SpikingModel, record: Record) -> int:
    """The number of values of the largest whole recording of one stimulus."""
    whole = (*record.spikes, *record.membranes, *nonspiking(model))
    return model.steps * max([model.network[name].size for name in whole], default=1)


def kernel_settings(
    model: SpikingModel, record: Record, late: Callable[[Projection], float]
) -> Settings:
    """The settings that every kernel gets: the graph, and what to record of it.

    ``late`` is the delay of a projection as the simulator is told it. A clock is one of the
    ``inputs``: its spikes are given with each batch.
    """
    network = model.network
    return {
        "steps": model.steps,
        "populations": {p.name: p.size for p in network.populations},
        "inputs": list(network.starts),
        "projections": [(p.name, p.source, p.target) for p in network.projections],
        "delays": {p.name: late(p) for p in network.projections},
        "spiking": sorted({*record.counted(network), *record.spikes}),
        "spikes": list(record.spikes),
        "membranes": list(record.membranes),
        "means": list(nonspiking(model)) if model.readout == "membrane" else [],
        "finals": list(nonspiking(model)) if model.readout == "final" else [],
    }


def synapse_arrays(
    model: SpikingModel, told: Callable[[str, Floats, Integers], Floats]
) -> dict[str, NDArray[Any]]:
    """The synapses of each projection: ``NAME.pre``, ``.post`` and ``.weight``, ``[synapse]``.

    They stand by neuron of the source, then of the target, each pair of neurons once. ``told``
    gives the weights of synapses onto a population, and onto these neurons of it, as the simulator
    is told them.
    """
    found: dict[str, NDArray[Any]] = {}
    for each in model.network.projections:
        one = synapses(model.network, each, model.parameters)
        found[f"{each.name}.pre"], found[f"{each.name}.post"] = one.pre, one.post
        found[f"{each.name}.weight"] = told(each.target, one.weight, one.post)
    return found


def requests(
    model: SpikingModel,
    stimuli: Stimuli,
    seed: int,
    size: int,
    wiring: Arrays,
    settings: Settings,
    ampere: float = 1.0,
    first: int = 0,
) -> Iterator[Request]:
    """A request for every ``size`` stimuli: ``wiring``, ``settings`` and what drives neurons.

    ``name.current`` ``[unit]``, or ``[batch, unit]`` of inputs, is the whole constant current of
    each neuron, in units of 1/``ampere`` nA; ``name.spikes`` is ``[time, batch, unit]``.
    The setting ``copies`` is the number of stimuli. What is the same in all requests is read-only.
    ``first`` is the number of the first stimulus.
    """
    network = model.network
    fixed = dict(wiring)
    for population in network.layers:
        bias = unit_biases(population, model.parameters)
        offset = model.units_of(population.name).of(lambda each: each.i_offset)
        fixed[f"{population.name}.current"] = ampere * (offset + bias)
    for each in fixed.values():
        each.setflags(write=False)
    for start in range(0, len(stimuli), size):
        batch = stimuli[start : start + size]
        drive = input_drive(model, batch, seed=seed, first=first + start)
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
    """The answers to requests for ``total`` stimuli, ``size`` in each, in the order of requests.

    ``check`` is called with each answer as it comes, and may raise an error.
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
    """The answers, in the order of the requests. ``came`` is called with the index of each request
    and its answer as soon as that is there.
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
    """The recordings that the answers make up together.

    ``given`` are spikes ``[time, batch, unit]`` that no kernel records; membranes come in units of
    1/``volt`` mV.
    """
    network, steps, parts = model.network, model.steps, list(answers)
    known: Mapping[str, Booleans] = given or {}

    def joined(name: str, kind: str, empty: NDArray[Any]) -> NDArray[Any]:
        # Without stimuli there is only the empty part.
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

    def read(kind: str) -> dict[str, Floats]:
        return {name: per_stimulus(name, kind, np.float64) / volt for name in nonspiking(model)}

    return Recordings(
        counts={name: counts(name) for name in record.counted(network)},
        spikes={name: spikes(name) for name in record.spikes},
        membranes={
            name: per_step(name, "membranes", np.float64) / volt for name in record.membranes
        },
        means=read("means") if model.readout == "membrane" else {},
        finals=read("finals") if model.readout == "final" else {},
        dt=model.dt,
    )


# How many seeds are tried to find one that draws a spike in each input.
_SEEDS = 20


def probing(
    model: SpikingModel,
    make: Callable[[Floats, Record, int, int], Iterator[Request]],
    ask: Any,
) -> Iterator[Request]:
    """Requests that ask a kernel what it built.

    The first one is about the whole network, without a stimulus. The others have no projections,
    and a stimulus of ``input_probes`` each. ``make`` makes the back end's requests from stimuli,
    what to record, a seed, and the number of copies in each. ``ask`` is the kernel's setting.
    """
    stimuli = input_probes(model)
    made = make(stimuli, Record(), _seed_with_spikes(model, stimuli), 1)
    for index, (arrays, settings) in enumerate(made):
        projections: list[Any] = [] if index else settings["projections"]
        yield arrays, {**settings, "projections": projections, "ask": ask}


def input_probes(model: SpikingModel) -> Floats:
    """A stimulus of zeros, and for each input one with ones there; ``[batch, unit]``."""
    network = model.network
    sizes = [network[name].size for name in network.inputs]
    ones = np.repeat(np.eye(len(sizes)), sizes, axis=1)
    return np.concatenate([np.zeros((1, network.input_size)), ones])


def _seed_with_spikes(model: SpikingModel, stimuli: Stimuli) -> int:
    """A seed with which each input draws a spike for the value 1; 0 if none is found."""

    def all_spike(seed: int) -> bool:
        drive = input_drive(model, stimuli, seed=seed)
        return all(spikes.any() for spikes in drive.spikes.values())

    return next((seed for seed in range(_SEEDS) if all_spike(seed)), 0)


def inputs_of(names: Iterable[str], answers: Iterable[Arrays]) -> Answer[Names]:
    """The inputs, in the order of a stimulus: the populations that each part of it drives.

    ``answers`` are those to ``probing``; ``name.drive`` in them drives the neurons. It is
    ``spike_list`` where a population is given as spikes, and otherwise the currents ``[unit]``.
    A clock spikes alike for all stimuli, so it is none of the inputs.
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
    return Asked(tuple(found), "measured: one input after another gets a stimulus")


def ticks_of(network: Network, answers: list[Arrays]) -> dict[str, Answer[Integers]]:
    """The steps in which the neurons of a clock spike, as ``SpikingReadback`` has them.

    ``answers`` are those to ``probing``.
    """
    name, answer = network.clock, answers[0]
    if name is None or f"{name}.drive" not in answer:
        return {}
    drive = answer[f"{name}.drive"]
    if drive.ndim != 2:
        return {name: Told("the clock is no population that is given as spikes")}
    neurons, steps = drive
    found = np.full(max(network[name].size, 1 + int(neurons.max(initial=-1))), -1)
    found[neurons] = steps
    found[np.bincount(neurons, minlength=found.size) > 1] = SEVERAL
    return {name: Asked(found)}
