"""Brian2: spiking models on the Brian2 simulator, with equations of their own.

    equations.py    our neuron models in Brian2's language
    translation.py  our words and units in Brian2's, and back
    kernel.py       what runs in a process that has Brian2 (``volr.backends.processes``)

This file cuts the stimuli into batches and puts the answers together.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from volr.backends.base import Record, Simulator, SpikingBackend
from volr.backends.brian2.equations import (
    MILLI,
    NANO,
    NEURONS,
    REFRACTORY,
    RESETS,
    THRESHOLD,
    UNREACHABLE,
)
from volr.backends.brian2.translation import Neurons, Pathway, in_our_words, parameters
from volr.backends.messages import text_of
from volr.backends.pooled_simulator import MOST_VALUES, PooledSimulator
from volr.backends.populations import neurons_of
from volr.backends.processes import WorkerPool
from volr.backends.readback import Asked, precision_of, uniform
from volr.backends.refusals import require
from volr.backends.worker import (
    inputs_of,
    kernel_settings,
    requests,
    synapse_arrays,
    ticks_of,
    widest,
)
from volr.errors import BackendError
from volr.models.coding import CODING_NAMES
from volr.models.model import READOUTS
from volr.system.temporary import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from volr.backends.messages import Arrays, Request, Settings
    from volr.backends.readback import SpikingReadback
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli
    from volr.network import Projection
    from volr.neurons import NeuronModel

Target: TypeAlias = Literal["numpy", "cython", "cpp_standalone"]
TARGETS: tuple[Target, ...] = get_args(Target)

# Synapses in one batch of copies. The more, the less generating code costs: on 100-100-10, 25
# copies take 20 ms an image, 100 take 7, 400 take 4, 800 take 3. A synapse is some 100 bytes.
BATCH_SYNAPSES = 4_000_000


class Brian2Simulator(PooledSimulator):
    """Brian2, started.

    ``target`` is the language that Brian2 generates code in. NumPy is ready at once. Cython
    compiles for minutes when it first sees a shape of network, and then is at most a third faster;
    a folder of this user's, in that for temporary files, keeps what it made. A program in C++ is
    built for every batch, which takes about a minute.
    """

    volt = MILLI

    def __init__(self, processes: int | None = None, target: Target = "numpy") -> None:
        if target not in TARGETS:
            raise BackendError(
                f"brian2 has no target {target!r}", help=f"it has {', '.join(TARGETS)}"
            )
        self.target: Target = target
        self._folder = Workplace("volr-brian2")
        super().__init__(BRIAN2, WorkerPool("volr.backends.brian2.kernel", "Brian2", processes))

    def close(self) -> None:
        super().close()
        self._folder.close()

    def size(self, model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
        return batch_size(model, record, stimuli, processes)

    def requests(
        self,
        model: SpikingModel,
        stimuli: Stimuli,
        record: Record,
        seed: int,
        size: int,
        first: int = 0,
    ) -> Iterator[Request]:
        """See ``PooledSimulator``: with the language that code is generated in, and a folder."""
        made = _requests(model, stimuli, record, seed, size, first)
        for index, (arrays, settings) in enumerate(made):
            own = self._folder.path / str(index)
            folder = compiled() if self.target == "cython" else own
            yield arrays, {**settings, "target": self.target, "folder": str(folder)}

    def asks(self, model: SpikingModel) -> dict[str, list[str]]:
        return {
            name: [theirs for _, theirs, *_ in NEURONS[neuron.name].rows]
            for name, neuron in neurons_of(model).items()
        }

    def contents(self, model: SpikingModel, answers: list[Arrays]) -> SpikingReadback:
        return _contents(model, answers, self.asks(model))


def compiled() -> Path:
    """The folder that keeps what Cython made, which nobody else can write into."""
    folder = Path(tempfile.gettempdir()) / f"volr-brian2-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o77:
        raise BackendError(
            f"other users can write into {folder}, and Volr would run code from there",
            help="remove it, or set TMPDIR to another folder",
        )
    return folder


def start(
    processes: int | None = None, target: Target = "numpy"
) -> AbstractContextManager[Simulator]:
    """Brian2 on ``processes`` processes, one a core unless told; ``MissingError`` without it."""
    require(BRIAN2)
    return Brian2Simulator(processes, target)


BRIAN2 = SpikingBackend(
    name="brian2",
    summary="the Brian2 simulator, with equations of their own",
    requires=("brian2",),
    extra="brian2",
    neurons=tuple(NEURONS),
    exact=("if_curr_delta", "if_curr_exp"),
    resets=tuple(RESETS),
    codings=CODING_NAMES,
    readouts=READOUTS,
    delays=True,
    several=True,
    start=start,
)


def batch_size(model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
    """How many copies stand side by side: bounded by memory, and equal work for everybody."""
    each = max(model.network.synapse_count, model.network.neuron_count)
    most = max(1, min(BATCH_SYNAPSES // each, MOST_VALUES // widest(model, record)))
    rounds = max(1, -(-stimuli // (most * processes)))
    return max(1, -(-stimuli // (rounds * processes)))


def _requests(
    model: SpikingModel, stimuli: Stimuli, record: Record, seed: int, size: int, first: int
) -> Iterator[Request]:
    neurons = neurons_of(model)

    def delay(projection: Projection) -> float:
        early = NEURONS[neurons[projection.target].name].early
        return MILLI * model.dt * (model.delay_steps_of(projection) - early)

    settings: Settings = {
        **kernel_settings(model, record, delay),
        "dt": MILLI * model.dt,
        "neurons": {name: _neurons(model, name, each) for name, each in neurons.items()},
    }

    def told(target: str, weights: Floats, post: Integers) -> Floats:
        del post
        _, factor = NEURONS[neurons[target].name].weight
        return factor * weights

    wiring = synapse_arrays(model, told)
    return requests(model, stimuli, seed, size, wiring, settings, NANO, first)


def _neurons(model: SpikingModel, name: str, neuron: NeuronModel) -> Settings:
    """What Brian2 is told about a population's neurons, and about synapses onto them."""
    equations = NEURONS[neuron.name]

    def told(neuron: NeuronModel) -> dict[str, float]:
        numbers = parameters(neuron, model.dt)
        return numbers if model.is_spiking(name) else {**numbers, "fires_at": UNREACHABLE}

    numbers = model.units_of(name).stacked(told)
    by_unit = {key: each.tolist() for key, each in numbers.items() if isinstance(each, np.ndarray)}
    return {
        "model": equations.model(neuron.reset, by_unit),
        "step": equations.step,
        "threshold": THRESHOLD,
        "reset": RESETS[neuron.reset],
        "refractory": REFRACTORY,
        "parameters": {**numbers, **by_unit},
        "weight": equations.weight[0],
        "pathways": list(equations.pathways.values()),
        "slot": equations.slot,
    }


def _contents(
    model: SpikingModel, answers: list[Arrays], asked: Mapping[str, list[str]]
) -> SpikingReadback:
    """What Brian2 holds, by a kernel's answers to ``volr.backends.worker.probing``."""
    names, answer = [p.name for p in model.network.populations], answers[0]

    neurons = {
        name: Neurons(
            text_of(answer[f"{name}.equations"]),
            text_of(answer[f"{name}.step"]),
            text_of(answer[f"{name}.threshold"]),
            text_of(answer[f"{name}.reset"]),
            {each: answer[f"{name}.{each}"] for each in asked[name]},
            answer[f"{name}.current"],
        )
        for name in names
        if f"{name}.equations" in answer
    }
    pathways: list[Pathway] = []
    while f"{len(pathways)}.ends" in answer:
        number = len(pathways)
        before, after = answer[f"{number}.ends"]
        source, target = names[int(before)], names[int(after)]
        i, j, w = (answer[f"{number}.{each}"] for each in ("i", "j", "w"))
        delay = uniform(answer[f"{number}.delay"])
        code, slot = text_of(answer[f"{number}.code"]), text_of(answer[f"{number}.slot"])
        pathways.append(Pathway(source, target, i, j, w, delay, code, slot))
    held = in_our_words(
        {name: int(answer[f"{name}.size"][0]) for name in names if f"{name}.size" in answer},
        inputs_of(names, answers),
        Asked(
            frozenset(name for name in names if f"{name}.read" in answer),
            "which groups have monitors",
        ),
        neurons,
        pathways,
        float(answer["dt"][0]),
        precision_of(answer[f"{number}.w"].dtype for number in range(len(pathways))),
    )
    return replace(held, ticks=ticks_of(model.network, answers))
